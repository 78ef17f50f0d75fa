"""For: networks of one's own that paint in one style or several, trained with the farm."""
