"""What the tests of survey, split and read share: a film's index, and orders for parts of it. Tests nothing."""

import random
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest

from actors.survey.surveyor import Surveyor
from jobs.film.frame_index import FrameIndex
from jobs.film.source import Film
from jobs.plan.plan import Chunk, Look, Range
from jobs.records.orders import SplitOrder, split_order
from jobs.spec.job import LookChoice

CLIPS = Path(__file__).parents[2].parent / "shared" / "media"
"""Real footage, beside the project and not part of it."""


def clip(name: str) -> Path:
    """A real clip; skips the test where it is not there."""
    path = CLIPS / name
    if not path.is_file():
        pytest.skip(f"{path} is not on this machine")
    return path


def surveyed(path: Path) -> tuple[Film, FrameIndex]:
    """A film and its whole index."""
    surveyor = Surveyor(str(path))
    return surveyor.film(), FrameIndex(list(surveyor.pages()), complete=True)


def order_of(
    film: Film, index: FrameIndex, read: Range, number: int = 1, form: Literal["packets", "ffv1"] | None = None
) -> SplitOrder:
    """The order for one read, in the form that the plan chooses, or in `form`."""
    look = Look(choice=LookChoice(name="none"))
    chunk = Chunk(number, 1, core=read, shown=read, read=read, seam=False, dissolve=0, tail=0, look=look)
    order = split_order(film, chunk, index.span(*read))
    return order if form is None else order.model_copy(update={"form": form})


def random_reads(frames: int, parts: int, seed: int) -> list[Range]:
    """Reads that tile the film at random boundaries, each with 0 to 5 frames of handles on either side."""
    some = random.Random(seed)
    edges = [0, *sorted(some.sample(range(1, frames), min(parts, frames) - 1)), frames]
    return [
        Range(max(0, start - some.randint(0, 5)), min(frames, stop + some.randint(0, 5)))
        for start, stop in pairwise(edges)
    ]
