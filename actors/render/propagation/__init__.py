"""Colour propagated from frames whose colour is known to those between them."""
