"""Makes a deliverable of the segments of its film."""
