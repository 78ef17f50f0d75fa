"""What a studio asks for: job specs, training recipes, formats."""
