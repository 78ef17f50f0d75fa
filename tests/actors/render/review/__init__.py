"""Clips and figures for the review page."""
