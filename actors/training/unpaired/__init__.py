"""The training course of the look "unpaired"."""
