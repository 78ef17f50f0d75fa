"""Small files that claim much: huge pictures, thousands of streams, a million years, a billion frames. Tests nothing."""

import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av

from tests.films import Recipe

PLAIN = Recipe(frames=12, size=(64, 48))


def many_streams(path: Path, count: int) -> Path:
    """A film with so many attachments beside its picture, in Matroska: each is a stream."""
    with av.open(str(PLAIN.make(path.with_name(f"plain-{path.name}")))) as film, av.open(str(path), "w") as out:
        picture = out.add_stream_from_template(film.streams.video[0])
        for number in range(count):
            out.add_attachment(f"{number}.ttf", "font/ttf", b"x")
        for packet in film.demux(video=0):
            if packet.size:
                packet.stream = picture
                out.mux(packet)
    return path


def far_apart(path: Path, seconds: int) -> Path:
    """A film whose last frame is shown so late."""

    def late(number: int) -> int:
        return number if number < PLAIN.frames - 1 else int(seconds * PLAIN.rate)

    return replace(PLAIN, b_frames=0, times=late).make(path)


def many_frames(path: Path, count: int) -> Path:
    """An mp4 whose tables say that it has so many frames of one byte each, in one chunk."""
    whole = bytearray(PLAIN.make(path).read_bytes())
    for name, table in (
        (b"stsz", struct.pack(">II", 1, count)),
        (b"stts", struct.pack(">III", 1, count, 1)),
        (b"stsc", struct.pack(">IIII", 1, 1, count, 1)),
    ):
        begin = whole.index(name) + 8  # behind version and flags
        whole[begin : begin + len(table)] = table
    path.write_bytes(whole)
    return path


def many_chapters(path: Path, count: int) -> Path:
    """A film with so many chapters, each of some microseconds."""
    seconds = PLAIN.frames / PLAIN.rate
    each = int(seconds * 10**9) // count
    with av.open(str(PLAIN.make(path.with_name(f"plain-{path.name}")))) as film, av.open(str(path), "w") as out:
        picture = out.add_stream_from_template(film.streams.video[0])
        out.set_chapters(
            [
                {
                    "id": number + 1,
                    "start": number * each,
                    "end": (number + 1) * each,
                    "time_base": Fraction(1, 10**9),
                    "metadata": {"title": f"Chapter {number}"},
                }
                for number in range(count)
            ]
        )
        for packet in film.demux(video=0):
            if packet.size:
                packet.stream = picture
                out.mux(packet)
    return path
