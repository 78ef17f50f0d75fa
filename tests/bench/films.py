"""Films for the benchmarks: made once, kept in a temporary folder. Promises the same film to every contender; measures nothing."""

import itertools
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from actors.picture.sample.film import make_sample

MEDIA = Path(__file__).parents[2].parent / "shared" / "media"
"""Real footage, beside the project and not part of it."""
REAL = "big-buck-bunny-30s.webm"
MANY_CUTS = "tears-of-steel.webm"
RATE = Fraction(24)
"""Frames a second of every film made here, whatever its footage had."""
SOUND_RATE = 48_000


def kept(name: str) -> Path:
    """A path in the folder where films are kept from one benchmark to the next."""
    folder = Path(tempfile.gettempdir(), "film-farm-bench")
    folder.mkdir(exist_ok=True)
    return folder / name


def footage(name: str = REAL) -> Path:
    """A real clip where the shared media lie beside the checkout, else the farm's own sample."""
    real, sample = MEDIA / name, kept("sample.mp4")
    if real.is_file():
        return real
    if not sample.is_file():
        make_sample(sample)
    return sample


def clip_of(seconds: float, size: tuple[int, int]) -> Path:
    """H.264 and AAC in mp4, `seconds` long, `size` (width, height): the footage over and over."""
    source = footage()
    path = kept(f"{source.stem}-{size[1]}p-{seconds:g}s.mp4")
    if not path.is_file():
        whole = path.with_suffix(".part")
        _encode(source, whole, seconds, size)
        whole.rename(path)
    return path


def _encode(source: Path, path: Path, seconds: float, size: tuple[int, int]) -> None:
    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"crf": "20", "preset": "veryfast"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.time_base = 1 / RATE
        sound = out.add_stream("aac", rate=SOUND_RATE, layout="mono")
        for number, frame in enumerate(itertools.islice(_endless(source), round(seconds * RATE))):
            picture = frame.reformat(*size, format="yuv420p")
            picture.pts, picture.time_base, picture.pict_type = number, 1 / RATE, 0
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
        for piece in tone(seconds):
            out.mux(sound.encode(piece))
        out.mux(sound.encode(None))


def _endless(source: Path) -> Iterator[VideoFrame]:
    while True:
        with av.open(str(source)) as media:
            yield from media.decode(video=0)


def tone(seconds: float) -> Iterator[av.AudioFrame]:
    """A steady tone in mono, piece by piece."""
    wave = 0.2 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * SOUND_RATE)) / SOUND_RATE)
    for start in range(0, len(wave), 1024):
        piece = av.AudioFrame.from_ndarray(
            wave[None, start : start + 1024].astype(np.float32), format="fltp", layout="mono"
        )
        piece.sample_rate, piece.pts, piece.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
        yield piece


def looped(clip: Path, times: int) -> Path:
    """The clip `times` times over: its packets copied, its stamps moved on by the picture's length."""
    path = kept(f"{clip.stem}-x{times}.mp4")
    if path.is_file():
        return path
    whole = path.with_suffix(".part")
    length = frames_of(clip) / RATE
    with av.open(str(whole), "w", format="mp4") as out:
        with av.open(str(clip)) as media:
            copies = [out.add_stream_from_template(one, opaque=True) for one in media.streams]
        for turn in range(times):
            with av.open(str(clip)) as media:
                for packet in media.demux():
                    if packet.size and packet.pts is not None and packet.dts is not None:
                        # A turn's sound may be longer than its picture, and begins before it (priming).
                        if packet.stream_index and not (0 <= packet.pts * packet.time_base < length):
                            continue
                        late = round(turn * length / packet.time_base)
                        packet.pts, packet.dts = packet.pts + late, packet.dts + late
                        packet.stream = copies[packet.stream_index]
                        out.mux_one(packet)
    whole.rename(path)
    return path


def frames_of(path: Path) -> int:
    """Frames of the picture, counted packet by packet."""
    with av.open(str(path)) as media:
        return sum(1 for packet in media.demux(video=0) if packet.size)


def still_film(path: Path, frames: int, size: tuple[int, int]) -> Path:
    """A film of one shot: a real picture's detail, moved by one pixel a frame."""
    with av.open(str(footage())) as media:
        first = next(itertools.islice(media.decode(video=0), 120, None)).reformat(*size, format="yuv420p").to_ndarray()
    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"crf": "20", "preset": "veryfast", "g": "48"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        luma, chroma = first[: size[1]], first[size[1] :]
        for number in range(frames):
            planes = np.concatenate([np.roll(luma, number, axis=1), chroma])
            frame = VideoFrame.from_ndarray(np.ascontiguousarray(planes), format="yuv420p")
            frame.pts, frame.time_base = number, 1 / RATE
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path
