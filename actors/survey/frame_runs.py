"""Picks frames of a film, each in a run of the neighbours that looks must see, and decodes them.

No run crosses a cut, as no chunk does.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from itertools import islice

from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from actors.media.constancy import Constancy, constant
from actors.media.container import decoded, decoder_of, named, opened_at
from actors.media.display_order import in_order
from actors.media.normalise import Normaliser
from actors.survey.neighbouring_frames import FrameRuns, NeighbouringFrames, middles, run_over
from actors.survey.surveyor import Surveyor
from jobs.errors import BadMedia
from jobs.film.frame_index import FrameIndex, PacketSpan
from jobs.film.source import Film
from jobs.plan.plan import Range, Support
from jobs.plan.survey_ranges import seen


def runs_of(surveyor: Surveyor, count: int, supports: Sequence[Support], *, trim: bool = False) -> FrameRuns:
    """`count` frames, the middle ones of as many equal parts of the film (all where it has fewer), each with what every look needs.

    `trim`: as a spec's `head: trim`.
    """
    film = surveyor.film()
    index = FrameIndex(list(surveyor.pages()), complete=True, trim=trim)
    before = max(max(one.context, one.warmup) for one in supports)
    after = max(one.context for one in supports)
    runs = []
    for frame in middles(index.frames, count):
        wide = Range(max(0, frame - before), min(index.frames, frame + after + 1))
        read = _within_shot(surveyor, film, index, wide, frame)
        runs.append(run_over(film, index, read, frame))
    return FrameRuns(film, tuple(runs))


def _within_shot(surveyor: Surveyor, film: Film, index: FrameIndex, wide: Range, frame: int) -> Range:
    if wide.frames == 1:
        return wide
    looked = seen(wide, index)
    cuts = surveyor.cuts(film.picture, index.span(*looked), wide, looked.start).cuts
    start = max((cut for cut in cuts if cut <= frame), default=wide.start)
    return Range(start, min((cut for cut in cuts if cut > frame), default=wide.stop))


def frames_of(film: Film, run: NeighbouringFrames, threads: int) -> list[VideoFrame]:
    """The frames of a run, developed, in order. Raises BadMedia where one cannot be decoded."""
    try:
        return frames_read(film, run, threads)
    except LookupError:
        raise BadMedia(
            f"{named(film.source)} is damaged: a frame beside frame {run.frame} cannot be decoded; copy it again."
        ) from None


def frames_read(film: Film, run: NeighbouringFrames, threads: int) -> list[VideoFrame]:
    """The same. Raises LookupError where one cannot be decoded: for whoever can do without this very run."""
    return list(frames_in_turn(film, run, threads))


def frames_in_turn(film: Film, run: NeighbouringFrames, threads: int) -> Generator[VideoFrame, None, None]:
    """The same, one after the other: for runs of any length.

    Raises BadMedia where the picture changes its form (see `actors.media.constancy`).
    """
    with opened_at(film.source, film.picture.stream, run.span.first, run.span.first_pts) as (stream, packets):
        frames = in_order(decoded(decoder_of(stream, threads), _stamped(packets, run.span)), run.span.wanted)
        same = constant(frames, Constancy(named(film.source), film.picture), run.read.start - run.head)
        with closing(_developed(same, film)) as developed:
            yield from islice(developed, run.head, run.head + run.read.frames)


def _developed(frames: Iterator[VideoFrame], film: Film) -> Generator[VideoFrame, None, None]:
    if film.picture.development is None:
        yield from frames
        return
    developer = Normaliser(film.picture.development)
    for frame in frames:
        yield from developer.push(frame)
    yield from developer.flush()


def _stamped(packets: Iterator[Packet[VideoStream]], span: PacketSpan) -> Iterator[Packet[VideoStream]]:
    for stamp, packet in zip(span.stamps, packets, strict=False):
        packet.pts = packet.dts = stamp
        yield packet
