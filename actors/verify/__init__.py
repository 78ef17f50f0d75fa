"""Checks a deliverable against the plan and against its source."""
