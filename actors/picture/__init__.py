"""Pictures as arrays and tensors: colour, size, batches, stills."""
