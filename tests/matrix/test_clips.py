"""Every real clip goes in and comes out through `none`: planes and times judged by a plain decode of both, not by the farm's own inspector."""

from pathlib import Path
from typing import Any

import pytest

from tests.actors.cutting import CLIPS, clip
from tests.farm.inline import rendered
from tests.farm.studio import spec_of
from tests.matrix.proof import in_milliseconds, shown

UNFIT: dict[str, dict[str, Any]] = {"nasa-multistream.mp4": {"drop": "unsupported"}}
"""Clips with streams that Matroska cannot hold: the user says what becomes of them."""

QUICK = {
    "audio-first.mp4": 185,
    "av1.mkv": None,
    "bt709-full-range.mp4": 30,
    "h264-10bit.mp4": 30,
    "hevc-10bit.mp4": 30,
    "nasa-multistream.mp4": 325,
    "no-duration.webm": None,
    "vfr-rotated.mp4": 25,
}
LONG = {
    "big-buck-bunny-30s.webm": 720,
    "chaplin.mp4": 241,
    "flower-ntsc.mp4": 150,
    "person-static-139s.mp4": 1394,
    "sintel-30s.mp4": 720,
    "smpte-timecode.mp4": 251,
    "tears-of-steel.webm": 1691,
}
"""Clips and their frames, where the folder's README tells them."""


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in LONG)])
def test_a_clip_comes_back(tmp_path: Path, name: str) -> None:
    source = clip(name)
    report = rendered(spec_of(source, tmp_path, chunk_seconds=1.5, **UNFIT.get(name, {}))).report()
    assert report.conforms
    film, made = shown(source), shown(tmp_path / "out/film.mkv")
    assert len(made.pictures) == report.frames == ((QUICK | LONG)[name] or len(film.pictures))
    assert made.pictures == film.pictures
    assert made.times == in_milliseconds(film.times)
    assert made.rotation == film.rotation
    assert made.aspect == film.aspect


def test_the_other_picture_of_a_clip_comes_back(tmp_path: Path) -> None:
    source = clip("nasa-multistream.mp4")
    report = rendered(spec_of(source, tmp_path, chunk_seconds=1.5, video=3, drop="unsupported")).report()
    film, made = shown(source, 3), shown(tmp_path / "out/film.mkv")
    assert report.conforms
    assert len(made.pictures) == report.frames == 390
    assert made.pictures == film.pictures
    assert made.times == in_milliseconds(film.times)


def test_no_clip_is_left_out() -> None:
    if not CLIPS.is_dir():
        pytest.skip(f"{CLIPS} is not on this machine")
    found = {path.name for path in CLIPS.iterdir() if path.suffix in (".mp4", ".mkv", ".webm")}
    assert found == {*QUICK, *LONG}
