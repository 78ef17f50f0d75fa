"""Ray itself: started here, joined, and kept apart from the terminal."""
