"""Encodes pictures."""
