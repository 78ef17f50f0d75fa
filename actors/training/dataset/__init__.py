"""Pictures to train on: gathered from disks, S3 and films, some held out, and drawn as crops."""
