"""What refusals advise, done: each film is refused, the command in the sentence is run on it, and what comes of it is taken, every frame in its place."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from jobs.errors import BadMedia
from tests.actors.advised import ffmpeg, followed
from tests.actors.cutting import surveyed
from tests.films import Recipe, read_number
from tests.matrix.edits import with_edits

H264 = Recipe(frames=24, size=(96, 64), gop=8, rate=Fraction(25), b_frames=2)
MPEG2 = replace(H264, codec="mpeg2video")
HOURS = 120 * 3600 * 25

Make = Callable[[Path], Path]


def sounding(recipe: Recipe, path: Path) -> Path:
    """A program stream with a second stream, of sound."""
    silent = recipe.make(path.with_name(f"silent-{path.name}"))
    tone = f"sine=440:r=48000:d={float(recipe.frames / recipe.rate)}"
    ffmpeg("-i", str(silent), "-f", "lavfi", "-i", tone, "-c:v", "copy", "-c:a", "mp2", "-f", "vob", str(path))
    return path


def end_to_end(name: str, *recipes: Recipe, make: Callable[[Recipe, Path], Path] = Recipe.make) -> Make:
    """Films of which one is the continuation of the other's bytes, as `cat` joins them."""

    def joined(folder: Path) -> Path:
        parts = [make(one, folder / f"{number}-{name}") for number, one in enumerate(recipes)]
        (folder / name).write_bytes(b"".join(part.read_bytes() for part in parts))
        return folder / name

    return joined


def through(form: str, *words: str) -> Make:
    """A film that the program `ffmpeg` has made otherwise."""

    def changed(folder: Path) -> Path:
        ffmpeg("-i", str(replace(H264, b_frames=0).make(folder / "as-made.mkv")), *words, str(folder / form))
        return folder / form

    return changed


def edited(folder: Path) -> Path:
    return with_edits(replace(H264, gop=12).make(folder / "film.mp4"), [(400, 1024), (320, 6 * 512)])


ALL = [*range(24)]
TWICE = [*ALL, *range(20)]
LONGER = replace(MPEG2, frames=300)
REFUSED: Mapping[str, tuple[Make, str, list[int]]] = {
    "joined VOB cells": (end_to_end("film.vob", MPEG2, replace(MPEG2, frames=20), make=sounding), "joined", TWICE),
    "joined long VOB cells": (
        end_to_end("film.vob", LONGER, LONGER, make=sounding),
        "joined",
        [*range(300), *range(300)],
    ),
    "joined program streams": (end_to_end("film.mpg", MPEG2, replace(MPEG2, frames=20)), "joined", TWICE),
    "joined between two stamps": (
        end_to_end("film.ts", replace(H264, times=lambda number: 2 * number, rate=Fraction(50)), H264),
        "joined",
        [*ALL, *ALL],
    ),
    "an earlier recording behind a later one": (
        end_to_end("film.ts", replace(H264, start=500, frames=48), replace(H264, frames=20)),
        "jump back",
        [*range(48), *range(20)],
    ),
    "AVI with B-frames": (lambda folder: H264.make(folder / "film.avi"), "display times", ALL),
    "MXF with B-frames": (lambda folder: H264.make(folder / "film.mxf"), "display times", ALL),
    "one stamp for several frames": (lambda folder: H264.make(folder / "film.mpg"), "without a time stamp", ALL),
    "negative stamps": (
        lambda folder: replace(H264, hidden=5).make(folder / "film.mkv"),
        "without a time stamp",
        ALL,
    ),
    "a stamp days later": (
        lambda folder: replace(H264, b_frames=0, times=lambda number: number + HOURS * (number >= 20)).make(
            folder / "film.mkv"
        ),
        "lasts 120 hours",
        ALL,
    ),
    "edits inside groups": (edited, "edit list joins", []),
    "pixels of 8 bits": (through("film.nut", "-c:v", "rawvideo", "-pix_fmt", "rgb8"), "in the form rgb8", ALL),
    "pixels of 1 bit": (through("film.mkv", "-c:v", "png", "-pix_fmt", "monob"), "in the form monob", []),
    "XYZ": (through("film.nut", "-c:v", "rawvideo", "-pix_fmt", "xyz12le"), "in the form xyz12le", ALL),
    "SMPTE 240M": (
        through("film.mp4", "-c:v", "libx264", "-x264-params", "colormatrix=smpte240m"),
        "matrix 7 of H.273",
        ALL,
    ),
}
"""Films, what is said of them, and the numbers that frames carry afterwards; none where these say too little."""


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_refusal_advises_helps_on_that_very_film(tmp_path: Path, name: str) -> None:
    make, words, numbers = REFUSED[name]
    film = make(tmp_path)
    with pytest.raises(BadMedia, match=words) as refusal:
        surveyed(film)
    assert "\n" not in str(refusal.value)
    made = followed(str(refusal.value), film, tmp_path / "new.mkv")
    assert surveyed(made)[1].frames == (len(numbers) or len(found_in(made)))
    assert not numbers or found_in(made) == numbers


def found_in(film: Path) -> list[int]:
    """The number that each frame carries, as PyAV decodes the film."""
    with av.open(str(film)) as media:
        return [read_number(frame) for frame in media.decode(video=0)]


def test_joined_cells_keep_their_sound_in_step(tmp_path: Path) -> None:
    make, _, numbers = REFUSED["joined long VOB cells"]
    film = make(tmp_path)
    with pytest.raises(BadMedia) as refusal:
        surveyed(film)
    made = followed(str(refusal.value), film, tmp_path / "new.mkv")
    with av.open(str(made)) as media:
        ends = max(float(packet.pts * packet.time_base) for packet in media.demux(audio=0) if packet.pts is not None)
    assert abs(ends - len(numbers) / 25) < 0.1
