"""Streams put together into one file."""
