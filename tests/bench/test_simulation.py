"""A fleet by a clock of its own: findings in their order, devices taken in turns, drivers that are busy; and a real driver on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from farm.film.driver import render_film
from farm.fleet.calls import Call, Cluster, PoolSpec
from farm.progress.console import ProgressConsole
from farm.progress.plain_console import PlainConsole
from tests.bench.simulation import DRIVER_SECONDS, SimulatedFleet, Step
from tests.farm.plain_call import PlainCall
from tests.farm.studio import job_of, spec_of
from tests.long_film import LongFilm

CLUSTER = Cluster(local=False, cpus=64.0, gpus=8.0)


def fleet_of(spec: PoolSpec, *steps: Step) -> SimulatedFleet:
    """One pool whose every call takes these steps; a worker starts in 10 s."""
    fleet = SimulatedFleet(CLUSTER, lambda call, place: steps, lambda pool: 10.0)
    fleet.hire([spec])
    return fleet


def times_of(fleet: SimulatedFleet, pool: str, calls: int) -> list[float]:
    """When each finding came, to a tenth of a second."""
    asked = [PlainCall(pool, "do", priority=(number,)) for number in range(calls)]
    return [round(fleet.now, 1) for _ in fleet.run(asked, lambda *_: ())]


def test_calls_follow_each_other_on_as_many_workers_as_there_are_calls() -> None:
    assert times_of(fleet_of(PoolSpec("clerk", "builtins:object", limit=2), (1.0, "a"), (2.0, "b")), "clerk", 4) == [
        11.0, 11.0, 13.0, 13.0, 14.0, 14.0, 16.0, 16.0,
    ]  # fmt: skip
    assert times_of(fleet_of(PoolSpec("clerk", "builtins:object", limit=9), (1.0, "a")), "clerk", 4) == [11.0] * 4


def test_two_abreast_are_two_at_a_time_but_a_device_takes_turns() -> None:
    assert times_of(fleet_of(PoolSpec("clerk", "builtins:object", max_concurrency=2), (5.0, "a")), "clerk", 2) == [
        15.0,
        15.0,
    ]
    fleet = fleet_of(PoolSpec("renderer", "builtins:object", max_concurrency=2), (5.0, "a"))
    assert times_of(fleet, "renderer", 3) == [15.0, 20.0, 25.0]
    fleet.close()
    assert fleet.paid["renderer"].busy == 15.0
    assert fleet.paid["renderer"].hired == pytest.approx(25.0, abs=0.1)


def test_a_driver_that_hears_many_is_what_they_wait_for() -> None:
    fleet = fleet_of(PoolSpec("clerk", "builtins:object", limit=1000), (1.0, "a"))
    times_of(fleet, "clerk", 1000)
    assert fleet.now == pytest.approx(11.0 + 1000 * DRIVER_SECONDS)


def test_what_follows_is_called_and_whoever_is_not_needed_goes() -> None:
    fleet = fleet_of(PoolSpec("clerk", "builtins:object", limit=4), (100.0, "a"))
    calls = [PlainCall("clerk", "do", priority=(number,)) for number in range(4)]
    later = [PlainCall("clerk", "do", priority=(9,))]
    fleet.expect("clerk", 0, sure=True)
    for place, _ in enumerate(fleet.run(calls, lambda call, found: [later.pop()] if later else [])):
        assert fleet.now < 111 if place < 4 else fleet.now > 209
    fleet.close()
    # Three of them were let go at once, and one worked on.
    assert fleet.paid["clerk"].hired == pytest.approx(3 * 110 + 210, abs=0.2)


class OnPaper:
    """The work of a long film: what each method's findings take. Notes what was called before the first chunk is rendered."""

    def __init__(self, film: LongFilm) -> None:
        self.film = film
        self.before: dict[str, int] = {}
        self.first: float | None = None

    def __call__(self, call: Call, place: int) -> Iterator[Step]:
        if self.first is None:
            self.before[call.method] = self.before.get(call.method, 0) + 1
        found = getattr(self.film, call.method)(*call.arguments)
        seconds = {"pages": 0.05, "cuts": 4.0, "render": 5.0}.get(call.method, 0.1)
        for one in found if isinstance(found, Iterator) else [found]:
            yield seconds, one


def first_chunk(folder: Path, frames: int) -> tuple[float, dict[str, int]]:
    """When a real driver hears of the first rendered frames, and what its pools were called for until then."""
    work = OnPaper(LongFilm(frames))
    fleet: Any = SimulatedFleet(CLUSTER, work, lambda pool: 3.0)

    class FirstFrames(ProgressConsole):
        """Notes when the driver has first heard of rendered frames."""

        def rendered(self, frames: int) -> None:
            super().rendered(frames)
            work.first = fleet.now if work.first is None else work.first

    console = FirstFrames(console=PlainConsole(quiet=True))
    spec = spec_of("/films/a.mp4", folder)
    made = render_film(job_of(spec), fleet=fleet, console=console)
    assert made.console.progress.done_frames == frames
    assert work.first is not None
    return work.first, work.before


def test_the_first_chunk_of_a_long_film_is_rendered_as_soon_as_that_of_a_short_one(tmp_path: Path) -> None:
    (short, few), (long, many) = (first_chunk(tmp_path / str(frames), frames) for frames in (20_000, 80_000))
    assert long == pytest.approx(short, abs=0.2)
    # Nobody is asked for more before it, either: the same ranges are searched, the same chunks split.
    assert few == many
