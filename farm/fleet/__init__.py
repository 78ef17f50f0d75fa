"""Workers on Ray, and the calls that they are given."""
