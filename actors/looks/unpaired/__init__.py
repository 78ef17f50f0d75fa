"""The look "unpaired": makes one kind of picture into another (life to cartoon, oil to sketch), learnt without pairs."""
