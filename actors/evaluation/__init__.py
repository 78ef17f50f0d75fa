"""Measures what looks are worth against pictures whose true colours are known; docs/evaluation.md defines the figures."""
