"""The look "colorize": a network that colours black-and-white film. Its training courses are in actors/training/colorize."""
