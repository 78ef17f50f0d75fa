"""The sample film, and its maker's stills: made here, where none is at hand."""
