"""What a renderer makes of a segment for the review page: a clip, and figures."""
