"""The meter: each second once, by what it went into, on the device's own clock."""

from contextlib import suppress

import torch

from actors.render.utilisation import ProcessorClock, UtilisationMeter


class Lagging:
    """A device that passes its marks when the test says so."""

    def __init__(self) -> None:
        self.now = self.passed = 0.0

    def mark(self) -> float:
        return self.now

    def seconds(self, begin: float, end: float) -> float | None:
        return end - begin if end <= self.passed else None


def told(meter: UtilisationMeter) -> dict[str, float]:
    word = meter.word()
    return {"busy": word.busy} | {str(reason): seconds for reason, seconds in word.starved.items()}


def test_each_second_goes_into_one_thing() -> None:
    clock = Lagging()
    meter, clock.passed = UtilisationMeter(clock), 1e9
    clock.now += 1
    with meter.working():
        clock.now += 2
        with meter.waiting("read"):
            clock.now += 4
        clock.now += 8
        with meter.waiting("write"):
            clock.now += 16
        clock.now += 32
    assert told(meter) == {"busy": 42, "read": 4, "write": 16, "call": 1}
    assert told(meter) == {"busy": 0, "read": 0, "write": 0, "call": 0}
    clock.now += 64
    with meter.working():
        assert told(meter) == {"busy": 0, "read": 0, "write": 0, "call": 64}


def test_what_the_device_has_not_come_to_is_told_with_a_later_word() -> None:
    clock = Lagging()
    meter = UtilisationMeter(clock)
    with meter.working():
        clock.now, clock.passed = 3, 2
        with meter.waiting("read"):
            clock.now = 5
        assert told(meter)["busy"] == 0
        clock.passed = 4
        assert told(meter) == {"busy": 3, "read": 0, "write": 0, "call": 0}
    clock.passed = 5
    assert told(meter) == {"busy": 0, "read": 2, "write": 0, "call": 0}


def test_a_wait_that_ends_in_an_error_is_counted() -> None:
    clock = Lagging()
    meter, clock.passed = UtilisationMeter(clock), 1e9
    with suppress(KeyError), meter.working(), meter.waiting("read"):
        clock.now += 3
        raise KeyError
    assert told(meter) == {"busy": 0, "read": 3, "write": 0, "call": 0}


def test_a_processor_is_busy_while_it_computes() -> None:
    meter = UtilisationMeter(ProcessorClock())
    with meter.working():
        torch.ones(64, 64) @ torch.ones(64, 64)
    word = meter.word()
    assert word.busy > 0
    assert word.starved["read"] == word.starved["write"] == 0
