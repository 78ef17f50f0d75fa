"""Finds out what a source is: its streams, its packets, its frames, and whether all are there."""
