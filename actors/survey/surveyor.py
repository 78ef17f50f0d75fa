"""Surveys a source: what it is, where its packets and cuts lie, and what can be made of it. What cannot be carried is refused.

The index is a demux, no picture is decoded for it; cuts are found range by range, any number of ranges at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain, islice

import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from actors.media.constancy import Constancy, OddFrame
from actors.media.container import (
    decoded,
    decoder_of,
    named,
    opened,
    opened_at,
    packets_of,
    picture_stream,
)
from actors.media.display_order import in_order, with_holes
from actors.media.limits import LARGEST_SIDE, refuse_length, refuse_size, refuse_tags
from actors.media.metadata.image_headers import size_of, timecode_in
from actors.media.metadata.vetting import refuse_costly
from actors.media.normalise import developed_frame
from actors.media.pixel_formats import is_linear
from actors.mux.stream_plan import plan_deliverables
from actors.picture.motion.flow import Floats
from actors.shot_lists.cut_lists import given_cuts
from actors.survey.content_probe import glance
from actors.survey.cut_search import CutSearch
from actors.survey.hidden_cuts import BEGIN, MIDDLE, beside, goes_on, luma_of
from actors.survey.packet_index import pages
from actors.survey.probe import header_kept, others_of, picture_of, seconds_of, timecode_of
from jobs.errors import BadMedia
from jobs.film.ffmpeg_commands import ONE_RATE
from jobs.film.frame_index import Ints, PacketSpan, Page
from jobs.film.source import Film, Picture
from jobs.plan.plan import Range
from jobs.records.cuts import Cuts
from jobs.records.deliverables import DeliverablePlan
from jobs.spec.job import JobSpec, Reading
from jobs.store import source_identity

DETECT_WIDTH = 256
"""Width in pixels of the pictures in which cuts are sought, at most."""

FIRST_FRAME_WITHIN = 512
"""Packets read at most in search of a first frame."""

HEAD = 4096
"""Bytes of the first packet in which a picture file's own header is read."""

PROBED = 32
"""Frames decoded to see that the container's display times are the decoder's."""


class Surveyor:
    """Surveys one source, named by its URL. Opens it anew in every call."""

    def __init__(self, source: str, threads: int = 1, reading: Reading | None = None) -> None:
        """`source`: a path, file:// or s3:// URL. `threads`: for decoding; one costs the least, and ranges are looked through side by side.

        `reading`: what the job's spec says of how the source is read; by default nothing.
        """
        self.reading = reading or Reading()
        self.source = source
        self.threads = threads
        self._what = named(source)

    def film(self) -> Film:
        """What the film is. Raises BadMedia where it cannot be read, or has a picture that the farm does not carry."""
        refuse_costly(self.source)
        with opened(self.source) as container:
            stream = picture_stream(container, self._what, self.reading.video)
            refuse_length(seconds_of(container), self._what)
            for tags in (container.metadata, *(one.metadata for one in container.streams)):
                refuse_tags(tags, self._what)
            with header_kept(stream):
                first, interlaced, head = self._first_frames(container, stream)
            seen = glance(self.source, stream.index)
            picture = picture_of(stream, first, self._what, self.reading, interlaced or seen.interlaced)
            return Film(
                source=self.source,
                identity=source_identity(self.source),
                format=container.format.name,
                picture=picture.model_copy(update={"grey": seen.grey}),
                others=others_of(container, stream),
                chapters=len(container.chapters()),
                tags=dict(container.metadata),
                timecode=timecode_of(container, stream) or timecode_in(head, picture.rate),
                captions=seen.captions,
                seconds=seconds_of(container),
            )

    def _first_frames(self, container: InputContainer, stream: VideoStream) -> tuple[VideoFrame, bool, bytes]:
        """The first frame, whether one of the first is interlaced, and how the first packet begins."""
        size = stream.codec_context.width, stream.codec_context.height
        packets = packets_of(container, stream, self._what)
        packet = next(packets, None)
        if packet is None:
            raise BadMedia(f"{self._what} has a video stream without frames; copy it again.")
        if packet.has_sidedata("encryption_info"):
            raise BadMedia(f"{self._what} is encrypted; deliver it without encryption.")
        head = bytes(memoryview(packet)[:HEAD])
        first: VideoFrame | None = None
        interlaced = False
        few = chain((packet,), islice(packets, FIRST_FRAME_WITHIN))
        for number, frame in enumerate(_ascending(decoded(decoder_of(stream, self.threads), few), self._what)):
            if first is None:
                refuse_size(frame.width, frame.height, self._what)
            first, interlaced = first or frame, interlaced or frame.interlaced_frame
            if number >= PROBED:
                break
        if first is None:
            raise self._undecodable(*(size_of(head) or size))
        return first, interlaced, head

    def _undecodable(self, width: int, height: int) -> BadMedia:
        """Why no frame can be decoded of a film whose header says this size; 0 where it does not."""
        refuse_size(width, height, self._what)
        # libav opens no decoder for 16384x16384, and then forgets the size that the container says.
        why = (
            "or encrypted"
            if width
            else f"encrypted, or far larger than the {LARGEST_SIDE:,} pixels a side that are carried"
        )
        return BadMedia(f"{self._what} has no first frame that can be decoded; it is damaged, {why}.")

    def pages(self, kept: int = 0, resume: Page | None = None) -> Iterator[Page]:
        """The frame index, page by page, from the packet after the last one kept.

        `kept` is the number of packets (not pages) on all pages kept so far, `resume` the last of these pages. The same
        packets come whether the survey was interrupted or not. Raises BadMedia on missing times or a truncated file.
        """
        return pages(self.source, kept, resume, self.reading)

    def cuts(
        self, picture: Picture, span: PacketSpan, frames: Range, first: int, threshold: float = 3.0, mend: bool = False
    ) -> Cuts:
        """Numbers of the frames within `frames` that begin a shot, ascending; exactly those that a run over the whole film finds.

        `span` are the packets of `jobs.plan.survey_ranges.seen(frames)` and `first` is that range's first frame; `threshold` is the
        adaptive threshold. `mend`: a frame that cannot be decoded is taken to be as the one before it. Raises BadMedia where
        one is missing and that is not asked for, or the picture changes its form (see `actors.media.constancy`).
        """
        search = CutSearch(threshold, luma_only=picture.grey)
        found: set[int] = set()
        for number, shown in self._shown(picture, span, first, mend):
            found.update(search.push(number, shown))
        return Cuts(frames=frames, cuts=tuple(cut for cut in sorted(found) if frames.start <= cut < frames.stop))

    def continued(
        self, picture: Picture, span: PacketSpan, frames: Range, first: int, listed: tuple[int, ...], edl: bool
    ) -> Cuts:
        """At which of a list's cuts within `frames` the picture goes on; `span` are the packets of all frames beside them, from `first` on.

        `edl`: the list has its cuts where dissolves begin.
        A frame that cannot be decoded is taken to be as the one before it.
        """
        edges = [first, *listed, first + len(span.wanted)]
        waiting = deque(
            (cut, beside(cut, *ends)) for cut, ends in zip(listed, zip(edges, edges[2:], strict=False), strict=True)
        )
        wanted = {number for _, numbers in waiting for number in numbers}
        continued: list[int] = []
        lumas: dict[int, Floats] = {}
        for number, shown in self._shown(picture, span, first, mend=True):
            if number in wanted:
                lumas[number] = luma_of(shown)
            while waiting and number == waiting[0][1][-1]:
                cut, numbers = waiting.popleft()
                continued += [cut] if goes_on([lumas[at] for at in numbers], BEGIN if edl else MIDDLE) else []
                lumas = {at: luma for at, luma in lumas.items() if waiting and at >= waiting[0][1][0]}
        return Cuts(frames=frames, cuts=listed, continued=tuple(continued))

    def _shown(
        self, picture: Picture, span: PacketSpan, first: int, mend: bool
    ) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Numbers of frames, and how cuts are sought in them. Raises as `cuts`."""
        small = _Small(picture)
        constancy = Constancy(self._what, picture, mend=mend)
        with opened_at(self.source, picture.stream, span.first, span.first_pts) as (stream, packets):
            frames_as_decoded = decoded(decoder_of(stream, self.threads), _stamped(packets, span.stamps))
            shown: NDArray[np.uint8] | None = None
            try:
                for number, frame in enumerate(self._wanted(frames_as_decoded, span.wanted, mend), first):
                    if frame is not None and constancy.push(frame, number):
                        shown = small(frame)
                    if shown is not None:
                        yield number, shown
                constancy.end()
            except OddFrame as odd:
                raise self._damaged_at(odd.args[0]) from None
            except LookupError as missing:
                raise self._damaged_at(first + missing.args[0]) from None

    def _damaged_at(self, number: int) -> BadMedia:
        return BadMedia(f"{self._what} is damaged: frame {number} cannot be decoded; copy it again.")

    def _wanted(
        self, frames: Iterator[VideoFrame], wanted: tuple[int, ...], mend: bool
    ) -> Iterator[VideoFrame] | Iterator[VideoFrame | None]:
        return with_holes(frames, wanted) if mend else in_order(_ascending(frames, self._what), wanted)

    def given_cuts(self, url: str, film: Film, pts: Ints) -> Cuts:
        """The cuts in the studio's own list at `url`; see `actors.shot_lists.cut_lists.given_cuts`."""
        return Cuts(frames=Range(0, len(pts)), cuts=tuple(given_cuts(url, film, pts)))

    def decide(self, film: Film, spec: JobSpec, grey_stays_grey: bool) -> tuple[DeliverablePlan, ...]:
        """What each deliverable will be, tried out on the source's streams; see `actors.mux.stream_plan.plan_deliverables`."""
        return plan_deliverables(film, spec, self.source, grey_stays_grey)


def _stamped(packets: Iterator[Packet[VideoStream]], stamps: tuple[int, ...]) -> Iterator[Packet[VideoStream]]:
    # zip would take one packet too many from the source before it looks at the stamps.
    for stamp, packet in zip(stamps, packets, strict=False):
        packet.pts = packet.dts = stamp
        yield packet


class _Small:
    """Makes the pictures in which cuts are sought: BGR, 8 bit, at most DETECT_WIDTH wide, averaged by area.

    From frames as decoded, undeveloped where libav can read them: cuts need no exact samples.
    """

    def __init__(self, picture: Picture) -> None:
        self._reformatter = VideoReformatter()
        self._development = picture.development if is_linear(picture.stored) else None

    def __call__(self, frame: VideoFrame) -> NDArray[np.uint8]:
        if self._development is not None:
            frame = developed_frame(frame, self._development)
        width = min(DETECT_WIDTH, frame.width)
        height = max(1, round(frame.height * width / frame.width))
        small = self._reformatter.reformat(frame, width, height, "bgr24", interpolation="AREA", threads=1)
        return small.to_ndarray().astype(np.uint8, copy=False)


def _ascending(frames: Iterable[VideoFrame], what: str) -> Iterator[VideoFrame]:
    """The decoder's frames as they come. Raises BadMedia where display times contradict the decoder's own order.

    AVI has no display times, and libav fills in decode times without a word: with B-frames every frame would be misnamed.
    """
    last: int | None = None
    for frame in frames:
        if frame.pts is not None:
            if last is not None and frame.pts < last:
                raise BadMedia(
                    f"{what} has wrong display times (AVI with B-frames has, and so have films joined end to end); "
                    f"give it right ones first, for example with {ONE_RATE}."
                )
            last = frame.pts
        yield frame
