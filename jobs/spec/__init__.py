"""What a user asks for: job specs, training recipes, formats."""
