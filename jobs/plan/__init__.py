"""From frames and cuts to shots, chunks, and the times of a deliverable."""
