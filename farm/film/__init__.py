"""Renders one film, from its source to its deliverables."""
