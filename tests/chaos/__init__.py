"""Chaos: films rendered while things break at random moments, and films that are broken themselves."""
