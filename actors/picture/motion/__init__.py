"""Motion between frames: optical flow and how far it can be trusted, likeness along it, chroma averaged over time."""
