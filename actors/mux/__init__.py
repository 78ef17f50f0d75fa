"""Puts streams together into one file."""
