"""Ahead: order, bound, errors at their place, and no thread left over."""

import threading
from collections.abc import Generator

import pytest

from actors.picture.prefetch import Prefetch, TurnLock

PATIENCE = 30
"""Seconds after which something that should have happened has not."""


class Source:
    """Counts without end, and tells of each number before it gives it."""

    def __init__(self) -> None:
        self.made = 0
        self.taken = 0
        self.lead = 0
        self.ends: list[str] = []
        self._more = threading.Condition()

    def numbers(self) -> Generator[int, None, None]:
        try:
            while True:
                with self._more:
                    self.made += 1
                    self.lead = max(self.lead, self.made - self.taken)
                    self._more.notify_all()
                yield self.made - 1
        finally:
            self.ends.append(threading.current_thread().name)

    def wait_for(self, made: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: self.made >= made, PATIENCE)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Generator[None, None, None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == before


def test_all_comes_in_order() -> None:
    with Prefetch((number for number in range(100)), 3) as numbers:
        assert list(numbers) == list(range(100))
        assert list(numbers) == []


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_no_more_is_made_than_may_lie_ready(depth: int) -> None:
    source = Source()
    with Prefetch(source.numbers(), depth) as numbers:
        for number in range(50):
            source.wait_for(number + depth)  # it works while nobody asks
            assert next(numbers) == number
            source.taken += 1
    # One more than may lie ready: the consumer's own, taken and not yet counted.
    assert depth <= source.lead <= depth + 1


def test_an_error_comes_after_what_was_made_before_it() -> None:
    error = ArithmeticError("of its own")

    def three() -> Generator[int, None, None]:
        yield from range(3)
        raise error

    with Prefetch(three(), 5) as numbers:
        assert [next(numbers) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ArithmeticError) as caught:
            next(numbers)
        assert caught.value is error
        assert list(numbers) == []


def test_leaving_early_ends_the_generator_in_its_own_thread() -> None:
    source = Source()
    with Prefetch(source.numbers(), 2) as numbers:
        assert next(numbers) == 0
    (end,) = source.ends
    assert end != threading.current_thread().name


def test_one_may_be_drained_by_another() -> None:
    source = Source()

    def doubled(numbers: Prefetch[int]) -> Generator[int, None, None]:
        for number in numbers:
            yield 2 * number

    with Prefetch(source.numbers(), 2) as numbers, Prefetch(doubled(numbers), 2) as twice:
        assert [next(twice) for _ in range(20)] == list(range(0, 40, 2))


def test_turns_are_taken_in_the_order_they_were_asked_for() -> None:
    turns, order, threads = TurnLock(), list[int](), list[threading.Thread]()

    def ask(number: int) -> None:
        with turns:
            order.append(number)

    with turns:
        for number in range(8):
            threads.append(threading.Thread(target=ask, args=(number,)))
            threads[-1].start()
            while threads[-1].is_alive() and len(turns._line) < number + 2:  # until it stands in line
                threads[-1].join(0.001)
        assert order == []
    for thread in threads:
        thread.join(PATIENCE)
    assert order == list(range(8))


def test_a_turn_that_ends_in_an_error_is_over() -> None:
    turns = TurnLock()
    with pytest.raises(KeyError), turns:
        raise KeyError
    with turns:
        pass
