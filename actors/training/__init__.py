"""Training: what turns a recipe and pictures into a look. Promises the same weights for the same recipe however often it is interrupted; knows no Ray."""
