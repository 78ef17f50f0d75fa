"""What a deliverable carries beside its picture: picture subtitles, further video, sound without a layout; and what MXF makes of sound."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from actors.pcm import Run
from jobs.errors import BadSpec
from jobs.formats import Codec, Container, Deliverable
from tests.actors.reels import reel
from tests.films import Recipe

SMALL = Recipe(frames=24, size=(64, 48), rate=Fraction(24))


def h264(container: str) -> Deliverable:
    return Deliverable(container=Container(container), preset="ultrafast", crf=30)


def beside(picture: Path, other: Path, path: Path) -> Path:
    """The picture of one film, and all streams of another beside it."""
    with av.open(str(picture)) as one, av.open(str(other)) as two, av.open(str(path), "w") as out:
        copies = [(media, stream.index, _copied(out, stream)) for media in (one, two) for stream in media.streams]
        for media, index, copy in copies:
            media.seek(0)
            for packet in media.demux(media.streams[index]):
                if packet.size:
                    packet.stream = copy
                    out.mux_one(packet)
    return path


def _copied(out: OutputContainer, stream: Stream) -> Stream:
    copy = out.add_stream_from_template(stream, opaque=True)
    if stream.codec_context.codec.canonical_name == "prores":
        copy.codec_context.codec_tag = stream.codec_context.codec_tag
    return copy


def with_picture_subtitles(picture: Path, path: Path) -> Path:
    """A film with two subtitles of a DVD."""
    with av.open(str(picture)) as media, av.open(str(path), "w") as out:
        copy = out.add_stream_from_template(media.streams.video[0], opaque=True)
        words: Stream = out.add_stream("dvdsub")
        for packet in media.demux(video=0):
            if packet.size:
                packet.stream = copy
                out.mux_one(packet)
        for start in (100, 600):
            shown: Packet[Stream] = Packet(b"\x00\x20\x00\x10" + bytes(28))
            shown.stream, shown.time_base, shown.duration = words, Fraction(1, 1000), 300
            shown.pts = shown.dts = start
            out.mux_one(shown)
    return path


def test_picture_subtitles_are_copied_where_they_fit(tmp_path: Path) -> None:
    source = with_picture_subtitles(SMALL.make(tmp_path / "plain.mkv"), tmp_path / "a.mkv")
    for container in ("mkv", "mp4"):
        made = reel(source, tmp_path, h264(container), (9,))
        proof = made.inspect(made.stitch())
        assert (proof.findings, proof.packets, made.plan.fates[1].fate) == ((), 2, "copied")
    with pytest.raises(BadSpec, match=r"stream 1 \(subtitle, dvd_subtitle\) does not fit into mov"):
        reel(source, tmp_path, h264("mov"))


@pytest.mark.parametrize("container", ["mov", "mkv"])
def test_further_video_is_copied_and_decodes_as_before(tmp_path: Path, container: str) -> None:
    wide = Recipe(frames=24, size=(64, 48), rate=Fraction(24), codec="prores_ks", pix_fmt="yuv444p10le")
    other = wide.make(tmp_path / "other.mov")
    source = beside(SMALL.make(tmp_path / "plain.mp4"), other, tmp_path / "a.mov")
    made = reel(source, tmp_path, h264(container), (9,))
    assert [one.fate for one in made.plan.fates] == ["picture", "copied"]
    assert made.inspect(made.stitch()).findings == ()
    with av.open(str(made.path)) as media:
        assert next(media.decode(video=1)).format.name == "yuv444p12le"


def test_sound_that_does_not_say_its_layout_goes_into_mp4(tmp_path: Path) -> None:
    source = Recipe(frames=24, size=(64, 48), codec="mpeg4", b_frames=0, sound="pcm_s16le").make(tmp_path / "a.avi")
    made = reel(source, tmp_path, h264("mp4"), (9,))
    assert made.inspect(made.stitch()).findings == ()


def test_several_sounds_in_mxf(tmp_path: Path) -> None:
    one = Recipe(frames=24, size=(64, 48), rate=Fraction(24), sound="pcm_s16le").make(tmp_path / "one.mov")
    other = Recipe(frames=24, size=(64, 48), rate=Fraction(24), sound="pcm_s16le").make(tmp_path / "two.mov")
    with av.open(str(other)) as media, av.open(str(tmp_path / "sound.mov"), "w") as out:
        copy = out.add_stream_from_template(media.streams.audio[0], opaque=True)
        for packet in media.demux(audio=0):
            if packet.size:
                packet.stream = copy
                out.mux_one(packet)
    source = beside(one, tmp_path / "sound.mov", tmp_path / "a.mov")
    made = reel(source, tmp_path, Deliverable(codec=Codec.PRORES, container=Container.MXF), (9,))
    assert made.inspect(made.stitch()).findings == ()
    with av.open(str(made.path)) as media:
        names = [stream.codec_context.codec.canonical_name for stream in media.streams.audio]
    assert names == ["pcm_s16le"] * 2


SAMPLES = bytes(range(1, 97)) * 2
"""96 samples of one channel."""


@pytest.fixture
def sound(tmp_path: Path) -> Iterator[AudioStream]:
    with av.open(str(Recipe(frames=2, sound="pcm_s16le").make(tmp_path / "a.mov"))) as media:
        yield media.streams.audio[0]


@pytest.mark.parametrize(
    ("start", "given", "rest"),
    [
        (Fraction(0), SAMPLES, bytes(96)),
        (Fraction(-32, 48000), SAMPLES[64:], bytes(160)),
        (Fraction(-200, 48000), b"", bytes(288)),
        (Fraction(16, 48000), bytes(32) + SAMPLES, bytes(64)),
        (Fraction(100, 48000), bytes(200) + SAMPLES[:88], b""),
        (Fraction(1), bytes(288), b""),
    ],
)
def test_a_run_is_as_long_as_the_picture(sound: AudioStream, start: Fraction, given: bytes, rest: bytes) -> None:
    run = Run(sound, Fraction(144, 48000))
    assert run.add(start, SAMPLES) == given
    assert b"".join(run.rest()) == rest
    assert run.place == 144


def test_packets_that_follow_one_another_are_joined_as_they_are(sound: AudioStream) -> None:
    run = Run(sound, Fraction(2))
    for place in range(5):
        assert run.add(Fraction(96 * place, 48000), SAMPLES) == SAMPLES
