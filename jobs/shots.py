"""From cuts to shots: the minimum length, and which look each shot gets. Pure; a finished prefix never changes; finds no cuts itself."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from jobs.errors import BadSpec
from jobs.plan import Look, Range, Shot
from jobs.spec import LookChoice, Override


def far_enough(cuts: Iterable[int], min_frames: int, start: int = 0) -> list[int]:
    """Cuts (first frames after a cut, ascending) less those closer than `min_frames` to the cut before, from the left."""
    kept: list[int] = []
    for cut in cuts:
        if cut - (kept[-1] if kept else start) >= min_frames:
            kept.append(cut)
    return kept


def ranges_between(cuts: Sequence[int], start: int, stop: int) -> list[Range]:
    """Frames [start, stop) divided at the cuts within it."""
    edges = [start, *(cut for cut in cuts if start < cut < stop), stop]
    return [Range(a, b) for a, b in pairwise(edges) if a < b]


def dressed(
    number: int, frames: Range, base: LookChoice, overrides: Sequence[Override], fit: Callable[[LookChoice], Look]
) -> Iterator[Shot]:
    """One shot with its look: as one Shot, or as several where an override takes only some of its frames.

    The last override that names a frame wins. `fit` turns a choice into a look with its needs (the room of looks).
    """
    inner = sorted(
        {edge for one in overrides if one.frames for edge in one.frames if frames.start < edge < frames.stop}
    )
    for part in ranges_between(inner, frames.start, frames.stop):
        choice = base
        for one in overrides:
            if _covers(one, number, part):
                choice = one.look
        yield Shot(number, part, fit(choice))


def refuse_idle_overrides(overrides: Sequence[Override], shots: int, frames: int) -> None:
    """Raises BadSpec for an override of shots or frames that a film of so many does not have."""
    for place, one in enumerate(overrides):
        if one.frames and one.frames[0] >= frames:
            raise BadSpec(f"overrides.{place}.frames = {list(one.frames)}: the film has frames 0 to {frames - 1}.")
        if one.shots and one.shot_numbers()[0] > shots:
            raise BadSpec(
                f"overrides.{place}.shots = '{one.shots}': the film has shots 1 to {shots}; see them with `farm plan`."
            )


def _covers(override: Override, number: int, part: Range) -> bool:
    if override.frames:
        return override.frames[0] <= part.start and part.stop <= override.frames[1]
    first, last = override.shot_numbers()
    return first <= number <= last
