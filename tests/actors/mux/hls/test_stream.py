"""Review streams: that they grow with the finished prefix, hold every frame at its own time, and go on after an interruption. Read by a small reader of RFC 8216's, and by libav's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from actors.deliver.stitcher import WORD_EVERY, Stitcher
from actors.mux.hls.stream import LEAST_SECONDS, longest_fragment
from jobs.errors import BadStore
from jobs.plan.output_timing import Timing
from jobs.records.report import Conform
from jobs.spec.codecs import Codec, Container
from jobs.spec.formats import Deliverable
from jobs.store import FolderStore
from tests.actors.deliver.test_finisher import Run
from tests.actors.reels import Reel, dressed, numbers_and_times, reel, sound_of
from tests.films import Recipe

HLS = Deliverable(preset="ultrafast", crf=40, container=Container.HLS, name="view")


@dataclass
class Read:
    """A playlist as RFC 8216 describes it, with no word of the farm's code."""

    tags: dict[str, str]
    segments: list[tuple[float, Path]]

    @property
    def ended(self) -> bool:
        return "#EXT-X-ENDLIST" in self.tags

    @property
    def init(self) -> bytes:
        found = re.fullmatch(r'URI="([^"]+)"', self.tags["#EXT-X-MAP"])
        assert found
        return (self.segments[0][1].parent / found[1]).read_bytes()


def read(playlist: Path) -> Read:
    first, *lines = playlist.read_text().splitlines()
    assert first == "#EXTM3U"
    found, seconds = Read({}, []), 0.0
    for line in lines:
        name, _, value = line.partition(":")
        if name == "#EXTINF":
            seconds = float(value.partition(",")[0])
        elif name.startswith("#"):
            found.tags[name] = value
        else:
            found.segments.append((seconds, playlist.parent / line))
    assert found.tags["#EXT-X-PLAYLIST-TYPE"] == "EVENT"
    assert "#EXT-X-INDEPENDENT-SEGMENTS" in found.tags
    assert all(round(length) <= int(found.tags["#EXT-X-TARGETDURATION"]) for length, _ in found.segments)
    assert all(path.is_file() for _, path in found.segments)
    return found


def finished(made: Reel) -> Conform:
    """The deliverable through the finisher, all at once."""
    run = Run(made)
    run.page(made.records, whole=True)
    return run.finish()


def alone(read_: Read, place: int, path: Path) -> Path:
    """One segment, as a player fetches it that begins there."""
    path.write_bytes(read_.init + read_.segments[place][1].read_bytes())
    return path


@pytest.mark.parametrize(
    ("wish", "recipe"),
    [
        ({}, {"sound": "aac", "rate": Fraction(24000, 1001)}),
        ({"codec": Codec.HEVC, "preset": "veryfast"}, {"sound": "aac"}),
        ({"preset": "medium"}, {"sound": "flac"}),
    ],
    ids=["h264 with sound", "hevc", "with B-frames elsewhere"],
)
def test_every_frame_is_shown_once_at_its_own_time(tmp_path: Path, wish: Any, recipe: Any) -> None:
    source = Recipe(frames=250, size=(64, 48), **recipe).make(tmp_path / "a.mp4")
    made = reel(source, tmp_path, HLS.model_copy(update=wish), (100, 170))
    proof = finished(made)
    assert proof.findings == ()
    found = read(made.path)
    assert found.ended
    assert len(found.segments) >= 2
    assert sum(length for length, _ in found.segments) == pytest.approx(float(made.timing.seconds), abs=1e-5)
    wanted = [(number, made.timing.at(number)) for number in range(250)]
    whole = tmp_path / "whole.mp4"
    whole.write_bytes(found.init + b"".join(path.read_bytes() for _, path in found.segments))
    for film in (whole, made.path):  # the fragments in a row, and as libav reads a playlist
        assert numbers_and_times(film) == wanted
    if recipe.get("sound"):
        (start, heard), (wanted_start, played) = sound_of(whole)[0], sound_of(source)[0]
        assert (start, len(heard)) == (wanted_start, len(played))
        # The packet before time 0, into which the first one overlaps, has no place in a stream.
        assert np.abs(heard[2048:] - played[2048:]).max() < 0.01
    # Each segment can be begun with, and holds what the playlist says, on the film's clock.
    begin = 0
    for place, (length, _) in enumerate(found.segments):
        part = numbers_and_times(alone(found, place, tmp_path / "part.mp4"))
        assert part == wanted[begin : begin + len(part)]
        begin += len(part)
        assert length == pytest.approx(
            float(made.timing.at(begin) if begin < 250 else made.timing.seconds) - float(part[0][1]), abs=1e-6
        )
    assert (made.output / "view.sha256").read_text().count("  view/") == len(found.segments) + 2


def written(folder: Path) -> dict[str, int]:
    """When each file of a folder was written."""
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_it_grows_with_the_finished_prefix_and_an_interrupted_one_goes_on(tmp_path: Path) -> None:
    source = Recipe(frames=2 * WORD_EVERY + 100, size=(64, 48), sound="aac").make(tmp_path / "a.mp4")
    made = reel(source, tmp_path, HLS, (WORD_EVERY + 20, 2 * WORD_EVERY))
    playlist = made.path
    run = Run(made)
    run.page(made.records[:1])
    finishing = run.begun()
    assert next(finishing) == WORD_EVERY  # the rest is not on paper yet, and this much can be watched
    begun = read(playlist)
    assert not begun.ended
    shown = sum(length for length, _ in begun.segments)
    assert shown <= WORD_EVERY / 24 < shown + int(begun.tags["#EXT-X-TARGETDURATION"])
    assert "stream.m3u8" in made.path.with_name("index.html").read_text()
    before = written(made.path.parent)
    finishing.close()  # type: ignore[attr-defined]
    stray = made.path.parent / "00009-0123456789ab.m4s"
    stray.write_bytes(b"of a run that made other pictures")
    run.page(made.records[1:], whole=True)
    proof = run.finish()
    assert proof.findings == ()
    whole, after = read(playlist), written(made.path.parent)
    assert whole.ended
    assert whole.segments[: len(begun.segments)] == begun.segments
    assert [name for name in before if after[name] != before[name]] == ["stream.m3u8"]
    assert not stray.exists()
    assert (whole.tags, whole.segments) == ({**begun.tags, "#EXT-X-ENDLIST": ""}, whole.segments)


class Failing(FolderStore):
    """A folder whose disk is full when a certain fragment comes."""

    def write(self, key: str, data: bytes, *, only_if_absent: bool = False) -> bool:
        if "/00001-" in key:
            raise BadStore("the disk is full")
        return super().write(key, data, only_if_absent=only_if_absent)


def test_a_fragment_that_cannot_be_written_ends_it_and_nothing_names_it(tmp_path: Path) -> None:
    source = Recipe(frames=340, size=(64, 48)).make(tmp_path / "a.mp4")
    made = reel(source, tmp_path, HLS)
    stitcher = Stitcher(str(source), made.store, "job", str(made.output))
    stitcher.output = Failing(made.output)
    with pytest.raises(BadStore, match="the disk is full"):
        list(stitcher.stitch(made.film, made.plan, made.timing, made.records))
    left = read(made.path)
    assert [path.name[:6] for _, path in left.segments] == ["00000-"]
    assert not left.ended
    assert not list(made.path.parent.glob("00002-*"))


def test_a_film_with_pcm_two_sounds_and_chapters_is_not_refused(tmp_path: Path) -> None:
    pcm = dressed(
        Recipe(frames=30, sound="pcm_s16le").make(tmp_path / "pcm.mkv"),
        tmp_path / "a.mkv",
        subtitles="subrip",
        chapters=True,
    )
    made = reel(pcm, tmp_path, HLS)
    said = {(one.kind, one.codec): (one.fate, one.detail) for one in made.plan.fates}
    assert said["audio", "pcm_s16le"] == (
        "dropped",
        "browsers play aac, mp3, flac, opus from a review stream, and no pcm_s16le",
    )
    assert said["subtitle", "subrip"] == ("dropped", "a review stream holds the picture and one sound")
    assert said["chapters", ""] == ("dropped", "hls has no place for chapters")
    assert finished(made).findings == ()
    with av.open(str(made.path)) as media:
        assert [one.type for one in media.streams] == ["video"]


def cut(made: Reel) -> None:
    _, path = read(made.path).segments[-1]
    path.write_bytes(path.read_bytes()[:-50])


def lose(made: Reel) -> None:
    read(made.path).segments[0][1].unlink()


def forget_the_end(made: Reel) -> None:
    playlist = made.path
    playlist.write_text(playlist.read_text().replace("#EXT-X-ENDLIST\n", ""))


def name_another_place(made: Reel) -> None:
    made.path.write_text(made.path.read_text().replace("00000-", "../../00000-"))


def name_one_less(made: Reel) -> None:
    playlist = made.path
    playlist.write_text(re.sub(r"#EXTINF[^#]+(?=#EXT-X-ENDLIST)", "", playlist.read_text()))


@pytest.mark.parametrize(
    ("tamper", "finding"),
    [
        (cut, "frame"),
        (lose, "is missing"),
        (forget_the_end, "does not end"),
        (name_another_place, "it is no playlist of the farm's"),
        (name_one_less, "its playlist tells"),
    ],
)
def test_what_is_wrong_with_a_stream_is_found(tmp_path: Path, tamper: Callable[[Reel], None], finding: str) -> None:
    source = Recipe(frames=150, size=(64, 48)).make(tmp_path / "a.mp4")
    made = reel(source, tmp_path, HLS, (70,))
    facts = made.stitch()
    tamper(made)
    proof = made.inspect(facts)
    assert not proof.conforms
    assert any(finding in one for one in proof.findings), proof.findings


@pytest.mark.parametrize("held", [1, 24 * 60])
def test_no_fragment_is_longer_than_the_playlist_says(held: int) -> None:
    """Wherever keyframes fall, at most 48 frames apart; one frame may be held for a minute."""
    rng = np.random.default_rng(7)
    durations = np.ones(400, np.int64)
    durations[200] = held
    pts = np.cumsum(durations) - durations
    timing = Timing(pts, durations, Fraction(1, 24), Fraction(0), "own", None)
    target = longest_fragment(timing, 48)
    for _ in range(50):
        keys = np.cumsum(rng.integers(1, 49, 400))
        start = 0
        for key in keys[keys < 400]:
            if pts[key] - pts[start] >= LEAST_SECONDS * 24:
                assert (pts[key] - pts[start]) / 24 <= target
                start = int(key)
    assert target <= 7 if held == 1 else target >= 60
