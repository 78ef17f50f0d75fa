"""Films opened, and their frames decoded in one form."""
