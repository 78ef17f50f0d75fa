"""What is done with a look's picture after the look: controls, and the legal gamut."""
