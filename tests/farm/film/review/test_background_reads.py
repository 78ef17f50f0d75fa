"""Small files read in the background: each once, a bounded number ahead, without anybody waiting who does not ask to."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import pytest

from farm.film.review.background_reads import AHEAD, BackgroundReads
from jobs.errors import BadStore

LONG = 60.0


class SlowBucket:
    """A bucket that answers when it is let."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers = Event()

    def read(self, name: str) -> str:
        """Its name, in capitals."""
        self.asked.append(name)
        assert self.answers.wait(LONG)
        return name.upper()


@contextmanager
def let_go(bucket: SlowBucket) -> Iterator[SlowBucket]:
    """However a test ends, no thread waits on."""
    try:
        yield bucket
    finally:
        bucket.answers.set()


def test_nobody_waits_for_a_slow_bucket_who_does_not_ask_to() -> None:
    with let_go(SlowBucket()) as bucket:
        reads = BackgroundReads(bucket.read)
        reads.ask(["a", "b"])
        reads.go_on()
        assert reads.found == {}
        bucket.answers.set()
        reads.go_on(LONG)
        assert reads.found == {"a": "A", "b": "B"}


def test_each_is_read_once_however_often_it_is_asked_for() -> None:
    with let_go(SlowBucket()) as bucket:
        reads = BackgroundReads(bucket.read)
        for _ in range(3):
            reads.ask(["a", "a", "b"])
            reads.go_on()
        bucket.answers.set()
        reads.go_on(LONG)
        assert sorted(bucket.asked) == ["a", "b"]


def test_all_come_of_many_more_than_are_begun_at_a_time() -> None:
    names = [f"{number}" for number in range(5 * AHEAD)]
    with let_go(SlowBucket()) as bucket:
        reads = BackgroundReads(bucket.read)
        reads.ask(names)
        reads.go_on()
        bucket.answers.set()
        reads.go_on(float("inf"))
        assert list(reads.found.values()) == list(reads.found)
        assert set(reads.found) == set(names)


def test_what_fails_is_raised_where_it_is_taken_and_may_be_asked_for_again() -> None:
    broken = {"b"}

    def read(name: str) -> str:
        if name in broken:
            raise BadStore(f"no {name}")
        return name.upper()

    reads = BackgroundReads(read)
    reads.ask(["a", "b"])
    with pytest.raises(BadStore, match="no b"):
        reads.go_on(LONG)
    broken.clear()
    reads.ask(["b"])
    reads.go_on(LONG)
    assert reads.found == {"a": "A", "b": "B"}
