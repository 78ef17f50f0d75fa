"""Films of any length: the driver's own work grows with a film, and not with the film's square. Counted in calls, not in seconds."""

from __future__ import annotations

import cProfile
from pathlib import Path
from typing import Any

import pytest

from farm.film.film_run import FilmRun
from tests.bench.apart import measured
from tests.bench.planning import DAY, PaperFleet, plan_film
from tests.farm.inline import rendered
from tests.farm.studio import spec_of
from tests.long_film import SHOT, LongFilm

GIB = 1 << 30


def calls_made(folder: Path, film: LongFilm, **fields: Any) -> tuple[int, FilmRun]:
    """How many calls of functions, Python's and C's, a real driver makes for all of a film."""
    spec = spec_of("/films/a.mp4", folder, **fields)
    with cProfile.Profile() as profile:
        made = rendered(spec, PaperFleet(film))
    return sum(one.callcount for one in profile.getstats()), made


@pytest.mark.parametrize(("gop", "shot"), [(48, SHOT), (1, 10**9)], ids=["many shots", "one shot of keyframes"])
def test_each_further_hour_costs_the_driver_as_much_as_the_one_before(tmp_path: Path, gop: int, shot: int) -> None:
    calls_made(tmp_path / "first", LongFilm(1000, gop, shot))  # what a process learns for good, it learns here
    # From one length to the next there are as many frames more; what is done once for each film is in all.
    lengths = (8_000, 16_000, 24_000)
    found = [calls_made(tmp_path / str(frames), LongFilm(frames, gop, shot)) for frames in lengths]
    for frames, (_, made) in zip(lengths, found, strict=True):
        done = (made.survey.plan.frames, len(list(made.lacking)), made.console.progress.done_frames)
        assert done == (frames, 0, frames)
    second, third = (found[place + 1][0] - found[place][0] for place in (0, 1))
    assert third < 1.02 * second


@pytest.mark.slow
def test_a_day_of_film_is_planned_within_a_minute_and_a_gib(tmp_path: Path) -> None:
    reading, found = measured(plan_film, folder=str(tmp_path), frames=DAY)
    assert found["frames"] == DAY
    assert found["split"] > 20_000
    # Of processor time: the disk's and the neighbours' are no part of the promise.
    assert reading.cpu < 60
    assert reading.peak < GIB
