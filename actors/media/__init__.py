"""Opens films, and decodes their frames in one form."""
