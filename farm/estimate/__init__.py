"""Estimates of what a film takes in time, storage and money, before it is rendered."""
