"""Workers on Ray, and the scheduling of calls to them."""
