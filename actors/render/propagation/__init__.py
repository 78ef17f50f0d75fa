"""Propagates colour from frames whose colour is known to the frames between them."""
