"""Stills that people paint: their names, and the folders they lie in."""
