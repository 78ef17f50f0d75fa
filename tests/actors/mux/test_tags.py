"""Tags and languages: what is kept in every container, and what is lost is said before."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from actors.mux.tags import language_in, same_language, unsaid_of_track, wants_keys
from jobs.spec.codecs import Container, Wrapping
from jobs.spec.formats import Deliverable
from tests.actors.reels import reel
from tests.films import Recipe

LANGUAGES = ("deu", "ger", "fra", "fre", "eng", "zho", "nld", "ces")


@pytest.mark.parametrize(
    ("container", "language", "written"),
    [
        *(("mp4", one, one) for one in (*LANGUAGES, "xyz")),
        *(("mkv", one, one) for one in (*LANGUAGES, "xyz", "de-CH")),
        *(("mov", one, one) for one in ("ger", "fra", "eng", "ces")),
        ("mov", "deu", "ger"),
        ("mov", "fre", "fra"),
        ("mov", "zho", "chi"),
        ("mov", "nld", "dut"),
        ("mov", "xyz", ""),
        ("mov", "", ""),
        ("mp4", "de-CH", ""),
    ],
)
def test_the_code_that_a_container_has_for_a_language(container: Wrapping, language: str, written: str) -> None:
    assert language_in(container, language) == written


def test_two_codes_of_one_language() -> None:
    assert same_language("deu", "ger")
    assert same_language("ger", "deu")
    assert same_language("und", "")
    assert not same_language("deu", "")
    assert not same_language("deu", "dut")


def test_what_a_track_cannot_say() -> None:
    tags = {"language": "xyz", "SCANNER": "ARRI", "title": "t", "handler_name": "VideoHandler", "DURATION": "1"}
    assert (
        unsaid_of_track("mov", tags) == "mov has no place for a track's SCANNER; mov has no word for the language xyz"
    )
    assert unsaid_of_track("mp4", tags) == "mp4 has no place for a track's SCANNER"
    assert unsaid_of_track("mkv", tags) == ""


def test_keys_are_for_films_that_need_them() -> None:
    plain = {"title": "t", "comment": "c", "creation_time": "2020-01-01T00:00:00Z"}
    for container in ("mp4", "mov"):
        assert not wants_keys(container, plain)
        assert wants_keys(container, {**plain, "reel_name": "A001"})
    assert not wants_keys("mkv", {"reel_name": "A001"})


def tagged(folder: Path) -> Path:
    """A film with tags of all kinds, and a sound for each of three languages."""
    plain = Recipe(frames=8, size=(64, 48), rate=Fraction(24), sound="pcm_s16le").make(folder / "plain.mkv")
    with av.open(str(plain)) as media, av.open(str(folder / "a.mkv"), "w") as out:
        copy = out.add_stream_from_template(media.streams.video[0], opaque=True)
        sounds = [out.add_stream_from_template(media.streams.audio[0], opaque=True) for _ in range(3)]
        out.metadata.update({"title": "T", "DIRECTOR": "Jane", "reel_name": "A001"})
        copy.metadata.update({"title": "pic", "language": "deu", "SCANNER": "ARRI"})
        for sound, language in zip(sounds, ("deu", "fra", "xyz"), strict=True):
            sound.metadata["language"] = language
        for packet in (one for one in media.demux() if one.size):
            targets: list[Any] = [copy] if packet.stream.type == "video" else sounds
            for target in targets:
                packet.stream = target
                out.mux_one(packet)
    return folder / "a.mkv"


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv"])
def test_tags_and_languages_are_kept_or_what_is_lost_is_said(tmp_path: Path, container: str) -> None:
    one = Deliverable(container=Container(container), preset="ultrafast", crf=30)
    made = reel(tagged(tmp_path), tmp_path, one)
    assert made.inspect(made.stitch()).findings == ()
    with av.open(str(made.path)) as media:
        words = {name.lower(): value for name, value in media.metadata.items()}
        spoken = [stream.language for stream in media.streams]
        shown = [bool(stream.disposition & av.stream.Disposition.default) for stream in media.streams.video]
    assert (words["title"], words["director"], words["reel_name"]) == ("T", "Jane", "A001")
    assert shown == [True]
    german, unknown = ("ger", None) if container == "mov" else ("deu", "xyz")
    assert spoken == [german, german, "fra", unknown]
    assert ("SCANNER" in made.plan.fates[0].detail) == (container != "mkv")
    assert ("no word for the language xyz" in made.plan.fates[3].detail) == (container == "mov")
