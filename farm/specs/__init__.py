"""Spec files, read and checked."""
