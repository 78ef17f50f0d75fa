"""What a page is told, and what people say on it."""
