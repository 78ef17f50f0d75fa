"""Tests of actors/training/matching."""
