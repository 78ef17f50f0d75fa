"""Planning on its own: from pages of an index to orders for the splitters. Promises the driver's real work, with a store in a folder; surveys nothing."""

import time
from collections.abc import Iterator
from typing import Any

from farm.fleet.calls import Call
from tests.bench.apart import Clock, Found
from tests.farm.inline import InlineFleet, rendered
from tests.farm.studio import spec_of
from tests.long_film import LongFilm

DAY = 2_000_000
"""Frames of a day of film, at 24 a second (2,073,600), as a round number."""


class PaperFleet(InlineFleet):
    """Every call is made of one long film; of each verb in `unmade` nothing is."""

    def __init__(self, film: LongFilm, *unmade: str) -> None:
        super().__init__()
        self.film = film
        self.unmade = unmade

    def _made_by(self, call: Call) -> Iterator[Any]:
        if call.method in self.unmade:
            return
        found = getattr(self.film, call.method)(*call.arguments)
        if isinstance(found, Iterator):
            yield from found
        elif found is not None:
            yield found


def plan_film(clock: Clock, folder: str, frames: int) -> Found:
    """Every page and every cut of a made-up film is learnt, and all its chunks are ordered from the splitters, who make none of them."""
    fleet = PaperFleet(LongFilm(frames), "split")
    with clock():
        began = time.process_time()
        film = rendered(spec_of("/films/a.mp4", folder), fleet)
        seconds = time.process_time() - began
    return {
        "frames": film.survey.plan.frames,
        "shots": film.survey.plan.shot_count,
        "chunks": len(film.chunks),
        "split": fleet.verbs()["split"],
        "planning_cpu_seconds": round(seconds, 2),
    }
