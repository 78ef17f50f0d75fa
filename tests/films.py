"""Makes small test films in which every frame carries its own number, so that one lost, doubled or swapped frame is seen. Tests nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.stream import VideoStream
from numpy.typing import NDArray

BITS = 16
BLOCK = 8
"""Pixels of a bit's side: a whole transform block, black or white, survives any quantiser."""


H273 = {"bt601": (6, 6, 6), "bt709": (1, 1, 1), "bt2020": (9, 9, 14)}
"""Code points of a matrix, and of the primaries and the transfer that go with it."""


@dataclass(frozen=True)
class Recipe:
    """A test film. The container follows from the file's ending."""

    frames: int = 48
    size: tuple[int, int] = (192, 112)
    rate: Fraction = Fraction(24000, 1001)
    codec: str = "libx264"
    """An encoder of libav, such as libx264, libx265, mpeg2video, prores_ks, ffv1, libvpx."""
    pix_fmt: str = "yuv420p"
    gop: int = 12
    open_gop: bool = False
    b_frames: int = 3
    start: int = 0
    """Frames by which the first is shown late."""
    hidden: int = 0
    """First frames that lie before time 0: mp4 and mov hide them by an edit list. The film begins with number `hidden`."""
    cuts: Sequence[int] = ()
    """Frames at which the background changes abruptly."""
    sound: str | None = None
    """aac or flac: a tone as long as the film."""
    options: Mapping[str, str] = field(default_factory=dict)
    times: Callable[[int], int] | None = None
    """Time of frame n in ticks of 1/rate, for a variable rate; by default n."""
    matrix: str = ""
    """bt601, bt709 or bt2020, tagged with its primaries and transfer; by default no tag."""
    full: bool = False
    """Full range, and tagged so."""
    aspect: Fraction = Fraction(1)
    """Sample aspect ratio."""
    rotation: int = 0
    """Degrees counter-clockwise that a player turns the picture."""
    muxer: Mapping[str, str] = field(default_factory=dict)
    """Options of the container."""

    def make(self, path: Path) -> Path:
        """Encode the film into `path`; gives it back."""
        kept = {"avoid_negative_ts": "disabled"} if self.hidden else {}
        with _as_scheduled(), av.open(str(path), "w", container_options={**kept, **self.muxer}) as out:
            stream = self._picture(out)
            sound = self._sound(out)
            for number in range(self.frames):
                frame = self.frame(number)
                place = self.times(number) if self.times else number
                frame.pts, frame.time_base = place + self.start - self.hidden, 1 / self.rate
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
            if sound is not None:
                for piece in _tone(float((self.frames - self.hidden) / self.rate), sound.codec_context.format.name):
                    out.mux(sound.encode(piece))
                out.mux(sound.encode(None))
        return path

    def _sound(self, out: OutputContainer) -> AudioStream | None:
        sound = out.add_stream(self.sound, rate=48000, layout="mono") if self.sound else None
        assert sound is None or isinstance(sound, AudioStream)
        return sound

    def _picture(self, out: OutputContainer) -> VideoStream:
        stream = out.add_stream(self.codec, rate=self.rate, options=_options(self) | dict(self.options))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = self.size
        stream.pix_fmt = self.pix_fmt
        stream.codec_context.time_base = 1 / self.rate
        stream.codec_context.gop_size = self.gop
        stream.codec_context.thread_count = 1
        if self.codec in ("mpeg2video", "mpeg4", "libvpx", "mjpeg"):
            stream.bit_rate = 2_000_000
        if self.codec in ("mpeg2video", "mpeg4"):
            stream.codec_context.max_b_frames = self.b_frames
        self._tag(stream)
        return stream

    def _tag(self, stream: VideoStream) -> None:
        context = stream.codec_context
        if self.matrix:
            context.colorspace, context.color_primaries, context.color_trc = H273[self.matrix]
        if self.full or self.matrix:
            context.color_range = 2 if self.full else 1
        context.sample_aspect_ratio = self.aspect
        if self.rotation:
            stream.set_display_rotation(self.rotation)

    def frame(self, number: int) -> VideoFrame:
        """Frame `number` of the film before encoding, in its own pixel format."""
        width, height = self.size
        shot = sum(cut <= number for cut in self.cuts)
        x, y = np.meshgrid(np.arange(width), np.arange(height))
        luma = 60 + 100 * ((shot * 7) % 3) // 2 + (x + 2 * y + 3 * number) // 8 % 32
        bits = np.array([number >> bit & 1 for bit in range(BITS)]).reshape(2, BITS // 2)
        code = np.kron(bits, np.ones((BLOCK, BLOCK), np.int64)) * 219 + 16
        luma[: code.shape[0], : code.shape[1]] = code
        chroma = [np.full_like(luma, 128 + way * (40 if shot % 2 else -40)) for way in (1, -1)]
        form = VideoFormat(self.pix_fmt)
        parts = form.components
        planar = not form.is_rgb and len(parts) in (1, 3) and [part.plane for part in parts] == [*range(len(parts))]
        frame = VideoFrame(width, height, self.pix_fmt if planar else "yuv420p")
        for plane, part, values in zip(frame.planes, frame.format.components, (luma, *chroma), strict=False):
            _write(plane, part.bits, values, number, full=self.full or self.pix_fmt.startswith("yuvj"))
        return frame if planar else frame.reformat(format=self.pix_fmt)


def _write(plane: VideoPlane, bits: int, values: NDArray[Any], number: int, *, full: bool) -> None:
    """Fill a plane with 8-bit samples of limited range, brought to its depth and range; the bits below them are of no meaning, but not 0."""
    target = plane_of(plane, bits)
    high, wide = target.shape
    down, across = -(-values.shape[0] // high), -(-values.shape[1] // wide)
    some = values[::down, ::across][:high, :wide]
    if full:
        some = (some - 16).clip(0) * 255 // 219
    x, y = np.meshgrid(np.arange(wide), np.arange(high))
    target[:] = (some << (bits - 8)) + (3 * x + 5 * y + 7 * number) % (1 << (bits - 8))


@contextmanager
def _as_scheduled() -> Iterator[None]:
    """Nothing done meanwhile changes how this thread is scheduled: run by root, SVT-AV1 gives the highest real-time priority to whoever calls it."""
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


def _options(recipe: Recipe) -> dict[str, str]:
    gop, b_frames, is_open = recipe.gop, recipe.b_frames, int(recipe.open_gop)
    x26 = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:b-adapt=0:open-gop={is_open}"
    return {
        "libx264": {"preset": "veryfast", "crf": "20", "x264-params": x26},
        "libx265": {"preset": "ultrafast", "crf": "20", "x265-params": f"{x26}:pools=1:frame-threads=1:log-level=none"},
        "libvpx": {"deadline": "realtime", "cpu-used": "8"},
        "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "20"},
        "libsvtav1": {"preset": "12", "crf": "20", "svtav1-params": f"keyint={gop}:lp=1"},
        "ffv1": {"level": "3", "slices": "4"},
    }.get(recipe.codec, {})


def _tone(seconds: float, form: str) -> Iterator[av.AudioFrame]:
    wave = 0.2 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * 48000)) / 48000)
    samples = wave.astype(np.float32) if form.startswith("flt") else (wave * 32767).astype(np.int16)
    for start in range(0, len(samples), 1024):
        piece = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format=form, layout="mono")
        piece.sample_rate, piece.pts, piece.time_base = 48000, start, Fraction(1, 48000)
        yield piece


_REFRESH = {"x264-params": "intra-refresh=1:keyint=24:bframes=0"}
"""No second intra frame: a column of intra blocks wanders through the picture instead."""

KINDS: Mapping[str, Recipe] = {
    "h264-closed.mp4": Recipe(sound="aac"),
    "h264-open.mkv": Recipe(open_gop=True, sound="flac"),
    "h264-open.ts": Recipe(open_gop=True, start=24),
    "h264-variable.mkv": Recipe(times=lambda number: number + number // 5),
    "h264-hidden.mp4": Recipe(hidden=7, open_gop=True),
    "h264-one-keyframe.mp4": Recipe(frames=96, gop=1000),
    "h264-refresh.mkv": Recipe(frames=72, gop=24, b_frames=0, options=_REFRESH),
    "h264-refresh.ts": Recipe(frames=72, gop=24, b_frames=0, options=_REFRESH),
    "h264-full.mp4": Recipe(pix_fmt="yuvj420p"),
    "hevc-open.mp4": Recipe(codec="libx265", open_gop=True),
    "mpeg2.ts": Recipe(codec="mpeg2video", b_frames=2, start=240),
    "mpeg2.mpg": Recipe(codec="mpeg2video", b_frames=2, start=240),
    "mpeg4.avi": Recipe(codec="mpeg4", b_frames=0),
    "prores.mov": Recipe(codec="prores_ks", pix_fmt="yuv422p10le"),
    "ffv1-10bit.mkv": Recipe(codec="ffv1", pix_fmt="yuv420p10le"),
    "ffv1-gray.mkv": Recipe(codec="ffv1", pix_fmt="gray"),
    "vp8.webm": Recipe(codec="libvpx", rate=Fraction(24)),
    "av1.mkv": Recipe(codec="libsvtav1", rate=Fraction(24)),
    "mpeg2.mxf": Recipe(codec="mpeg2video", b_frames=2, rate=Fraction(25)),
}
"""Every way of storing packets that has gone wrong somewhere: each file's name says its container."""


def remux(
    source: Path,
    target: Path,
    change: Callable[[int, bytes], bytes] = lambda place, data: data,
    prepare: Callable[[VideoStream], None] = lambda stream: None,
    **container: str,
) -> Path:
    """Copy the picture's packets into another file, with their bytes and the stream's header changed; one without bytes is left out."""
    with av.open(str(source)) as old, av.open(str(target), "w", container_options=container) as new:
        stream = new.add_stream_from_template(old.streams.video[0], opaque=True)
        assert isinstance(stream, VideoStream)
        prepare(stream)
        for place, packet in enumerate(old.demux(old.streams.video[0])):
            if packet.size and (data := change(place, bytes(packet))):
                copy: Packet[Any] = Packet(data)
                copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
                copy.is_keyframe, copy.duration, copy.stream = packet.is_keyframe, packet.duration, stream
                new.mux(copy)
    return target


def plane_of(plane: VideoPlane, bits: int) -> NDArray[Any]:
    """A plane's samples without the padding of its rows, shape (height, width)."""
    samples: NDArray[Any] = np.frombuffer(memoryview(plane), np.uint8 if bits <= 8 else np.uint16)
    return samples.reshape(-1, plane.line_size // samples.itemsize)[: plane.height, : plane.width]


def read_number(frame: VideoFrame) -> int:
    """The number that the frame carries in its picture."""
    bits = frame.format.components[0].bits
    luma = plane_of(frame.planes[0], bits)[: 2 * BLOCK, : BITS // 2 * BLOCK].astype(np.float64)
    blocks = luma.reshape(2, BLOCK, BITS // 2, BLOCK).mean(axis=(1, 3)).ravel()
    return sum(1 << bit for bit, level in enumerate(blocks) if level > 1 << (bits - 1))


def fingerprint(frame: VideoFrame) -> str:
    """A hash of the picture's samples and nothing else: equal for bit-identical frames. yuvj420p and yuv420p count as one."""
    found = hashlib.sha256(f"{frame.width}x{frame.height} {frame.format.name.replace('yuvj', 'yuv')}".encode())
    for plane, part in zip(frame.planes, frame.format.components, strict=True):
        found.update(plane_of(plane, part.bits).tobytes())
    return found.hexdigest()


def serial(path: Path, stream: int | None = None) -> list[str]:
    """Fingerprints of all frames of a film, decoded from its beginning to its end as a player does."""
    with av.open(str(path)) as container:
        picture = container.streams.video[0] if stream is None else container.streams[stream]
        assert isinstance(picture, VideoStream)
        return [fingerprint(frame) for frame in container.decode(picture)]
