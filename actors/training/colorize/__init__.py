"""The training courses of colorize."""
