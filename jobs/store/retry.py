"""Retries a store that fails in passing, up to a limit, with pauses that differ from worker to worker.

boto3 asks again by itself (s3/client.py): a few times within seconds, only before a reply's body, and not at all for
expired credentials, a broken body or a conflict. A folder's system asks never. What outlasts that is waited for here.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import Lock
from typing import Concatenate, ParamSpec, TypeVar

from jobs.errors import BadStore, StoreAway, StoreDown, StoreFault, UploadGone
from jobs.processes import ENDING

LIMIT_SECONDS = 180.0
"""How long one request is made again, from its first failure: longer than a fail-over takes, short beside a film."""
LIMIT_VARIABLE = "FILM_FARM_STORE_PATIENCE"
"""An operator's own limit, in seconds, for a store with longer outages."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
"""Seconds between two tries at most, twice as many each time. The pause itself is drawn from 0 up, so that workers part."""

P = ParamSpec("P")
Own = TypeVar("Own")
Found = TypeVar("Found")


class _Work:
    """How many pieces of work are under way in this process."""

    count = 0
    lock = Lock()
    given_up = False
    """A store has failed since this process was asked to end."""


@contextmanager
def in_work() -> Iterator[None]:
    """A job is under way in this process, and its stores have been proven: until the block ends, failures are waited out.

    Outside, as when a place is tried before any work, whatever fails is raised at once. Blocks may overlap in any way.
    """
    with _Work.lock:
        _Work.count += 1
    try:
        yield
    finally:
        with _Work.lock:
            _Work.count -= 1


def hurried() -> bool:
    """Whether this process is to end soon: a request that waits for another try gives up, and after the next that fails no more are made."""
    return ENDING.is_set()


def limit() -> float:
    """Seconds that a store may fail. Raises BadStore where the operator's own limit is no number of seconds."""
    told = os.environ.get(LIMIT_VARIABLE, "")
    if not told:
        return LIMIT_SECONDS
    if not told.replace(".", "", 1).isdecimal():
        raise BadStore(f"{LIMIT_VARIABLE} is {told!r}; give a number of seconds, such as 600.")
    return float(told)


def patiently(move: Callable[[], Found]) -> Found:
    """What `move` gives; made again while it fails in passing, as long as the limit allows. It must be harmless to make twice.

    Raises StoreDown at the limit; outside of `in_work` the first failure as it is.
    """
    began, tries = 0.0, 0
    while True:
        if _Work.given_up:
            raise StoreDown("The store does not answer, and this process ends.")
        try:
            return move()
        except UploadGone:
            raise  # nothing to wait for
        except (StoreFault, StoreAway) as error:
            if hurried():
                _Work.given_up = True
            if not _Work.count or _Work.given_up:
                raise
            tries, began = tries + 1, began or time.monotonic()
            left = began + limit() - time.monotonic()
            if left <= 0:
                raise StoreDown(
                    f"{error} It failed {tries} times within {limit():g} s. "
                    "Finished work is kept: once the store answers, the same command resumes."
                ) from None
        ENDING.wait(min(left, random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (tries - 1)))))


def patient(method: Callable[Concatenate[Own, P], Found]) -> Callable[Concatenate[Own, P], Found]:
    """A method that is called `patiently`. One inside another waits no longer: StoreDown is the end."""

    @wraps(method)
    def again(own: Own, /, *args: P.args, **more: P.kwargs) -> Found:
        return patiently(lambda: method(own, *args, **more))

    return again
