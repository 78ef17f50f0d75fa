"""The course "matching": trains the network by which propagation tells what has the same colour."""
