"""Painted stills as pixels: read, laid onto their frames, exported, and which frames are worth painting."""
