"""WHAT: the paper of a film. Promises frozen, validated, versioned documents and pure geometry; knows no pixels, no Ray, no torch."""
