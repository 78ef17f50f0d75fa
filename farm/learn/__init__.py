"""Training and evaluation of looks on Ray."""
