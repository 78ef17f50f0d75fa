"""Orders to make one deliverable's segments from another's instead of rendering them again.

These have the ordinary digest only where their bytes are the same as if rendered.

exact       a lossless segment in the very form that is wanted gives, byte for byte, what rendering gives: its digest is
            the ordinary one, and nobody can tell how it was made
mezzanine   any other segment that holds no less (FFV1, ProRes from standard, DNxHR from sq; no smaller, no fewer bits, no
            less chroma) gives nearly that: its digest is its own, and names the segments it was made from
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Literal

from jobs.digest import digest
from jobs.document import Document
from jobs.film.source import Film, Picture
from jobs.plan.plan import Chunk, Range
from jobs.records.orders import Encoding, segment_digests
from jobs.spec.codecs import Codec

_NO_MEZZANINE = ("proxy", "lt", "dnxhr_lb")
"""Profiles that are made to be looked at."""


class WantedSegment(Document):
    """A segment that is wanted."""

    digest: str
    frames: Range
    encoding: Encoding


class TranscodeOrder(Document):
    """Encode some of a chunk's core from segments that hold all of it, each in one and the same encoding."""

    chunk: int
    picture: Picture
    """The film's own."""
    master: Encoding
    masters: tuple[str, ...]
    """Digests of the segments of the core, in film order."""
    prints: tuple[WantedSegment, ...]


def serves(master: Encoding, wanted: Encoding) -> Literal["", "mezzanine", "exact"]:
    """Whether one encoding's segments can be printed in another, and how; see above.

    exact: the frames decoded are those that the other's encoder is given, for both have all that composing depends on.
    """
    if (
        wanted.encoder.endswith("_nvenc") or master.burn_in
    ):  # printers have no GPU; and what is drawn over a picture stays in it
        return ""
    if master.codec is Codec.FFV1 and _form(master) == _form(wanted):
        return "exact"
    return "mezzanine" if _mezzanine(master) and _holds(master, wanted) else ""


def _form(encoding: Encoding) -> tuple[object, ...]:
    colour = encoding.colour
    size = (encoding.width, encoding.height, encoding.rotation)
    return (*size, encoding.pix_fmt, colour.matrix, colour.full_range)


def _mezzanine(encoding: Encoding) -> bool:
    made_for_it = encoding.codec in (Codec.FFV1, Codec.PRORES, Codec.DNXHR)
    return made_for_it and encoding.options.get("profile") not in _NO_MEZZANINE


def _holds(master: Encoding, wanted: Encoding) -> bool:
    one, other = _fineness(master), _fineness(wanted)
    return bool(one and other) and all(mine >= its for mine, its in zip(one, other, strict=True))


def _fineness(encoding: Encoding) -> tuple[int, ...]:
    """Width, height, bits a sample, and how wide and high chroma is, in samples for 4 of luma; empty for R'G'B'."""
    found = re.fullmatch(r"yuv(420|422|444)p(?:(\d\d)le)?", encoding.pix_fmt)
    if not found or encoding.rotation:
        return ()
    chroma = {"420": (2, 2), "422": (2, 4), "444": (4, 4)}[found[1]]
    return (encoding.width, encoding.height, int(found[2] or 8), *chroma)


def _print_digest(masters: Iterable[str], frames: Range, encoding: Encoding) -> str:
    made = {"masters": list(masters), "frames": frames, "encoding": encoding.model_dump(mode="json")}
    return digest({"kind": "print", "version": 1} | made)


class SegmentNames:
    """What a film's segments are called: as they are on paper, or as they would be rendered."""

    def __init__(
        self, film: Film, chunks: Sequence[Chunk], on_paper: Collection[str], encodings: Iterable[Encoding]
    ) -> None:
        """`chunks` of the film, in order, as far as they are known: the caller's own list. `encodings` that any run may have left."""
        self.film = film
        self.chunks = chunks
        self._on_paper = on_paper
        self._masters = [one for one in encodings if _mezzanine(one)]

    def of(self, chunk: Chunk, encoding: Encoding) -> dict[Range, str]:
        """Digests of a chunk's segments, in film order: of prints where these are there and no others."""
        ordinary = segment_digests(self.film, self.chunks, chunk, encoding)
        if self._there(ordinary.values()):
            return ordinary
        prints = (self._prints(chunk, encoding, one) for one in self._masters if serves(one, encoding) == "mezzanine")
        return next((one for one in prints if self._there(one.values())), ordinary)

    def printed(self, chunk: Chunk, encoding: Encoding) -> Iterator[tuple[Encoding, dict[Range, str]]]:
        """From which masters, all of it on paper, a chunk can be printed, and the prints' digests; exact ones first."""
        for how in ("exact", "mezzanine"):
            for master in self._masters:
                if serves(master, encoding) == how and self._there(self.masters(chunk, master)):
                    ordinary = segment_digests(self.film, self.chunks, chunk, encoding)
                    yield master, ordinary if how == "exact" else self._prints(chunk, encoding, master)

    def masters(self, chunk: Chunk, master: Encoding) -> tuple[str, ...]:
        """Digests of the segments that a chunk is printed from."""
        return tuple(segment_digests(self.film, self.chunks, chunk, master).values())

    def _prints(self, chunk: Chunk, encoding: Encoding, master: Encoding) -> dict[Range, str]:
        frames = segment_digests(self.film, self.chunks, chunk, encoding)
        return {one: _print_digest(self.masters(chunk, master), one, encoding) for one in frames}

    def _there(self, names: Iterable[str]) -> bool:
        return all(name in self._on_paper for name in names)
