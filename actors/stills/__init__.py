"""Painted stills as pixels: read, aligned with their frames, exported, and which frames are worth painting."""
