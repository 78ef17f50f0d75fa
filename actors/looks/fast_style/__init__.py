"""The look "fast-style": restyles a film, frame by frame, with published feed-forward style networks."""
