"""One film, from its source to its deliverables."""
