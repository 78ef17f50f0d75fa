"""Training and evaluation on Ray."""
