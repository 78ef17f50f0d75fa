"""What a deliverable carries beside its picture: picture subtitles, further video, sound without a layout; and what MXF makes of sound."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from actors.deliver.stitcher import Stitcher
from actors.mux.pcm import LAG, SampleRun
from jobs.errors import BadSpec, FilmFailed
from jobs.records.deliverables import DeliverableFacts
from jobs.records.orders import SegmentRecord
from jobs.spec.codecs import Codec, Container
from jobs.spec.formats import Deliverable
from jobs.store.folder import FolderStore
from jobs.store.folder_writer import FolderWriter
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
    run = SampleRun(sound, Fraction(144, 48000))
    assert b"".join(payload for _, payload in run.add(start, SAMPLES)) == given
    assert b"".join(payload for _, payload in run.rest()) == rest
    assert run.place == 144


def test_packets_that_follow_one_another_are_joined_as_they_are(sound: AudioStream) -> None:
    run = SampleRun(sound, Fraction(2))
    for place in range(5):
        assert list(run.add(Fraction(96 * place, 48000), SAMPLES)) == [(96 * place, SAMPLES)]


def test_silence_comes_a_second_at_a_time_and_before_a_run_lags_too_far(sound: AudioStream) -> None:
    run = SampleRun(sound, Fraction(3600))
    assert list(run.keep_up(LAG + Fraction(1, 2))) == []
    places = [place for place, _ in run.keep_up(LAG + Fraction(5, 2))]
    assert places == [0, 48000]
    pieces = list(run.add(Fraction(1800), SAMPLES))
    assert pieces[-1] == (1800 * 48000, SAMPLES)
    assert [place for place, _ in pieces[:-1]] == [second * 48000 for second in range(2, 1800)]
    # An hour of silence takes the memory of a second.
    assert len({id(payload) for _, payload in pieces}) == 2
    list(run.keep_up(LAG + 1810))
    with pytest.raises(FilmFailed, match=r"audio stream 1 lies more than 5 s later in the file.*remux"):
        list(run.add(Fraction(1805), SAMPLES))


def with_sounds(picture: Path, path: Path, seconds: Sequence[float]) -> Path:
    """A film with several sounds beside its picture, of these lengths."""
    with av.open(str(picture)) as media, av.open(str(path), "w") as out:
        copy = out.add_stream_from_template(media.streams.video[0], opaque=True)
        sounds = [out.add_stream("pcm_s16le", rate=48000, layout="mono") for _ in seconds]
        for packet in media.demux(video=0):
            if packet.size:
                packet.stream = copy
                out.mux_one(packet)
        for sound, length in zip(sounds, seconds, strict=True):
            for place in range(0, int(length * 48000), 4800):
                frame = av.AudioFrame(format="s16", layout="mono", samples=4800)
                frame.planes[0].update(bytes([place // 4800 % 251]) * frame.planes[0].buffer_size)
                frame.sample_rate, frame.pts, frame.time_base = 48000, place, Fraction(1, 48000)
                out.mux(sound.encode(frame))
            out.mux(sound.encode(None))
    return path


class Counted(FolderWriter):
    """A growing file that says how long it is by now."""

    length = 0

    def write(self, data: Any, /) -> int:
        self.length = max(self.length, self.tell() + len(data))
        return super().write(data)


class Growing(FolderStore):
    """A folder that keeps hold of the file that is written last."""

    file: Counted | None = None

    def create(self, key: str, *, anywhere: bool = False, expected: int = 0) -> FolderWriter:
        self.file = Counted(self, self._path(key))
        return self.file


def test_a_sound_that_ends_early_holds_nothing_back_in_mxf(tmp_path: Path) -> None:
    plain = Recipe(frames=288, size=(256, 128), rate=Fraction(24)).make(tmp_path / "plain.mov")
    source = with_sounds(plain, tmp_path / "a.mov", (12, 1, 2))
    wish = Deliverable(codec=Codec.PRORES, container=Container.MXF, profile="4444xq")
    made = reel(source, tmp_path, wish, range(24, 288, 24))
    stitcher = Stitcher(str(source), made.store, "job", str(made.output))
    stitcher.output = output = Growing(made.output)
    sizes = []

    def segments() -> Iterator[SegmentRecord]:
        for record in made.records:
            sizes.append(output.file.length if output.file else 0)
            yield record

    *_, facts = stitcher.stitch(made.film, made.plan, made.timing, segments())
    assert isinstance(facts, DeliverableFacts)
    # Of 11 s that were read, 5 are still awaited, and a second of silence.
    assert sizes[-1] > facts.bytes * 0.3
    assert made.inspect(facts).findings == ()
