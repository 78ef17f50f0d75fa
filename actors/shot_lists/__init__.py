"""Cut lists read and shot lists written."""
