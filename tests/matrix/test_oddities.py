"""Films that no encoder's option makes: edited, cut, stripped. Each comes back as a player shows it, or is refused in one sentence before any work."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from jobs.errors import BadMedia
from tests.farm.inline import rendered
from tests.farm.studio import spec_of
from tests.films import Recipe, remux
from tests.matrix.edits import with_edits
from tests.matrix.proof import in_milliseconds, shown
from tests.matrix.table import HEVC, MPEG2, MPEG4, PRORES, VP8

FRAME = 512
"""Ticks of a frame in the files below: libav's mp4 counts 12800 a second at 25 frames."""

LONG = Recipe(frames=48, size=(64, 48), rate=Fraction(25), gop=8, b_frames=2)
INTRA = replace(LONG, gop=1, b_frames=0)
SHORT = replace(LONG, gop=4)
GROUPS = replace(LONG, gop=6, b_frames=0)

Edits = Sequence[tuple[int, int]]
"""Frames shown, and the frame of the medium (as it counts composition times) with which they begin; -1 is nothing."""

EDITED: dict[str, tuple[Recipe, str, Edits, list[int]]] = {
    "head-and-tail": (LONG, "e.mp4", [(20, 12)], [*range(10, 30)]),
    "tail": (LONG, "e.mp4", [(20, 2)], [*range(20)]),
    "late": (LONG, "e.mp4", [(25, -1), (30, 2)], [*range(30)]),
    "the-same-twice": (LONG, "e.mp4", [(20, 2), (20, 2)], [*range(20), *range(20)]),
    "short-groups": (GROUPS, "e.mp4", [(9, 3), (19, 17)], [*range(3, 12), *range(17, 36)]),
    "three-parts": (GROUPS, "e.mov", [(9, 3), (19, 17), (5, 2)], [*range(3, 12), *range(17, 36), *range(2, 7)]),
    "cut": (INTRA, "e.mp4", [(10, 0), (20, 22)], [*range(10), *range(22, 42)]),
    "cut-and-swapped": (INTRA, "e.mov", [(16, 26), (16, 2)], [*range(26, 42), *range(2, 18)]),
    "prores-cut": (replace(PRORES, rate=Fraction(25)), "e.mov", [(6, 0), (6, 8)], [*range(6), *range(8, 14)]),
}
"""Edit lists, and the numbers of the frames that they show."""


def edited(recipe: Recipe, path: Path, edits: Edits) -> Path:
    """The film with another edit list; the movie counts milliseconds."""
    return with_edits(recipe.make(path), [(40 * frames, -1 if start < 0 else start * FRAME) for frames, start in edits])


def comes_back(source: Path, folder: Path, numbers: list[int]) -> None:
    """Asserts that the farm gives back what a player shows: these very frames."""
    assert rendered(spec_of(source, folder, chunk_seconds=0.3)).report().conforms
    film, made = shown(source), shown(folder / "out/film.mkv")
    assert film.numbers == numbers
    assert made.pictures == film.pictures
    assert made.times == in_milliseconds(film.times)


def is_refused(source: Path, folder: Path, words: str) -> None:
    """Asserts one sentence, and that nothing was made."""
    with pytest.raises(BadMedia, match=words) as refusal:
        rendered(spec_of(source, folder, chunk_seconds=0.3))
    assert "\n" not in str(refusal.value)
    assert not (folder / "out/film.mkv").exists()
    assert not list(folder.glob("store/**/records/*"))


@pytest.mark.parametrize("name", EDITED)
def test_an_edit_list_is_applied(tmp_path: Path, name: str) -> None:
    recipe, file, edits, numbers = EDITED[name]
    comes_back(edited(recipe, tmp_path / file, edits), tmp_path, numbers)


@pytest.mark.parametrize(
    ("recipe", "edits"),
    [
        (LONG, [(10, 2), (20, 22)]),
        (LONG, [(10, 2), (30, 14)]),
        (LONG, [(16, 26), (16, 2)]),
        (replace(MPEG4, frames=48, gop=5), [(9, 3), (19, 17)]),
    ],
    ids=["cut", "short-cut", "swapped", "mpeg4"],
)
def test_edits_that_decode_over_one_another_are_refused(tmp_path: Path, recipe: Recipe, edits: Edits) -> None:
    is_refused(edited(recipe, tmp_path / "e.mp4", edits), tmp_path, "edit list joins parts")


def test_edits_with_a_short_lead_in_come_back(tmp_path: Path) -> None:
    source = edited(SHORT, tmp_path / "e.mp4", [(10, 2), (20, 24)])
    # A player loses the frame on the edge, because its packet comes again, hidden, at the same time.
    comes_back(source, tmp_path, [*range(10), *range(22, 42)])


def test_invisible_vp8_frames_are_no_frames(tmp_path: Path) -> None:
    unseen = {5, 9, 20}
    path = VP8.make(tmp_path / "whole.webm")

    def hide(place: int, data: bytes) -> bytes:
        return bytes([data[0] & ~0x10]) + data[1:] if place in unseen else data

    source = remux(path, tmp_path / "film.webm", change=hide)
    comes_back(source, tmp_path, [number for number in range(VP8.frames) if number not in unseen])


@pytest.mark.parametrize(
    ("recipe", "name", "lost", "words"),
    [
        (replace(LONG, open_gop=True), "h264.ts", 8, "before its first keyframe"),
        (replace(LONG, open_gop=True), "h264.mkv", 8, "before its first keyframe"),
        (LONG, "h264-middle.ts", 3, "before its first keyframe"),
        (replace(HEVC, open_gop=True), "hevc.ts", 8, "before its first keyframe"),
        (replace(HEVC, open_gop=True), "hevc.mkv", 8, "before its first keyframe"),
        (MPEG2, "mpeg2.ts", 4, "before its first keyframe"),
    ],
    ids=lambda one: one if isinstance(one, str) and "." in one else "",
)
def test_a_recording_that_begins_amid_a_group_is_refused(
    tmp_path: Path, recipe: Recipe, name: str, lost: int, words: str
) -> None:
    whole = recipe.make(tmp_path / f"whole-{name}")
    source = remux(whole, tmp_path / name, change=lambda place, data: b"" if place < lost else data)
    is_refused(source, tmp_path, words)


@pytest.mark.parametrize(
    ("recipe", "name", "words"),
    [
        (LONG, "h264-b.avi", "display times|without a time stamp"),
        # libav's own muxer writes no display times of H.264 into MXF.
        (LONG, "h264-b.mxf", "wrong display times"),
        # Several frames in one packet of the program stream, which has a time for the first alone.
        (LONG, "h264-b.mpg", "without a time stamp"),
        (replace(LONG, hidden=5), "negative.mkv", "without a time stamp"),
    ],
    ids=lambda one: one if isinstance(one, str) and "." in one else "",
)
def test_films_that_tell_too_little_are_refused(tmp_path: Path, recipe: Recipe, name: str, words: str) -> None:
    is_refused(recipe.make(tmp_path / name), tmp_path, words)
