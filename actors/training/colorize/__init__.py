"""The training courses of the look "colorize"."""
