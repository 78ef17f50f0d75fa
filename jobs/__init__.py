"""The documents of a film: frozen, validated and versioned, and the geometry of frames, shots and chunks as pure functions.

Nothing here imports a pixel library, Ray or torch.
"""
