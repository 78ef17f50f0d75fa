"""What was made of each shot, as it is put down, and in which words shots differ."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import BadSpec, BadStore
from jobs.film.timecode import FrameTimecodes
from jobs.ledger.ledger import Ledger
from jobs.ledger.render_history import NAME, ShotRendering, continuity, difference, over, put_down
from jobs.ledger.shot_locks import refuse_changes
from jobs.plan.plan import Look, Range, Support
from jobs.plan.shots import PlacedOverride
from jobs.plan.spans import PaintedFrame, Propagation
from jobs.spec.job import LookChoice


def look(name: str = "colorize", **fields: Any) -> Look:
    return Look(choice=LookChoice(name=name, settings=fields.pop("settings", {})), **fields)


def propagated(**fields: Any) -> Look:
    return look(propagation=Propagation(stills=(PaintedFrame(**{"frame": 50, "still": "ab", **fields}),)))


def made(
    start: int, stop: int, number: int = 1, *, of: Look | None = None, target: int = 50, source: str = ""
) -> ShotRendering:
    return ShotRendering(number, Range(start, stop), target, source, of or look())


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.at(str(tmp_path), "film")


def test_later_runs_take_the_place_of_earlier_ones_frame_by_frame(ledger: Ledger) -> None:
    first = [made(0, 10), made(10, 20, 2), made(20, 30, 3)]
    put_down(ledger, first, {})
    assert continuity(ledger).made == first
    # Another list of cuts: the second and third shots are one now, and the first was not made.
    put_down(ledger, [made(12, 30, 2, of=look("style", settings={"b": 1, "a": 2}))], {})
    found = continuity(ledger).made
    assert [(one.frames, one.look.title) for one in found] == [((0, 10), "colorize"), ((12, 30), "style")]
    before = continuity(ledger)
    put_down(ledger, found[1:], {})
    assert continuity(ledger) == before
    assert len(before.looks) == 2


@pytest.mark.parametrize("data", [b'{"version": 2}', b"", b"\x80\x00"])
def test_paper_that_cannot_be_read_is_not_taken_for_none(ledger: Ledger, data: bytes) -> None:
    ledger.store.write(ledger.key(NAME), data)
    with pytest.raises(BadStore, match="what locked shots are held to"):
        continuity(ledger)


def test_shots_that_hold_some_frames() -> None:
    shots = [made(0, 10), made(10, 20), made(30, 40)]
    wanted = {(0, 1): [0], (9, 11): [0, 1], (10, 20): [1], (20, 30): [], (19, 31): [1, 2], (40, 50): []}
    assert {frames: [shots.index(one) for one in over(shots, Range(*frames))] for frames in wanted} == wanted


MEMORY, CONTEXT = Support(warmup=5), Support(context=3)


@pytest.mark.parametrize(
    ("before", "now", "why"),
    [
        (made(0, 100), made(0, 100), ""),
        (made(0, 100), made(0, 100, of=look("style")), "look changed: colorize -> style"),
        (
            made(0, 100, of=look(settings={"saturation": 0.8, "strength": 1})),
            made(0, 100, of=look(settings={"saturation": 1.0, "strength": 1})),
            "settings changed: saturation 0.8 -> 1.0",
        ),
        (
            made(0, 100, of=look(weights=("a",))),
            made(0, 100, of=look(weights=("b",), version=2)),
            "weights of the look changed; version of the look changed: 1 -> 2",
        ),
        # Where its package lies is no matter: what it holds is among the weights.
        (
            made(0, 100, of=look(settings={"at": "/a"}, places=("at",))),
            made(0, 100, of=look(settings={"at": "/b"}, places=("at",))),
            "",
        ),
        (made(0, 100), made(0, 100, of=look(support=CONTEXT)), "the look's kind, or what it must see, changed"),
        (made(0, 100), made(0, 100, source="deinterlaced"), "the source is read otherwise"),
        (made(0, 100, of=propagated()), made(0, 100, of=propagated(still="cd")), "stills changed: frame 50"),
        (
            made(0, 100, of=propagated(strokes=True)),
            made(0, 100, of=propagated(strokes=True, spread=2)),
            "the way in which colour is propagated changed",
        ),
        # Without a memory neither chunks nor far edges matter, near ones do.
        (made(0, 100), made(20, 80, target=7), ""),
        (made(0, 100, of=look(support=CONTEXT)), made(37, 63, of=look(support=CONTEXT), target=7), ""),
        (
            made(0, 100, of=look(support=CONTEXT)),
            made(38, 100, of=look(support=CONTEXT)),
            "its edges changed: frames 0 to 99 -> 38 to 99",
        ),
        # With one, all of them do.
        (
            made(0, 100, of=look(support=MEMORY)),
            made(0, 99, of=look(support=MEMORY)),
            "its edges changed: frames 0 to 99 -> 0 to 98",
        ),
        (
            made(0, 100, of=look(support=MEMORY)),
            made(0, 100, of=look(support=MEMORY), target=7),
            "chunk_seconds changed, and its look has a memory",
        ),
    ],
)
def test_why_frames_40_to_59_are_others_now(before: ShotRendering, now: ShotRendering, why: str) -> None:
    assert difference(before, now, Range(40, 60)) == why


def test_a_lock_of_shots_holds_their_old_and_their_new_frames() -> None:
    names = FrameTimecodes(Fraction(24))
    lock = [PlacedOverride(None), PlacedOverride(None, locked=True, shots=(2, 2))]
    before = [made(0, 10), made(10, 20, 2), made(20, 30, 3)]
    renumbered = [made(0, 5), made(5, 10, 2), made(10, 20, 3), made(20, 30, 4)]
    refuse_changes(lock, before, renumbered, names)
    refuse_changes(lock, [], [made(0, 30, 2, of=look("style"))], names)
    for changed, frames in ((1, "5 to 9"), (2, "10 to 19")):
        now = [
            made(*one.frames, one.number, of=look("style" if n == changed else "colorize"))
            for n, one in enumerate(renumbered)
        ]
        with pytest.raises(BadSpec, match=rf"override 2: shot \d is locked and would change, frames {frames} "):
            refuse_changes(lock, before, now, names)
    free = [
        made(*one.frames, one.number, of=look("style" if n == 3 else "colorize")) for n, one in enumerate(renumbered)
    ]
    refuse_changes(lock, before, free, names)
