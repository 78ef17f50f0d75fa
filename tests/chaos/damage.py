"""Damaged films: small ones of every container at hand, cut, flipped and spliced by a seed, anywhere or by their packets. Promises an outcome in words for each, held against the undamaged film; a process of its own meets libav's crashes."""

import random
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import av

from farm.fleet.calls import RetryPolicy
from jobs.errors import FarmError
from jobs.spec.job import JobSpec
from tests.farm.inline import InlineFleet, rendered
from tests.films import Recipe, read_number

SECONDS = 120
"""That one damaged film may take, on the busiest machine."""
PLAIN = Recipe(frames=24, size=(96, 64), gop=8)
MPEG2 = replace(PLAIN, codec="mpeg2video", b_frames=2, rate=Fraction(25))
FFV1 = replace(PLAIN, codec="ffv1", gop=1, b_frames=0)
PRORES = replace(PLAIN, codec="prores_ks", pix_fmt="yuv422p10le", gop=1, b_frames=0)
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
FILMS = {
    "h264.mp4": replace(PLAIN, sound="aac"),
    "h264-fragments.mp4": replace(PLAIN, muxer=FRAGMENTS),
    "h264-open.mkv": replace(PLAIN, open_gop=True, sound="flac"),
    "h264.flv": PLAIN,
    "h264.ts": replace(PLAIN, sound="aac"),
    "hevc.mp4": replace(PLAIN, codec="libx265"),
    "mpeg2.mpg": replace(MPEG2, size=(352, 288), gop=4, options={"qmin": "1", "qmax": "2"}),
    "mpeg2.ts": replace(MPEG2, b_frames=0),
    "mpeg2.mxf": MPEG2,
    "mpeg2.gxf": replace(MPEG2, size=(720, 576)),
    "prores.mov": PRORES,
    "dnxhr.mov": replace(PRORES, codec="dnxhd", pix_fmt="yuv422p", size=(256, 128), options={"profile": "dnxhr_lb"}),
    "ffv1.mkv": FFV1,
    "ffv1.nut": FFV1,
    "vp8.webm": replace(PLAIN, codec="libvpx", b_frames=0),
    "vp8.ogv": replace(PLAIN, codec="libvpx", b_frames=0, rate=Fraction(25), muxer={"page_duration": "1"}),
    "vp9.webm": replace(PLAIN, codec="libvpx-vp9", b_frames=0),
    "av1.mkv": replace(PLAIN, codec="libsvtav1", b_frames=0),
    "mjpeg.avi": replace(PLAIN, codec="mjpeg", pix_fmt="yuvj420p", gop=1, b_frames=0),
    "wmv2.asf": replace(PLAIN, codec="wmv2", size=(352, 288), gop=2, b_frames=0, rate=Fraction(25)),
}
NO_LENGTH = ("mpegts", "mpeg")
"""Containers, by libav's names, that are written without knowing where they end, and end without a word: nothing tells a clean cut from the film's end."""

_BYTES = ("cut", "flipped", "header", "tail", "gone", "twice", "blank")
_PACKETS = ("cut between packets", "packet's header", "packet's length", "packet dropped", "packets swapped")


@dataclass(frozen=True)
class Whole:
    """An undamaged film."""

    data: bytes
    frames: int
    packets: tuple[tuple[int, int], ...]
    """Where each packet of its picture begins in the file, and where the next one does."""
    promises_length: bool

    @classmethod
    def of(cls, path: Path) -> "Whole":
        """The film at `path`."""
        with av.open(str(path)) as film:
            packets = [packet for packet in film.demux(video=0) if packet.size]
            places = sorted({packet.pos for packet in packets if packet.pos is not None and packet.pos >= 0})
            promises = film.format.name not in NO_LENGTH
        data = path.read_bytes()
        return cls(data, len(packets), tuple(pairwise((*places, len(data)))), promises)

    def damaged(self, draw: random.Random, kinds: Sequence[str] = _BYTES + _PACKETS) -> tuple[str, bytes]:
        """What was done, and what is left of the file."""
        kind = draw.choice(kinds)
        return kind, _in_bytes(self.data, kind, draw) if kind in _BYTES else _in_packets(self, kind, draw)


def _in_bytes(whole: bytes, kind: str, draw: random.Random) -> bytes:
    size = len(whole)
    at = draw.randrange(size)
    span = draw.randrange(1, max(2, size // 4))
    data = bytearray(whole)
    if kind == "cut":
        data = data[:at]
    elif kind in ("flipped", "header", "tail"):
        low, high = {"flipped": (0, size), "header": (0, min(size, 2048)), "tail": (max(0, size - 2048), size)}[kind]
        for _ in range(draw.randint(1, 40)):
            data[draw.randrange(low, high)] ^= 1 << draw.randrange(8)
    elif kind == "gone":
        del data[at : at + span]
    elif kind == "twice":
        data[at:at] = data[at : at + span]
    else:
        data[at : at + span] = bytes(len(data[at : at + span]))
    return bytes(data)


def _in_packets(film: Whole, kind: str, draw: random.Random) -> bytes:
    data = film.data
    (at, end), (other, stop) = sorted(draw.sample(film.packets, 2))
    if kind == "cut between packets":
        return data[:at]
    if kind == "packet's header":
        place = draw.randrange(max(0, at - 16), at + 16)
        return data[:place] + bytes([data[place] ^ 1 << draw.randrange(8)]) + data[place + 1 :]
    if kind == "packet's length":
        # Most containers tell it before the packet, in two to four bytes.
        place, octets = draw.randrange(max(0, at - 12), at), draw.randbytes(draw.randint(1, 4))
        return data[:place] + octets + data[place + len(octets) :]
    if kind == "packet dropped":
        return data[:at] + data[end:]
    return data[:at] + data[other:stop] + data[end:other] + data[at:end] + data[stop:]


def outcome(film: Path, folder: Path, whole: Whole) -> str:
    """`refused: ...`, `delivered` or `delivered with N set aside`; anything else is a fault of the farm.

    `shorter: ...` where it is delivered with fewer frames than the undamaged film had. Only where the film was cut, its
    container promises no length, and every frame up to the cut is there, that is `delivered up to its cut`.
    """
    fields: dict[str, Any] = {
        "name": "film",
        "source": str(film),
        "store": str(folder / "store"),
        "output": str(folder / "out"),
        "look": {"name": "none"},
        "on_error": "passthrough",
        "deliverables": [{"codec": "ffv1"}],
        "drop": "unsupported",
    }
    said = carried(JobSpec.model_validate(fields))
    if not said.startswith("delivered"):
        return said
    numbers = _numbers(folder / f"out/{film.stem}.mkv")
    if len(numbers) >= whole.frames:
        return said
    # Zeros behind a cut are room that was set aside for the rest.
    was_cut = whole.data.startswith(film.read_bytes().rstrip(b"\0"))
    # The last picture before the cut may lack its lower part, and so its number.
    if was_cut and not whole.promises_length and numbers[:-1] == list(range(len(numbers) - 1)):
        return "delivered up to its cut"
    return f"shorter: {len(numbers)} of {whole.frames} frames, {numbers}, {said}"


def carried(spec: JobSpec) -> str:
    """What becomes of a film, as `outcome` says it, but for its length."""
    try:
        report = rendered(spec, InlineFleet(budget=RetryPolicy(attempts=2))).report()
    except FarmError as error:
        return f"refused: {error}" if str(error).isprintable() else f"two sentences: {error!r}"
    if not report.conforms:
        return f"does not conform: {report.model_dump_json()}"
    for one in report.deliverables:
        if (frames := _frames(Path(spec.output, one.file))) != report.frames:
            return f"{frames} of {report.frames} frames in {one.file}"
    return f"delivered with {len(report.quarantined)} set aside" if report.quarantined else "delivered"


def _numbers(place: Path) -> list[int]:
    with av.open(str(place)) as delivered:
        return [read_number(frame) for frame in delivered.decode(video=0)]


def _frames(place: Path) -> int:
    if place.is_dir():
        return sum(1 for _ in place.iterdir())
    with av.open(str(place)) as delivered:
        return sum(1 for _ in delivered.decode(video=0))


class Patient:
    """Tries damaged films in another process, one at a time; a new one where libav has crashed the last."""

    def __init__(self) -> None:
        self._pool = self._new()

    def tries(self, film: Path, folder: Path, whole: Whole) -> str:
        """See `outcome`; `crashed` where the process died, `hung` where it took longer than `SECONDS`."""
        try:
            return self._pool.submit(outcome, film, folder, whole).result(SECONDS)
        except TooLong:
            said = "hung"
        except BrokenExecutor:
            said = "crashed"
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        self.end()
        self._pool = self._new()
        return said

    def end(self) -> None:
        """Leave no process."""
        for process in list(self._pool._processes.values()):
            process.kill()
        self._pool.shutdown(cancel_futures=True)

    @staticmethod
    def _new() -> ProcessPoolExecutor:
        return ProcessPoolExecutor(1, mp_context=get_context("spawn"))
