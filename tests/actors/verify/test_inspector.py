"""The inspector: that every way in which a deliverable can be wrong is found, and named by frame."""

import hashlib
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from av.packet import Packet
from av.video.stream import VideoStream

from jobs.ledger.ledger import Ledger
from jobs.plan.output_timing import Timing
from jobs.records.report import Conform
from jobs.spec.codecs import Codec, Container
from jobs.spec.formats import Deliverable
from tests.actors.reels import Reel, dressed, keep_segment, reel
from tests.films import Recipe

EDGES = (7, 20)
MP4 = Deliverable(preset="ultrafast", crf=20, container=Container.MP4)
FFV1 = Deliverable(codec=Codec.FFV1)


@pytest.fixture
def made(tmp_path: Path) -> Reel:
    """A film of 40 frames with sound, in three segments without B-frames, stitched into mp4."""
    return reel(Recipe(frames=40, sound="aac").make(tmp_path / "a.mp4"), tmp_path, MP4, EDGES)


def inspect_after(made: Reel, tamper: Callable[[Any], None], rotate: int = 0) -> Conform:
    """Stitch, rewrite the deliverable with its packets tampered with, and inspect it as if it were the stitched one."""
    facts = made.stitch()
    path = made.path.with_name("tampered.mp4")
    with av.open(str(made.path)) as media, av.open(str(path), "w") as out:
        copies = {one.index: out.add_stream_from_template(one, opaque=True) for one in media.streams}
        picture = copies[0]
        assert isinstance(picture, VideoStream)
        picture.codec_context.framerate = made.film.picture.rate
        picture.codec_context.sample_aspect_ratio = Fraction(1)
        if rotate:
            picture.set_display_rotation(rotate)
        packets = [one for one in media.demux() if one.size]
        tamper(packets)
        for packet in packets:
            packet.stream = copies[packet.stream_index]
            out.mux_one(packet)
    path.replace(made.path)
    return made.inspect(facts)


def pictures(packets: Any) -> list[int]:
    """Places of the picture's packets in the list."""
    return [place for place, one in enumerate(packets) if one.stream_index == 0]


def nothing(packets: Any) -> None:
    pass


def lose_a_frame(packets: Any) -> None:
    del packets[pictures(packets)[13]]


def swap_two_frames(packets: Any) -> None:
    a, b = pictures(packets)[9], pictures(packets)[10]
    one, other = packets[a], packets[b]
    one.pts, one.dts, other.pts, other.dts = other.pts, other.dts, one.pts, one.dts
    packets[a], packets[b] = other, one


def show_one_late(packets: Any) -> None:
    packets[pictures(packets)[11]].pts += 1


def lose_sound(packets: Any) -> None:
    del packets[[place for place, one in enumerate(packets) if one.stream_index == 1][5]]


def delay_sound(packets: Any) -> None:
    for packet in packets:
        if packet.stream_index == 1 and packet.pts > 4096:
            packet.pts += 480
            packet.dts += 480


def other_sound(packets: Any) -> None:
    place = next(place for place, one in enumerate(packets) if one.stream_index == 1 and one.pts > 9000)
    twin = Packet(bytes(packets[place])[:-1] + b"\x55")
    old = packets[place]
    twin.pts, twin.dts, twin.duration, twin.time_base, twin.stream = (
        old.pts,
        old.dts,
        old.duration,
        old.time_base,
        old.stream,
    )
    packets[place] = twin


def test_rewriting_alone_is_no_finding(made: Reel) -> None:
    proof = inspect_after(made, nothing)
    assert proof.findings == ()
    assert proof.packets == 80
    data = made.path.read_bytes()
    assert (proof.bytes, proof.sha256) == (len(data), hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (lose_a_frame, "the picture has 39 frames and the film has 40"),
        (lose_a_frame, "frame 13 is shown at"),
        (swap_two_frames, "not those of the segments, in their order"),
        (show_one_late, "frame 11 is shown at"),
        (lose_sound, "79 packets and the source's has 80"),
        (delay_sound, r"\+10.000 ms off from its packet 6 on"),
        (other_sound, "does not hold the source's bytes"),
    ],
)
def test_every_packet_is_watched(made: Reel, tamper: Callable[[Any], None], said: str) -> None:
    proof = inspect_after(made, tamper)
    assert not proof.conforms
    assert any(re.search(said, one) for one in proof.findings), proof.findings


def test_a_rotation_of_its_own_is_found(made: Reel) -> None:
    proof = inspect_after(made, nothing, rotate=180)
    assert "frame 0 is turned by 180 degrees and the film by 0" in proof.findings


def test_a_missing_or_torn_file_is_a_finding_not_an_error(made: Reel) -> None:
    facts = made.stitch()
    data = made.path.read_bytes()
    made.path.write_bytes(data[: len(data) // 2])
    assert not made.inspect(facts).conforms
    made.path.unlink()
    proof = made.inspect(facts)
    (finding,) = proof.findings
    assert finding.startswith("there is no a.mp4 in ")
    assert (proof.bytes, proof.sha256) == (0, "")


def test_pictures_of_another_segment_are_found_at_the_edge(made: Reel) -> None:
    # A stitcher that took the wrong object would give matching sums; the decoded pictures give it away.
    facts = made.stitch()
    encoding, core = made.plan.encoding, made.records[1].frames
    frames = [Recipe(frames=1).frame(100 + n) for n in range(core.frames)]
    folder = made.output.parent
    made.records[1] = keep_segment(Ledger.at(made.store, "job"), encoding, core, frames, folder)
    proof = made.inspect(facts)
    assert proof.findings == (
        "frame 7 is another picture than in its segment",
        "frame 19 is another picture than in its segment",
    )


@pytest.mark.parametrize("deliverable", [MP4, FFV1], ids=["mp4", "mkv"])
def test_times_are_held_against_the_paper(tmp_path: Path, deliverable: Deliverable) -> None:
    made = reel(Recipe(frames=40).make(tmp_path / "a.mp4"), tmp_path, deliverable, EDGES)
    facts = made.stitch()
    old = made.timing
    pts = old.pts.copy()
    pts[31:] += 1
    made.timing = Timing(pts, old.durations, old.time_base, old.origin, old.rule, old.rate)
    (first, *_) = made.inspect(facts).findings
    assert first.startswith("frame 31 is shown at ")


def test_tags_are_held_against_the_paper(made: Reel) -> None:
    facts = made.stitch()
    colour = made.plan.encoding.colour.model_copy(update={"full_range": True, "space": 9})
    update = {"colour": colour, "width": 640, "pix_fmt": "yuv444p", "codec": Codec.FFV1, "aspect": Fraction(2)}
    made.plan = made.plan.model_copy(update={"encoding": made.plan.encoding.model_copy(update=update)})
    findings = " ".join(made.inspect(facts).findings)
    for name in (
        "codec is h264",
        "size is 192x112",
        "pixel format is yuv420p",
        "matrix is",
        "range is 1",
        "aspect is 1",
    ):
        assert name in findings


def test_a_stream_that_should_be_there_is_missed(tmp_path: Path) -> None:
    plain = Recipe(frames=24, sound="aac").make(tmp_path / "plain.mp4")
    silent = reel(Recipe(frames=24).make(tmp_path / "a.mp4"), tmp_path, MP4, EDGES)
    facts = silent.stitch()
    full = reel(dressed(plain, tmp_path / "b.mp4", chapters=True), tmp_path, MP4, EDGES)
    full.plan = full.plan.model_copy(update={"file": "a.mp4"})
    findings = full.inspect(facts).findings
    assert "stream 1 (audio, aac) of the source is missing" in findings
    assert "there are 0 chapters and there should be 2" in findings
