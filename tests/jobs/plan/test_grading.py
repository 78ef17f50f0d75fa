"""Controls by shot and by frame: what each frame gets, and that a chunk knows nothing of what is done elsewhere."""

from typing import Any

import pytest

from jobs.film.timecode import FrameTimecodes
from jobs.plan.grading import Grading
from jobs.plan.plan import Look, Plan, Range, Shot
from jobs.plan.shots import grading_of, placed
from jobs.spec.controls import Controls
from jobs.spec.job import LookChoice, Override
from tests.farm.studio import spec_of
from tests.paper import film_of, picture_of

NAMES = FrameTimecodes.of(film_of(picture_of("yuv420p")))
LOOK = Look(choice=LookChoice(name="colorize"), keeps="luma")
SHOT = Shot(1, Range(0, 100), LOOK)


def graded(*overrides: dict[str, Any], **controls: Any) -> Grading | None:
    """Of a shot whose end may not be known yet."""
    over = placed([Override.model_validate(one) for one in overrides], NAMES, 1000)
    return grading_of(SHOT, spec_of("/films/a.mp4", "/work", controls=controls), over, NAMES)


def settled(*overrides: dict[str, Any], **controls: Any) -> Grading | None:
    return SHOT.graded(graded(*overrides, **controls)).settled.look.grading


def saturation(found: Grading | None, frame: int) -> float:
    return found.at(frame).saturation if found else 1.0


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"frames": [40, 60], "ramp": 3}, {39: 1.0, 40: 1.25, 42: 1.75, 43: 2.0, 56: 2.0, 57: 1.75, 59: 1.25, 60: 1.0}),
        ({"frames": [40, 60], "ramp": 0}, {39: 1.0, 40: 2.0, 59: 2.0, 60: 1.0}),
        ({"frames": [0, 60], "ramp": 3}, {0: 2.0, 56: 2.0, 57: 1.75}),
        ({"frames": [40, 100], "ramp": 3}, {40: 1.25, 99: 2.0}),
        ({"frames": [40, 101], "ramp": 3}, {40: 1.25, 99: 2.0}),
        ({"shots": 1}, {0: 2.0, 99: 2.0}),
        ({"shots": 2}, {0: 1.0, 99: 1.0}),
    ],
    ids=["ramps", "at once", "from the cut", "to the cut", "beyond the cut", "its shot", "another shot"],
)
def test_a_range_ramps_inside_its_shot_and_not_at_a_cut(fields: dict[str, Any], expected: dict[int, float]) -> None:
    found = settled({**fields, "controls": {"saturation": 2.0}})
    assert {frame: saturation(found, frame) for frame in expected} == expected


def test_what_is_not_named_stays_as_the_films() -> None:
    found = settled({"shots": 1, "controls": {"hue": {"skin": {"shift": 5}}}}, warmth=0.5, hue={"red": {"shift": 9}})
    assert found is not None
    assert found.at(3).warmth == 0.5
    assert found.at(3).hue[:2] == ((9.0, 1.0), (5.0, 1.0))


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ({"frames": [20, 80], "ramp": 6, "controls": {"saturation": 0.5}},),
        ({"frames": [20, 500], "ramp": 6, "controls": {"saturation": 0.5}}, {"shots": 1, "controls": {"warmth": 0.25}}),
        ({"shots": 1, "controls": {"strength": 0.5}}, {"frames": [50, 60], "controls": {"strength": 1.0}}),
    ],
)
def test_a_chunk_has_its_frames_controls_however_much_of_the_shot_is_known(
    overrides: tuple[dict[str, Any], ...],
) -> None:
    raw = graded(*overrides, saturation=1.5)
    assert raw is not None
    whole = SHOT.graded(raw).settled
    known = Plan(10)
    for stop in range(10, 100, 7):
        known.grow([], Shot(1, Range(0, stop), LOOK).graded(raw))
    known.grow([whole])
    at_once = Plan(10)
    at_once.grow([whole])
    assert [chunk.look.named() for chunk in known.chunks] == [chunk.look.named() for chunk in at_once.chunks]
    for chunk in at_once.chunks:
        for frame in range(*chunk.core):
            assert saturation(chunk.look.grading, frame) == pytest.approx(
                saturation(raw.over(SHOT.frames, SHOT.frames), frame)
            )


def test_a_chunk_is_named_by_its_own_frames_controls_alone() -> None:
    def names(stop: int) -> list[object]:
        plan = Plan(10)
        found = graded({"frames": [20, stop], "ramp": 4, "controls": {"saturation": 0.5}})
        plan.grow([SHOT.graded(found).settled])
        return [chunk.look.named() for chunk in plan.chunks]

    one, other = names(60), names(80)
    assert [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b] == [5, 6, 7]
    assert one[0] == LOOK.named()


@pytest.mark.parametrize(
    ("overrides", "controls"),
    [
        ((), {"saturation": 1.0, "strength": 1.0, "warmth": 0.0, "hue": {"red": {}}}),
        (({"shots": 1, "controls": {"saturation": 1.0}}, {"frames": [3, 9], "controls": {}}), {}),
        (({"frames": [200, 300], "controls": {"saturation": 2.0}},), {}),
    ],
)
def test_what_changes_nothing_is_in_no_digest(overrides: tuple[dict[str, Any], ...], controls: dict[str, Any]) -> None:
    assert SHOT.graded(graded(*overrides, **controls)).settled.look.named() == LOOK.named()


def test_controls_are_in_no_guides_name_and_a_look_keeps_no_more_than_it_does() -> None:
    look = LOOK.graded(Grading(controls=Controls(saturation=2)))
    assert (look.of_anchors, look.keeps) == (LOOK.of_anchors, "luma")
    untouched = LOOK.model_copy(update={"keeps": "all"})
    assert untouched.graded(Grading(gamut="report")).keeps == "all"
    assert untouched.graded(Grading(gamut="hold")).keeps == "luma"


@pytest.mark.parametrize(("gamut", "newer"), [("hold", True), ("clip", True), ("report", False), ("", False)])
def test_only_where_the_gamut_is_kept_its_version_counts(gamut: Any, newer: bool) -> None:
    named = Grading(controls=Controls(saturation=2.0), gamut=gamut).named()
    assert ("gamut_version" in named) == newer
