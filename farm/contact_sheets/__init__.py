"""Stills of a film made before it is rendered: contact sheets, and frames exported to be painted."""
