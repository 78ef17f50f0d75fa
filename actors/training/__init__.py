"""Training: makes a look from a recipe and pictures.

The same recipe gives the same weights however often it is interrupted. Nothing here imports Ray.

course.py       what a course is: a generator in training; kind.py: what a recipe can tell it, for drivers
registry.py     the courses there are, by entry point
pictures.py     a recipe's pictures; frames.py: those of a film
run.py          the loop; checkpoints.py: what it keeps; readings.py: its losses; guards.py: what ends it early
crops.py, optimizers.py, darknet.py     what courses share: crops by number, steps saved and resumed, features
"""
