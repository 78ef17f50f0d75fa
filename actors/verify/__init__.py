"""A deliverable held against the plan and against its source."""
