"""What goes beside the picture, from the plan to the proof: further video with B-frames, cues that overlap, and the inspector's word on both."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from av.packet import Packet
from av.stream import Disposition
from av.subtitles.stream import SubtitleStream

from actors.mux.subtitles import HEADER, text_of
from jobs.errors import FilmFailed
from jobs.spec.codecs import Container, Drop
from jobs.spec.formats import Deliverable
from jobs.spec.job import Reading
from tests.actors.mux.test_stream_copy import SMALL, beside
from tests.actors.mux.test_stream_plan import with_attachment
from tests.actors.reels import Reel, reel
from tests.films import Recipe

CUES = ((100, 500, "sign"), (100, 500, "dialogue"), (300, 600, "long"))
FLAT = [(100, 200, "sign\ndialogue"), (300, 300, "sign\ndialogue\nlong"), (600, 300, "long")]


def view(container: str) -> Deliverable:
    return Deliverable(container=Container(container), preset="ultrafast", crf=30)


@pytest.mark.parametrize("container", ["mkv", "mp4", "mov"])
@pytest.mark.parametrize("picture", [0, 1])
def test_further_video_with_b_frames_comes_out_of_matroska(tmp_path: Path, container: str, picture: int) -> None:
    other = Recipe(frames=24, size=(96, 48), rate=Fraction(24))
    source = beside(SMALL.make(tmp_path / "one.mp4"), other.make(tmp_path / "two.mp4"), tmp_path / "a.mkv")
    with av.open(str(source)) as media:
        assert next(one.dts for one in media.demux(video=1 - picture)) is None
    made = reel(source, tmp_path, view(container), (9,), reading=Reading(video=picture))
    assert made.inspect(made.stitch()).findings == ()
    with av.open(str(made.path)) as media:
        assert [one.width for one in media.streams.video] == ([64, 96] if picture == 0 else [96, 64])
        # The picture is what a player shows, whichever stream of the source it was.
        assert [bool(one.disposition & Disposition.default) for one in media.streams.video] == [True, False]
        assert [one.time for one in media.decode(video=1)][-1] == pytest.approx(23 / 24, abs=1e-3)


def with_cues(folder: Path, codec: str) -> Path:
    """A film of a second with overlapping subtitles."""
    with av.open(str(SMALL.make(folder / "plain.mkv"))) as media, av.open(str(folder / "a.mkv"), "w") as out:
        copy = out.add_stream_from_template(media.streams.video[0], opaque=True)
        words = out.add_stream(codec)
        assert isinstance(words, SubtitleStream)
        words.codec_context.subtitle_header = HEADER
        packets: list[Any] = [one for one in media.demux(video=0) if one.size]
        for packet in packets:
            packet.stream = copy
        for place, (start, length, text) in enumerate(CUES):
            cue: Packet[Any] = Packet((f"{place},0,Default,,0,0,0,,{text}" if codec == "ass" else text).encode())
            cue.stream, cue.time_base, cue.duration = words, Fraction(1, 1000), length
            cue.pts = cue.dts = start
            packets.append(cue)
        for packet in packets:
            out.mux_one(packet)
    return folder / "a.mkv"


def shown(made: Reel, codec: str) -> list[tuple[int, int, str]]:
    """Start and length in milliseconds, and words, of every cue that shows something."""
    with av.open(str(made.path)) as media:
        return [
            (round((one.pts or 0) * one.time_base * 1000), round((one.duration or 0) * one.time_base * 1000), words)
            for one in media.demux(subtitles=0)
            if one.size and (words := text_of(bytes(one), codec))
        ]


@pytest.mark.parametrize("container", ["mp4", "mov"])
@pytest.mark.parametrize("codec", ["subrip", "ass"])
def test_cues_that_overlap_are_shown_as_a_player_shows_them(tmp_path: Path, codec: str, container: str) -> None:
    made = reel(with_cues(tmp_path, codec), tmp_path, view(container), (9,))
    assert "become one cue" in made.plan.fates[1].detail
    assert made.inspect(made.stitch()).findings == ()
    assert shown(made, "mov_text") == FLAT


def test_cues_that_overlap_stay_where_they_may(tmp_path: Path) -> None:
    made = reel(with_cues(tmp_path, "subrip"), tmp_path, view("mkv"), (9,))
    assert made.plan.fates[1].fate == "copied"
    assert made.inspect(made.stitch()).findings == ()
    assert shown(made, "subrip") == list(CUES)


def test_a_cue_that_is_shown_too_long_another_language_and_a_false_default_are_found(tmp_path: Path) -> None:
    two = beside(with_cues(tmp_path, "subrip"), SMALL.make(tmp_path / "two.mp4"), tmp_path / "b.mkv")
    made = reel(two, tmp_path, view("mkv"), (9,))
    facts = made.stitch()
    tampered = made.path.with_name("tampered.mkv")
    with av.open(str(made.path)) as media, av.open(str(tampered), "w") as out:
        copies = {one.index: out.add_stream_from_template(one, opaque=True) for one in media.streams}
        subtitle = media.streams.subtitles[0].index
        copies[subtitle].metadata["language"] = "fra"
        copies[media.streams.video[0].index].disposition = Disposition(0)
        copies[media.streams.video[1].index].disposition = Disposition.default
        for packet in (one for one in media.demux() if one.size):
            if packet.stream_index == subtitle:
                packet.duration = (packet.duration or 0) + 40
            packet.stream = copies[packet.stream_index]
            out.mux_one(packet)
    tampered.replace(made.path)
    findings = " ".join(made.inspect(facts).findings)
    assert "is not shown as long as the source's in its packet 0" in findings
    assert "is tagged with the language fra and not none" in findings
    assert "its being shown first is False and not True" in findings
    assert "(video) is shown first, in place of the picture" in findings


def test_what_libav_will_not_write_is_refused_with_a_way_out(tmp_path: Path) -> None:
    made = reel(with_attachment(tmp_path / "a.mkv"), tmp_path, view("mp4"), drop=Drop.UNSUPPORTED)
    fates = tuple(one.model_copy(update={"fate": "copied"}) if one.stream else one for one in made.plan.fates)
    made.plan = made.plan.model_copy(update={"fates": fates})
    with pytest.raises(FilmFailed, match=r"a.mp4 could not be written: .*leave its streams out with drop"):
        made.stitch()
