"""The training course of style."""
