"""Contact sheets of a few frames, before a film is rendered."""
