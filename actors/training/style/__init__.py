"""The training course of the look "style"."""
