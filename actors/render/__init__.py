"""Chunks split, rendered, dissolved, transcoded, and put into the store."""
