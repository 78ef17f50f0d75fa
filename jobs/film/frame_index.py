"""The frame index: every packet of the video stream, and every frame of the film in display order.

A packet has a place in decode order (the order of the file) and a rank in display order (the order of pts). A frame of
the film is a packet that is not hidden by an edit list; frames are numbered from 0 in display order. Hidden packets keep
their rank, because a decoder counts them too.
"""

import io
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from jobs.errors import BadMedia
from jobs.film.ffmpeg_commands import LOSSLESS, ONE_RATE

LARGEST_PAGE = 16 << 20
"""Bytes of a page, unpacked."""

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

REORDER = 16
"""Packets that may come before one and be displayed after it, at most: the bound that H.264 and HEVC set."""

_ANEW = f"set them again first, for example with {ONE_RATE}."
JUMPS_BACK = f"The source's time stamps jump back (those of films joined end to end do); {_ANEW}"
"""What is said where frames are shown, or decoded, before others that come long before them."""

UNKNOWN = int(np.iinfo(np.int64).min)
"""A decode time that the source does not tell."""


@dataclass(frozen=True)
class Page:
    """A run of packets in decode order, as the survey read them; an empty page says that there are no more. Times in ticks of the stream's time base; dts may be UNKNOWN."""

    pts: Ints
    dts: Ints
    duration: Ints
    size: Ints
    key: Flags
    hidden: Flags

    def __len__(self) -> int:
        return len(self.pts)

    def dump(self) -> bytes:
        """The page as a compressed .npz."""
        out = io.BytesIO()
        np.savez_compressed(out, **{name: getattr(self, name) for name in self.__dataclass_fields__})
        return out.getvalue()

    @classmethod
    def load(cls, data: bytes) -> Self:
        """A page from `dump`. Raises ValueError for anything else: nothing is unpickled, and no more is unpacked than a page can hold."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                if sum(member.file_size for member in archive.infolist()) > LARGEST_PAGE:
                    raise ValueError("larger than any page")
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                page = cls(**{name: arrays[name] for name in cls.__dataclass_fields__})
        except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, OSError, NotImplementedError, MemoryError) as error:
            raise ValueError(f"no page of this version ({error})") from None
        kinds = {name: bool if name in ("key", "hidden") else np.int64 for name in cls.__dataclass_fields__}
        if any(getattr(page, name).dtype != kind for name, kind in kinds.items()):
            raise ValueError("its arrays are of other types")
        if any(getattr(page, name).shape != (page.pts.size,) for name in kinds):
            raise ValueError("its arrays differ in length")
        return page

    @classmethod
    def join(cls, pages: Sequence["Page"]) -> Self:
        """One page of all, in order."""
        return cls(
            **{name: np.concatenate([getattr(page, name) for page in pages]) for name in cls.__dataclass_fields__}
        )


def _headless(packets: Page) -> Flags:
    """Frames that come before the first keyframe, as the file has them or as they are shown: the leading pictures of an open group."""
    keys = np.flatnonzero(packets.key)
    before = np.zeros(len(packets), np.bool_)
    if len(keys):
        first, following = int(keys[0]), int(keys[1]) if len(keys) > 1 else len(packets)
        before[:following] = packets.pts[:following] < packets.pts[first]
        before[:first] = True
    return before & ~packets.hidden


@dataclass(frozen=True)
class PacketSpan:
    """A run of packets, in decode order, that decodes to a run of frames: from a keyframe to the last packet wanted.

    `stamps[i]` is the i-th packet's rank in display order among the packets of the span: written as its time in a chunk,
    it names the frame exactly, whatever the container rounds. `wanted` are the stamps of the frames wanted, in display order.
    """

    first: int
    first_pts: int
    stamps: tuple[int, ...]
    wanted: tuple[int, ...]
    bytes: int

    @property
    def lead_in(self) -> int:
        """Packets decoded and thrown away."""
        return len(self.stamps) - len(self.wanted)


class FrameIndex:
    """All packets known so far and the frames they make. Grows by pages; the settled prefix never changes."""

    def __init__(self, pages: Sequence[Page], *, complete: bool, trim: bool = False) -> None:
        """All pages so far, in order, at least one. Raises BadMedia where the time stamps do not order the frames.

        `trim`: frames that nothing before them lets decode, at the head of a recording that begins amid a group of pictures, are
        left out; without it such a film is refused.
        """
        packets = Page.join(pages)
        self.complete = complete
        headless = _headless(packets)
        self.skipped = int(np.count_nonzero(headless & ~packets.hidden))
        """Frames left out at the head."""
        if self.skipped and not trim and (complete or packets.key.any()):
            raise BadMedia(
                f"The source begins in the middle of a group of pictures: {self.skipped:,} frames come before its first keyframe "
                "and cannot be decoded; set head: trim (--head trim) to begin with the first that can."
            )
        self.packets = replace(packets, hidden=packets.hidden | headless)
        # Hidden packets may share a stamp with a frame: VP8's invisible ones do.
        if (np.diff(self.pts) == 0).any():
            raise BadMedia(
                f"The source has two frames with one and the same time stamp (films joined end to end have); {_ANEW}"
            )
        back = bool((self.rank < np.arange(len(self.rank)) - REORDER).any())
        keyed = self.packets.pts[self._keys]
        # A hidden packet's time is that before its own edit, and may be a time of the edit before: a keyframe must be told by it.
        if self.packets.hidden.any() and (back or len(np.unique(keyed)) < len(keyed)):
            raise BadMedia(
                "The source's edit list joins parts of its picture inside their groups of pictures; "
                f"make it one piece first, for example with {LOSSLESS}."
            )
        if back:
            raise BadMedia(JUMPS_BACK)
        if complete and not len(self.shown):
            raise BadMedia("The source's video stream has no frames; copy it again, or name another file.")

    @classmethod
    def beginning(cls, pages: Iterable[Page], *, trim: bool) -> Self:
        """Of as few pages as tell which frames at the film's head can be decoded. Raises as the whole index does for them."""
        kept: list[Page] = []
        for page in pages:
            kept.append(page)
            keys = Page.join(kept).key
            if keys.any() and len(keys) - int(np.argmax(keys)) > REORDER:
                return cls(kept, complete=False, trim=trim)
        return cls(kept, complete=True, trim=trim)

    @cached_property
    def order(self) -> Ints:
        """Places in decode order, sorted by display."""
        return np.argsort(self.packets.pts, kind="stable")

    @cached_property
    def rank(self) -> Ints:
        """For each packet, its rank in display order among all packets."""
        rank = np.empty(len(self.order), np.int64)
        rank[self.order] = np.arange(len(self.order))
        return rank

    @cached_property
    def shown(self) -> Ints:
        """For each frame of the film, its packet's place in decode order."""
        return self.order[~self.packets.hidden[self.order]]

    @cached_property
    def frames(self) -> int:
        """Frames of the film that are settled: no packet still to come can be displayed before them."""
        if self.complete:
            return len(self.shown)
        # Not by dts: libav guesses it in Matroska, and AVI and the like have no other time.
        return int(np.count_nonzero(self.rank[self.shown] < len(self.order) - REORDER))

    @cached_property
    def pts(self) -> Ints:
        """Time of each frame, in ticks of the stream's time base."""
        return self.packets.pts[self.shown]

    @cached_property
    def durations(self) -> Ints:
        """Ticks to the next frame; the last frame's own duration as its packet says, else as long as the one before."""
        gaps = np.diff(self.pts)
        own = int(self.packets.duration[self.shown[-1]])
        last = own if own > 0 else int(gaps[-1]) if len(gaps) else 1
        return np.append(gaps, last)

    @cached_property
    def _keys(self) -> Ints:
        return np.flatnonzero(self.packets.key)

    def span(self, start: int, stop: int) -> PacketSpan:
        """The packets that decode frames [start, stop).

        From the last keyframe not displayed after the first frame wanted, to the last packet wanted in decode order.
        Raises BadMedia where no keyframe comes before the first frame.
        """
        wanted = self.shown[start:stop]
        # The latest in decode order may not be the latest displayed; a keyframe after the wanted packet is no help.
        key = int(np.searchsorted(self._keys, wanted.min(), "right")) - 1
        while key >= 0 and self.packets.pts[self._keys[key]] > self.packets.pts[wanted[0]]:
            key -= 1
        if key < 0:
            raise BadMedia(
                f"Frame {start} comes before the source's first keyframe and cannot be decoded; trim the source's head."
            )
        first, last = int(self._keys[key]), int(wanted.max())
        pts = self.packets.pts[first : last + 1]
        # Ranked among the span's own packets: the same whether or not the packets after it have been surveyed yet.
        stamps = np.empty(len(pts), np.int64)
        stamps[np.argsort(pts, kind="stable")] = np.arange(len(pts))
        return PacketSpan(
            first=first,
            first_pts=int(pts[0]),
            stamps=tuple(stamps.tolist()),
            wanted=tuple(stamps[wanted - first].tolist()),
            bytes=int(self.packets.size[first : last + 1].sum()),
        )

    def entries(self) -> Ints:
        """Frame numbers at which decoding can begin without lead-in, in order: shown keyframes."""
        frame_of = np.full(len(self.order), -1, np.int64)
        frame_of[self.shown] = np.arange(len(self.shown))
        entries = frame_of[self._keys]
        return np.sort(entries[(entries >= 0) & (entries < self.frames)])
