"""What all tests of looks share. Promises one torch thread."""

from tests.threads import one_thread

__all__ = ["one_thread"]
