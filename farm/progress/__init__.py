"""How far a film is, on the console, as metrics, and on paper."""
