"""The look and the course "unpaired": one kind of picture made into another (life to cartoon, oil to sketch). Promises to learn it without pairs; knows no true answer."""
