"""Tells documents of a job that do not fit together, each of them well-formed, as bad input, so that they hide no other job."""

from collections.abc import Iterator
from contextlib import contextmanager

from jobs.errors import BadStore
from jobs.ledger.ledger import Ledger


@contextmanager
def consistent(ledger: Ledger) -> Iterator[None]:
    """For those who only look at a job, and at others beside it. Raises BadStore for what no job's own documents give rise to.

    A render does not use it: there a fault of the farm's own must show itself.
    """
    try:
        yield
    except (ArithmeticError, AssertionError, LookupError, MemoryError, TypeError, ValueError) as error:
        raise BadStore(
            f"The documents of the job '{ledger.title()}' in {ledger.store.url} do not fit together "
            f"({type(error).__name__}: {str(error)[:200]}); render it again, or move {ledger.key('survey')} elsewhere first."
        ) from error
