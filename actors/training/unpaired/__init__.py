"""The training course of unpaired."""
