"""Checks that a film has all the pictures that its container promises, by counts, durations, indexes and structure.

Where every frame lies on a constant grid up to the promised end, nothing can be missing, and no more is read. Where it
does not, the film may have a variable rate, or a hole: the container's own structure tells which.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from typing import TypeVar

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from actors.media.container import named, opened
from actors.survey.structure import asf, boxes, chains, matroska, transport
from actors.survey.structure.octets import BrokenStructure, FileBytes
from jobs.errors import BadMedia
from jobs.film.ffmpeg_commands import KEEP
from jobs.film.frame_index import Ints
from jobs.plan.output_timing import constant_rate
from jobs.store import open_octets

Check = Callable[[FileBytes], None]
Found = TypeVar("Found")

ROUNDING = Fraction(2, 1000)
"""Seconds by which a promised end may be off, for the end and the last frame's time are each rounded to milliseconds."""
BEFORE_END = 1.0
"""Seconds before the picture's end from which other streams are read, to see where they end."""
HOLES = 4
"""A rate that fits all but one frame in so many is constant, and what is missing of it is missing from the film."""
MOSTLY = 0.9
"""Part of all gaps that must be whole numbers of frames where the rate is to be called constant."""


class PacketCensus:
    """The packets of one picture, counted as they come, from the `place`-th on."""

    def __init__(self, url: str, stream: VideoStream, place: int) -> None:
        container = stream.container
        assert isinstance(container, InputContainer)
        self._url = url
        self._place = self._first = place
        self._form = container.format.name.partition(",")[0]
        self._index, self._id = stream.index, stream.id
        self._tick = Fraction(stream.time_base or 1)
        self._nominal = Fraction(stream.average_rate or stream.guessed_rate or 1)
        self._frames = stream.frames
        self._length = stream.duration or 0
        self._samples = len(stream.index_entries)
        self._promised = Fraction(container.duration or 0, av.time_base)
        self._own = _tagged_seconds(stream)
        self._times = array("q")
        self._last: tuple[int, int] = (0, 0)
        self._torn: int | None = None
        self._place_in_file = 0
        self._begin: int | None = None

    def see(self, packet: Packet[VideoStream], time: int, hidden: bool) -> None:
        """One more packet, at its time in ticks."""
        self._last = max(self._last, (time, packet.duration or 0))
        self._place_in_file = packet.pos or 0
        if packet.is_keyframe and self._begin is None:
            self._begin = time
        if packet.is_corrupt and self._torn is None:
            self._torn = self._place
        if not hidden:
            self._times.append(time)
        self._place += 1

    def judge(self) -> None:
        """There are no more packets. Raises BadMedia where some that were promised have not come."""
        try:
            self._judge(np.sort(np.array(self._times, np.int64)))
            if self._torn is not None and self._form not in ("mpegts", "mpeg"):
                raise BrokenStructure(f"is truncated: the packet of frame {self._torn} breaks off")
        except BrokenStructure as torn:
            raise BadMedia(
                f"{named(self._url)} {torn}; copy it again, or keep what is there as a film of its own: {KEEP}."
            ) from None

    def _judge(self, times: Ints) -> None:
        match self._form:
            case "mov":
                self._read(lambda file: self._refuse_fewer(boxes.check_boxes(file, self._id)))
                self._refuse_fewer(self._samples)
            case "avi":
                # AVI counts ticks, not packets: its empty chunks, which libav leaves out, show the frame before them once more.
                if self._last[0] + max(1, self._last[1]) < self._frames:
                    raise BrokenStructure(f"is truncated after frame {self._place} of {self._frames}")
            case "mxf" | "gxf" | "ivf":
                self._refuse_fewer_ticks(times)
            case "matroska":
                self._read(matroska.check_segment)
                self._refuse_short_track(times)
                self._refuse_short(times)
                self._in_doubt(times, matroska.check_elements)
            case "flv":
                self._refuse_short(times)
                self._in_doubt(times, chains.check_flv)
                self._refuse_holes(times)
            case "asf":
                self._read(asf.check_asf)
                self._refuse_short(times)
                self._refuse_holes(times)
            case "nut":
                self._read(chains.check_nut)
                self._refuse_short(times)
                self._refuse_holes(times)
            case "ogg":
                self._read(chains.check_ogg)
            case "mpeg":
                self._read(chains.check_program)
                self._refuse_holes(times)
            case "mpegts":
                # A transport stream promises no length: one that ends early is a shorter film. Where all frames lie on the
                # rate's grid nothing is missing between them, and only what follows the last of them is looked at.
                since = self._place_in_file if self._is_whole(times) else 0
                if not self._read(lambda file: transport.check_transport(file, self._id, since)):
                    self._refuse_holes(times)

    def _read(self, check: Callable[[FileBytes], Found]) -> Found:
        with closing(open_octets(self._url)) as file:
            return check(FileBytes(file))

    def _in_doubt(self, times: Ints, check: Check) -> None:
        if not (self._is_whole(times) and self._promised):
            self._read(check)

    def _is_whole(self, times: Ints) -> bool:
        return not self._first and len(times) > 1 and constant_rate(times, self._tick, self._nominal) is not None

    def _refuse_fewer(self, promised: int) -> None:
        if self._place < promised:
            raise BrokenStructure(f"is truncated after frame {self._place} of {promised}")

    def _refuse_fewer_ticks(self, times: Ints) -> None:
        """A container that counts edit units: as many as it says, one after another."""
        gaps = np.diff(times)
        step = int(gaps.min()) if len(gaps) else 1
        if len(holes := np.flatnonzero(gaps > step)) and self._form == "mxf":
            number, lost = self._first + int(holes[0]), int(gaps[holes[0]]) // max(1, step) - 1
            raise BrokenStructure(f"lacks {lost} of the pictures that it counts, after frame {number}")
        length = self._length or self._frames
        # MXF's own clock begins with its first picture, so one that begins later lacks those before.
        lasts = self._last[0] + step - (int(times[0]) if self._form == "mxf" and len(times) else 0)
        if self._place < length and lasts < length < 1 << 31:
            raise BrokenStructure(
                f"is truncated, or lacks pictures: it says that it lasts {length} ticks, and has {lasts} of them"
            )

    def _refuse_holes(self, times: Ints) -> None:
        """A rate that is constant but for some frames that are missing; for containers whose structure would not tell."""
        # What comes before the first keyframe is the rest of a group that began before the recording did.
        gaps = np.diff(times[times >= (self._begin or 0)])
        if self._is_whole(times) or not len(gaps):
            return
        usual = int(np.median(gaps))
        steps = np.rint(gaps / max(1, usual))
        on_grid = np.abs(gaps - steps * usual) <= max(1, usual // 8)
        holes = np.flatnonzero(steps > 1)
        if on_grid.mean() > MOSTLY and 0 < len(holes) * HOLES <= len(gaps):
            number = self._first + len(times) - 1 - len(gaps) + int(holes[0])
            raise BrokenStructure(
                f"lacks {int(steps[holes[0]]) - 1} pictures after frame {number}, where its rate has some"
            )

    def _refuse_short_track(self, times: Ints) -> None:
        """Matroska may say of each stream by a tag how long it is. A tag beyond the film's end is one of another film."""
        end = self._end(times)
        if self._own <= self._promised + ROUNDING and end + self._slack(times) < self._own:
            raise self._short(end, self._own)

    def _refuse_short(self, times: Ints) -> None:
        """The header says when the last of all streams ends. Where the picture ends before it, some other must reach it."""
        counts_starts = self._form == "nut"
        end = self._last[0] * self._tick if counts_starts else self._end(times)
        slack = ROUNDING if counts_starts else self._slack(times)
        if self._promised <= end + slack:
            return
        end = max(end, self._end_of_others(end))
        if self._promised > end + slack:
            raise self._short(end, self._promised)

    def _usual(self, times: Ints) -> int:
        """How long the last frame is shown, in ticks: as its packet says, else as long as the one before it."""
        return self._last[1] or (int(times[-1] - times[-2]) if len(times) > 1 else 0)

    def _end(self, times: Ints) -> Fraction:
        return (self._last[0] + self._usual(times)) * self._tick

    def _slack(self, times: Ints) -> Fraction:
        """How far the last frame may reach beyond that. Where the rate is constant, not by half a frame: one more would be missing."""
        longest = self._usual(times) / 2 if self._is_whole(times) else int(np.diff(times).max(initial=0))
        return max(ROUNDING, Fraction(longest) * self._tick)

    def _end_of_others(self, end: Fraction) -> Fraction:
        with opened(self._url) as container:
            container.seek(int(max(0.0, float(end) - BEFORE_END) * av.time_base))
            for packet in container.demux():
                if packet.stream_index != self._index and packet.pts is not None and packet.time_base is not None:
                    last = packet.pts + (packet.duration or 0) * (self._form != "nut")
                    end = max(end, last * Fraction(packet.time_base))
        return end

    @staticmethod
    def _short(end: Fraction, promised: Fraction) -> BrokenStructure:
        return BrokenStructure(f"is truncated: it ends at {float(end):.3f} s of {float(promised):.3f} s")


def _tagged_seconds(stream: VideoStream) -> Fraction:
    """Matroska's tag DURATION, as in 00:01:02.040000000; 0 where there is none."""
    parts = stream.metadata.get("DURATION", "").split(":")
    try:
        hours, minutes, seconds = (Fraction(part.strip()) for part in parts)
    except ValueError:
        return Fraction(0)
    return hours * 3600 + minutes * 60 + seconds
