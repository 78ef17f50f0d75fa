"""For: one kind of picture made into another (life to cartoon, oil to sketch), learnt from pictures that belong to no pairs."""
