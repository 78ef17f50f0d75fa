"""A film as the farm knows it: its source, its frames by display time, its time codes."""
