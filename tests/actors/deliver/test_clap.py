"""The clap: a flash in the picture and a click in the sound at one moment stay together through every container."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from jobs.errors import BadSpec
from jobs.spec.codecs import Codec, Container
from jobs.spec.formats import Deliverable
from tests.actors.reels import reel
from tests.films import plane_of

RATE = 48000
FRAMES = 60
FLASHES = (13, 41)
CLICK = 48
"""Samples of a click: a millisecond."""
SAMPLE = Fraction(1, RATE)
MILLISECOND = Fraction(1, 1000)
FILM = Fraction(24000, 1001)


@dataclass(frozen=True)
class Clap:
    """A film of black frames with a white one now and then, and a click at the moment each of them is shown."""

    picture: str = "libx264"
    sound: str = "pcm_s16le"
    rate: Fraction = FILM
    size: tuple[int, int] = (64, 48)
    pix_fmt: str = "yuv420p"
    times: Callable[[int], int] = int
    """When frame n is shown, in ticks of 1/rate."""
    late: int = 0
    """Ticks of 1/rate by which the picture begins after the sound; where negative, the sound after the picture."""

    def make(self, path: Path) -> Path:
        """Encode it into `path`; gives it back."""
        # Or a late start would be rounded to milliseconds.
        kept = {"movie_timescale": "48000"} if path.suffix in (".mp4", ".mov") else {}
        with av.open(str(path), "w", container_options=kept) as out:
            picture, sound = self._picture(out), out.add_stream(self.sound, rate=RATE, layout="stereo")
            assert isinstance(sound, AudioStream)
            for number in range(FRAMES):
                out.mux(picture.encode(self._frame(number)))
            out.mux(picture.encode(None))
            for piece in self._pieces(sound):
                out.mux(sound.encode(piece))
            out.mux(sound.encode(None))
        return path

    def _picture(self, out: "av.container.OutputContainer") -> VideoStream:
        options = {"libx264": {"preset": "ultrafast"}, "dnxhd": {"profile": "dnxhr_hq"}, "libvpx": {"cpu-used": "8"}}
        picture = out.add_stream(self.picture, rate=self.rate, options=options.get(self.picture, {}))
        assert isinstance(picture, VideoStream)
        picture.width, picture.height = self.size
        picture.pix_fmt = self.pix_fmt
        picture.codec_context.time_base = 1 / self.rate
        picture.codec_context.thread_count = 1
        if self.picture in ("mpeg4", "libvpx", "mpeg2video"):
            picture.bit_rate = 500_000
            picture.codec_context.max_b_frames = 0
        return picture

    def _shown(self, number: int) -> int:
        return self.times(number) + max(0, self.late)

    def _frame(self, number: int) -> VideoFrame:
        frame = VideoFrame(*self.size, self.pix_fmt)
        for place, plane in enumerate(frame.planes):
            plane_of(plane, 8)[:] = 128 if place else 235 if number in FLASHES else 16
        frame.pts, frame.time_base = self._shown(number), 1 / self.rate
        return frame

    def _pieces(self, sound: AudioStream) -> Iterator[AudioFrame]:
        start = round(max(0, -self.late) / self.rate * RATE)
        wave = np.zeros(round((self._shown(FRAMES - 1) + 1) / self.rate * RATE), np.float32)
        for number in FLASHES:
            place = round(self._shown(number) / self.rate * RATE)
            wave[place : place + CLICK] = 0.9
        form, step = sound.codec_context.format.name, sound.codec_context.frame_size or 1152
        for place in range(start, len(wave), step):
            yield _piece(wave[place : place + step], form, place)


def _piece(wave: NDArray[np.float32], form: str, place: int) -> AudioFrame:
    kinds = {"flt": (np.float32, 1), "s16": (np.int16, 2**15 - 1), "s32": (np.int32, 2**31 - 512)}
    kind, full = kinds[form.rstrip("p")]
    both = np.stack([wave, wave]).astype(np.float64) * full
    samples = both if form.endswith("p") else both.T.reshape(1, -1)
    piece = AudioFrame.from_ndarray(np.ascontiguousarray(samples.astype(kind)), format=form, layout="stereo")
    piece.sample_rate, piece.pts, piece.time_base = RATE, place, SAMPLE
    return piece


def offsets(path: Path) -> list[Fraction]:
    """For each flash, by how many seconds the click comes after it, as a player decodes the film."""
    with av.open(str(path)) as media:
        shown = [_time(one) for one in media.decode(video=0) if plane_of(one.planes[0], _bits(one)).mean() > _half(one)]
    with av.open(str(path)) as media:
        heard = list(_clicks(media.decode(audio=0), shown))
    assert len(shown) == len(FLASHES)
    return [click - flash for click, flash in zip(heard, shown, strict=True)]


def _clicks(frames: Iterator[AudioFrame], shown: list[Fraction]) -> Iterator[Fraction]:
    """For each flash, when the first loud sample within a quarter of a second is heard."""
    heard = [(_time(frame), _loudness(frame)) for frame in frames]
    for flash in shown:
        near = [(time, wave) for time, wave in heard if abs(time - flash) < Fraction(1, 4)]
        half = max(wave.max() for _, wave in near) / 2
        yield next(time + int((wave > half).argmax()) * SAMPLE for time, wave in near if (wave > half).any())


def _loudness(frame: AudioFrame) -> NDArray[np.float64]:
    samples = np.abs(frame.to_ndarray().astype(np.float64))
    return samples[0] if frame.format.is_planar else samples.reshape(-1, 2)[:, 0]


def _time(frame: VideoFrame | AudioFrame) -> Fraction:
    assert frame.pts is not None
    assert frame.time_base is not None
    return frame.pts * frame.time_base


def _bits(frame: VideoFrame) -> int:
    return frame.format.components[0].bits


def _half(frame: VideoFrame) -> int:
    return int(1 << (_bits(frame) - 1))


def deliverable(codec: Codec, container: str) -> Deliverable:
    return Deliverable(codec=codec, container=Container(container), preset="ultrafast", crf=30)


_HOLDS = {
    "aac": ("mp4", "mov", "mkv"),
    "libmp3lame": ("mp4", "mov", "mkv"),
    "ac3": ("mp4", "mov", "mkv"),
    "flac": ("mp4", "mkv"),
    "alac": ("mp4", "mov", "mkv"),
    "libopus": ("mp4", "mkv"),
    "pcm_s16le": ("mp4", "mov", "mkv", "mxf"),
    "pcm_s24le": ("mp4", "mov", "mkv", "mxf"),
}
"""Which containers hold a sound."""

_CODEC = {"mp4": Codec.H264, "mov": Codec.H264, "mkv": Codec.FFV1, "mxf": Codec.PRORES}

SOURCES = {
    **{f"{sound}.mp4": Clap(sound=sound) for sound in ("aac", "libmp3lame", "ac3", "flac", "alac", "libopus")},
    **{f"{sound}.mov": Clap(sound=sound) for sound in ("aac", "alac", "pcm_s16le", "pcm_s24le")},
    **{f"{sound}.mkv": Clap(sound=sound) for sound in ("aac", "libmp3lame", "ac3", "flac", "libopus", "pcm_s24le")},
    **{f"{sound}.ts": Clap(sound=sound) for sound in ("aac", "libmp3lame", "ac3")},
    "libopus.webm": Clap("libvpx", "libopus", Fraction(24)),
    "pcm_s16le.mxf": Clap("dnxhd", "pcm_s16le", Fraction(25), (256, 128), "yuv422p"),
    **{f"{sound}.avi": Clap("mpeg4", sound, Fraction(25)) for sound in ("pcm_s16le", "ac3")},
    "late.mov": Clap(late=5),
    "early.mov": Clap(late=-5),
    "late.mp4": Clap(sound="aac", late=5),
    "early.mp4": Clap(sound="aac", late=-5),
    "late.mkv": Clap(sound="flac", late=5),
    "variable.mov": Clap(times=lambda number: 3 * number + number % 3),
}


@pytest.mark.parametrize("name", SOURCES)
def test_flash_and_click_stay_together(tmp_path: Path, name: str) -> None:
    clap = SOURCES[name]
    source = clap.make(tmp_path / name)
    before = offsets(source)
    lossless = clap.sound.startswith(("pcm", "flac", "alac"))
    if lossless and not name.endswith((".mkv", ".webm")):
        assert all(abs(one) <= SAMPLE for one in before)
    for container, codec in _CODEC.items():
        if container == "mxf" and clap.times is not int:
            continue
        folder = tmp_path / container
        folder.mkdir()
        if container not in _HOLDS[clap.sound]:
            with pytest.raises(BadSpec, match=rf"stream 1 \(audio, .*does not fit into {container} \("):
                reel(source, folder, deliverable(codec, container))
            continue
        made = reel(source, folder, deliverable(codec, container), (9, 30))
        assert made.inspect(made.stitch()).findings == ()
        coarse = {container, source.suffix[1:]} & {"mkv", "webm"}
        allowed = MILLISECOND if coarse else SAMPLE
        assert all(abs(a - b) <= allowed for a, b in zip(offsets(made.path), before, strict=True)), container


@pytest.mark.parametrize("codec", [Codec.HEVC, Codec.PRORES, Codec.DNXHR])
def test_every_codec_keeps_them_together(tmp_path: Path, codec: Codec) -> None:
    source = Clap(size=(256, 128)).make(tmp_path / "a.mov")
    for container in ("mov", "mxf") if codec is not Codec.HEVC else ("mov", "mp4", "mkv"):
        folder = tmp_path / container
        folder.mkdir()
        made = reel(source, folder, deliverable(codec, container), (9, 30))
        assert made.inspect(made.stitch()).findings == ()
        allowed = MILLISECOND if container == "mkv" else SAMPLE
        assert all(abs(one) <= allowed for one in offsets(made.path)), container
