"""Advice of refusals: for every codec, container and kind of film, what is suggested is accepted; so no two refusals send anybody in a circle."""

import pickle
import re
import subprocess
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Literal

import pytest

from actors.mux.stream_plan import plan_deliverables
from actors.survey.surveyor import Surveyor
from jobs.errors import BadMedia
from jobs.film.source import Film
from jobs.spec.advice import SuggestedChange, UnfitDeliverable
from jobs.spec.codecs import CONTAINERS, PICTURES, Codec, Container, Drop
from jobs.spec.formats import Deliverable
from jobs.spec.job import JobSpec, Reading
from tests.actors.reels import spec_for

PICTURE = "testsrc2=s={size}:r={rate}:d=0.2,format={form}"
X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "0"]
LOSSLESS = ["-c:v", "ffv1"]
SOUND = ["-f", "lavfi", "-i", "sine=440:d=0.2"]
SOUNDS = ("aac", "libmp3lame", "ac3", "flac", "libopus", "pcm_s16le", "pcm_s24le", "pcm_f32le")
MANY = ["-ar", "48000", "-map", "0:v"] + [
    word for place, one in enumerate(SOUNDS) for word in ("-map", "1:a", f"-c:a:{place}", one)
]
CUES = "1\n00:00:00,000 --> 00:00:00,100\none\n"
CHAPTERS = ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=100\ntitle=one\n"

KINDS: dict[str, tuple[str, str, list[str]]] = {
    # Ending; size, rate and form of the picture; what else ffmpeg is told.
    "anamorphic": ("mkv", "180x144 25 yuv420p", [*X264, "-aspect", "16:9"]),
    "odd": ("mkv", "191x113 25 yuv444p", LOSSLESS),
    "odd with a font": (
        "mkv",
        "191x113 25 yuv444p",
        [*LOSSLESS, "-attach", "{font}", "-metadata:s:t", "mimetype=font/ttf"],
    ),
    "anamorphic with a font": (
        "mkv",
        "180x144 25 yuv420p",
        [*X264, "-aspect", "16:9", "-attach", "{font}", "-metadata:s:t", "mimetype=font/ttf"],
    ),
    "tiny": ("mkv", "16x16 25 yuv420p", X264),
    "narrow": ("mkv", "32x512 25 yuv420p", X264),
    "12 bit": ("mkv", "256x144 25 yuv444p12le", LOSSLESS),
    "16 bit": ("mkv", "256x144 25 yuv422p16le", LOSSLESS),
    "grey": ("mkv", "256x144 25 gray", LOSSLESS),
    "full range": ("mp4", "256x144 25 yuvj420p", X264),
    "hdr": ("mkv", "256x144 25 yuv420p10le", [*X264, "-color_primaries", "9", "-color_trc", "16", "-colorspace", "9"]),
    "hlg": ("mkv", "256x144 25 yuv420p10le", [*X264, "-color_primaries", "9", "-color_trc", "18", "-colorspace", "9"]),
    "odd rate": ("mp4", "256x144 12 yuv420p", X264),
    "odd rate and size": ("mkv", "191x113 12 yuv444p", LOSSLESS),
    "r'g'b'": ("mkv", "191x113 25 gbrp", LOSSLESS),
    "time code": ("mov", "256x144 25 yuv420p", [*X264, "-timecode", "01:00:00:00"]),
    "srt": ("mkv", "256x144 25 yuv420p", ["-i", "{srt}", *X264, "-c:s", "srt"]),
    "ass": ("mkv", "256x144 25 yuv420p", ["-i", "{srt}", *X264, "-c:s", "ass"]),
    "webvtt": ("mkv", "256x144 25 yuv420p", ["-i", "{srt}", *X264, "-c:s", "webvtt"]),
    "mov_text": ("mp4", "256x144 25 yuv420p", ["-i", "{srt}", *X264, "-c:s", "mov_text"]),
    "chapters": ("mkv", "256x144 25 yuv420p", ["-i", "{chapters}", *X264]),
    "chapters, odd": ("mkv", "191x113 25 yuv444p", ["-i", "{chapters}", *LOSSLESS]),
    "vorbis": ("mkv", "256x144 25 yuv420p", [*SOUND, *X264, "-c:a", "libvorbis"]),
    "many sounds": ("mkv", "256x144 25 yuv420p", [*SOUND, *X264, *MANY]),
    "pcm at 44.1 kHz, odd": ("mkv", "191x113 25 yuv444p", [*SOUND, *LOSSLESS, "-c:a", "pcm_s16le", "-ar", "44100"]),
    "two pictures": ("mkv", "256x144 25 yuv420p", [*X264, "-map", "0:v", "-map", "0:v"]),
    "alpha": ("mkv", "191x113 25 yuva444p", LOSSLESS),
}


def made(kind: str, folder: Path) -> Path:
    ending, picture, rest = KINDS[kind]
    size, rate, form = picture.split()
    files = {"font": ("a.ttf", "font"), "srt": ("a.srt", CUES), "chapters": ("a.ini", CHAPTERS)}
    for name, text in files.values():
        (folder / name).write_text(text)
    places = {key: folder / name for key, (name, _) in files.items()}
    path = folder / f"film.{ending}"
    source = ["-f", "lavfi", "-i", PICTURE.format(size=size, rate=rate, form=form)]
    words = [one.format(**places) for one in rest]
    subprocess.run(["ffmpeg", "-v", "error", *source, *words, "-y", str(path)], check=True)
    return path


def turned(path: Path) -> Path:
    """The film as a telephone holds it, upright only by its tag."""
    after = path.with_name("turned.mp4")
    words = ["-c", "copy", "-metadata:s:v", "rotate=90", str(after)]
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), *words], check=True)
    return after


WAYS = [
    (codec, container)
    for codec, containers in CONTAINERS.items()
    for container in ("auto", *containers)
    if container != "folder"
]


@cache
def film_of(source: str) -> Film:
    return Surveyor(source, reading=Reading(alpha=True)).film()


def refusal_of(source: Path, spec: JobSpec) -> UnfitDeliverable | None:
    try:
        plan_deliverables(film_of(str(source)), spec, str(source))
    except UnfitDeliverable as refusal:
        return refusal
    return None


def followed(source: Path, folder: Path, deliverable: Deliverable) -> UnfitDeliverable | None:
    """The refusal of a deliverable, each of whose changes was tried and accepted; None where it is not refused."""
    spec = spec_for(source, "store", folder, deliverable, Drop.NOTHING)
    if refusal := refusal_of(source, spec):
        assert refusal.ways, refusal
        for change in refusal.ways:
            changed = change.deliverable(deliverable)
            assert changed
            assert refusal_of(source, spec.model_copy(update={"deliverables": (changed,)})) is None
        # The sentence suggests what was tried, and nothing else.
        assert str(refusal).removeprefix(refusal.what) == str(UnfitDeliverable("", *refusal.ways))
        assert "set " not in refusal.what
    return refusal


@pytest.mark.parametrize("kind", [*KINDS, "turned"])
def test_every_suggestion_is_accepted(tmp_path: Path, kind: str) -> None:
    source = turned(made("full range", tmp_path)) if kind == "turned" else made(kind, tmp_path)
    refused = 0
    for codec, container in WAYS:
        one = Deliverable(codec=codec, container=Container(container), preset="ultrafast")
        refusal = followed(source, tmp_path, one)
        refused += refusal is not None
    if kind in ("odd", "narrow", "tiny", "odd with a font", "odd rate", "turned", "vorbis", "many sounds"):
        assert refused


@pytest.mark.parametrize("codec", [one for one in Codec if one not in PICTURES])
def test_settings_that_the_other_codec_lacks_are_left_out_of_it_and_said(tmp_path: Path, codec: Codec) -> None:
    source = made("odd", tmp_path)
    profile = {Codec.PRORES: "4444", Codec.DNXHR: "444"}.get(codec)
    depth: Literal[10] | None = 10 if codec in (Codec.H264, Codec.HEVC) else None
    for container in CONTAINERS[codec]:
        one = Deliverable(
            codec=codec, container=Container(container), profile=profile, depth=depth if container != "hls" else None
        )
        refusal = followed(source, tmp_path, one)
        for change in refusal.ways if refusal else ():
            for name, value in change.fields:
                assert re.search(rf"leave out .*\b{name}\b" if value is None else rf"{name}: {value}\b", str(refusal))


def test_what_is_refused_goes_through_a_fleet_as_it_is() -> None:
    refusal = UnfitDeliverable(
        "too odd", SuggestedChange.of(height=110), SuggestedChange().dropping(), otherwise="crop it"
    )
    again = pickle.loads(pickle.dumps(refusal))
    assert (str(again), again.ways) == (str(refusal), refusal.ways)
    assert str(refusal) == (
        "too odd: set height: 110 (--height 110), or set drop: unsupported (--drop unsupported), or crop it."
    )


def test_one_field_is_told_in_one_breath() -> None:
    assert str(UnfitDeliverable("no", *(SuggestedChange.of(container=one) for one in ("mov", "mkv")))) == (
        "no: set container: mov (--container mov) or container: mkv (--container mkv)."
    )
    assert str(
        SuggestedChange.to_codec(Deliverable(codec=Codec.PRORES, profile="hq", container=Container.MXF), Codec.FFV1)
    ) == ("set codec: ffv1 (--codec ffv1) and leave out container, profile")
    assert SuggestedChange.of(container="mov").deliverable(Deliverable(codec=Codec.FFV1)) is None
    assert SuggestedChange.of(rate=Fraction(1).numerator).deliverable(Deliverable()) is None


def test_an_alpha_channel_is_left_out_as_the_refusal_says(tmp_path: Path) -> None:
    source = made("alpha", tmp_path)
    with pytest.raises(BadMedia, match="drop: unsupported"):
        Surveyor(str(source)).film()
    spec = spec_for(source, "store", tmp_path, Deliverable(codec=Codec.FFV1), Drop.UNSUPPORTED)
    assert refusal_of(source, spec) is None
