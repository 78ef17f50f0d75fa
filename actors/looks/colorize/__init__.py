"""For: the colourising look. Promises: chroma for a known luma. Refuses to know: chunks and stores."""
