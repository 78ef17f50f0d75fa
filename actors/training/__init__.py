"""Training: what turns a recipe and pictures into a look. Promises the same weights for the same recipe however often it is interrupted; knows no Ray.

course.py       what a course is: a generator in training
courses.py      the courses there are, by entry point
pictures.py     a recipe's pictures; frames.py: those of a film
run.py          the loop; checkpoints.py: what it keeps; guards.py: what ends it early
sheets.py       sample sheets
crops.py, optimizers.py, darknet.py     what courses share: crops by number, steps put down and taken up, features
"""
