"""What a film will take, before it is rendered."""
