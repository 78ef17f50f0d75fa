"""The moves that three contenders share: show frames to the generator, encode them, add the sound. Promises the farm's own pictures; measures nothing."""

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import Any

import av
import torch
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from torch import Tensor

from actors.encode.segment_writer import add_encoder
from actors.looks import fit, hire
from actors.picture.compose import compose
from actors.picture.frame_batches import FrameBatch, batches_of
from actors.picture.generator import BATCH, Generator
from jobs.film.source import Picture
from jobs.records.orders import Encoding
from jobs.spec.job import LookChoice


def generator() -> Generator:
    """`colorize` with its default settings, on the GPU where there is one."""
    return hire(fit(LookChoice(name="colorize")), device())


def device() -> torch.device:
    """Where generators work."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def coloured(
    frames: Iterable[VideoFrame], picture: Picture, encoding: Encoding, shown_to: Generator
) -> Iterator[VideoFrame]:
    """Finished frames, in order, for the film's frames."""
    waiting: deque[VideoFrame] = deque()

    def shown() -> Iterator[FrameBatch]:
        for run, batch in batches_of(frames, picture, BATCH, device()):
            waiting.extend(run)
            yield batch

    pictures: Iterator[Tensor] = (one for some in shown_to.render(shown()) for one in some)
    while run := list(islice(pictures, BATCH)):
        film = [waiting.popleft() for _ in run]
        yield from compose(film, torch.stack(run), shown_to.domain, picture, encoding)


def encode(path: Path, frames: Iterable[VideoFrame], encoding: Encoding) -> None:
    """Encode frames of a constant rate into an mp4 without sound."""
    with av.open(str(path), "w") as out:
        stream = add_encoder(out, encoding)
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base, frame.pict_type = number, 1 / encoding.rate, PictureType.NONE
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def add_sound(silent: Path, clip: str, out: Path) -> None:
    """Copy the picture of one file and the sound of another into a third, in the order of their times."""
    with av.open(str(silent)) as pictures, av.open(clip) as sounds, av.open(str(out), "w") as joined:
        sources = [(pictures, pictures.streams.video[0]), *((sounds, one) for one in sounds.streams.audio[:1])]
        tracks = [_retracked(source.demux(one), joined.add_stream_from_template(one)) for source, one in sources]
        for _, packet in merge(*tracks, key=lambda timed: timed[0]):
            joined.mux_one(packet)


def _retracked(packets: Iterable["Packet[Any]"], track: Any) -> Iterator[tuple[Fraction, "Packet[Any]"]]:
    for packet in packets:
        if packet.dts is not None:
            time = packet.dts * packet.time_base
            packet.stream = track
            yield time, packet
