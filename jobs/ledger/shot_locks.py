"""Locked shots: refuses, before any work, a plan that would change one."""

from collections.abc import Iterator, Sequence

from jobs.errors import BadSpec
from jobs.film.timecode import FrameTimecodes
from jobs.ledger.render_history import ShotRendering, difference, over
from jobs.plan.plan import Range
from jobs.plan.shots import PlacedOverride


def refuse_changes(
    overrides: Sequence[PlacedOverride],
    before: Sequence[ShotRendering],
    now: Sequence[ShotRendering],
    names: FrameTimecodes,
) -> None:
    """Raises BadSpec where `now`, all shots of the plan, would change what runs `before` have made of locked frames.

    A lock's shot numbers are those of the plan as well as those of the earlier runs: another list of cuts unlocks nothing.
    """
    for place, lock in enumerate(overrides):
        for frames in _locked(lock, [*before, *now]) if lock.locked else ():
            for was in over(before, frames):
                for one in over(now, _both(frames, was.frames)):
                    kept = _both(_both(frames, was.frames), one.frames)
                    if why := difference(was, one, kept):
                        raise BadSpec(
                            f"override {place + 1}: shot {was.number} is locked and would change, "
                            f"{names.spoken(kept.start, kept.stop - 1)}: {why}. Undo that change, or remove the lock."
                        )


def _locked(lock: PlacedOverride, shots: Sequence[ShotRendering]) -> Iterator[Range]:
    if lock.frames:
        yield lock.frames
    for one in shots if lock.shots else ():
        if lock.covers(one.number, one.frames):
            yield one.frames


def _both(one: Range, other: Range) -> Range:
    return Range(max(one.start, other.start), min(one.stop, other.stop))
