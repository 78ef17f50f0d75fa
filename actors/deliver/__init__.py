"""A deliverable made from the segments of its film."""
