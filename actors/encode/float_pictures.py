"""Stores pictures of signed floats in FFV1, rounded to steps of 16 or 10 bits: one grey frame each, its channels one below another."""

from collections.abc import Generator as Yields
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self

import av
import numpy as np
import torch
from torch import Tensor

from actors.encode.encoders import FFV1_OPTIONS
from actors.encode.segment_writer import THREADS, SegmentFacts, SegmentWriter
from actors.media.container import open_media
from jobs.film.source import Picture
from jobs.records.orders import Encoding
from jobs.spec.codecs import Codec

Bits = Literal[10, 16]


def codes(picture: Tensor, bits: Bits) -> Tensor:
    """Floats of -1.17 to 1.17 as whole numbers of 0 to 2**bits - 1; what lies beyond is clipped. The widest chroma reaches 1.04."""
    middle = 1 << (bits - 1)
    return (picture.float() / _step(bits) + middle).round().clamp(0, 2 * middle - 1)


def floats(coded: Tensor, bits: Bits) -> Tensor:
    """The floats that such numbers stand for."""
    return (coded.float() - (1 << (bits - 1))) * _step(bits)


def _step(bits: Bits) -> float:
    return (1 << (16 - bits)) / 28000


class FloatPictureWriter:
    """One file of pictures. Used as a context; a failed one leaves no file."""

    def __init__(self, film: Picture, path: Path, bits: Bits) -> None:
        self._film = film
        self._path = path
        self._bits = bits
        self._writer: SegmentWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.__exit__(kind, error, trace)

    def write(self, coded_CHW: Tensor) -> None:
        """One more picture, as `codes`, on the CPU; all are of one size."""
        rows = coded_CHW.numpy().astype(np.uint16).reshape(-1, coded_CHW.shape[-1])
        self._writer = self._writer or SegmentWriter(self._encoding(*rows.shape), self._path)
        self._writer.write(av.VideoFrame.from_ndarray(rows, format=f"gray{self._bits}le"))

    @property
    def facts(self) -> SegmentFacts | None:
        """What was written, once it is closed; None where nothing was."""
        return self._writer.facts if self._writer else None

    def _encoding(self, height: int, width: int) -> Encoding:
        return Encoding(
            codec=Codec.FFV1,
            encoder="ffv1",
            library="ffv1",
            width=width,
            height=height,
            pix_fmt=f"gray{self._bits}le",
            rate=self._film.rate,
            time_base=1 / self._film.rate,
            aspect=Fraction(1),
            colour=self._film.colour,
            options=FFV1_OPTIONS,
            threads=THREADS,
            reorder=0,
        )


def read_float_pictures(media: BinaryIO, channels: int, bits: Bits, what: str) -> "Yields[Tensor, None, None]":
    """The pictures, in order: 1CHW floats, on the CPU. Raises BadMedia where the object is none of ours."""
    with open_media(media, what) as container:
        for frame in container.decode(container.streams.video[0]):
            coded = torch.from_numpy(frame.to_ndarray().astype(np.int32))
            yield floats(coded.reshape(1, channels, -1, frame.width), bits)
