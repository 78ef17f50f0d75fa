"""Renders chunks: shows their frames to a look, encodes what it gives, and keeps it in the store.

Media is stored first and its record last, because a record is proof of finished work.

Reading, generating, encoding and finishing each have a thread, a few batches apart, so that none waits while another could go on:

    read        the chunk out of the store, its frames decoded, as tensors on the device
    generate    the look's pictures; calls take turns at it, and its device's time is measured
    encode      composed and encoded: in the thread of the call itself
    finish      hashed, its still made, uploaded, recorded; and the next chunk's encoders opened (actors/render/completion.py)

Chunks of one call follow each other without a pause in each of these. Of a second call that is made meanwhile the
first batches are read while the first call is generated, and it is generated while the first is encoded and uploaded.
"""

import time
from collections import deque
from collections.abc import Generator as Yields
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple

import av
import torch
from torch import Tensor

from actors.encode.nvenc import check_encoders
from actors.encode.nvenc_settings import TrialEncoder
from actors.looks import MOST_GENERATORS, recent
from actors.media.chunk_reader import read_chunk
from actors.media.temp_dirs import spool
from actors.media.verified import proven
from actors.picture.device import memory_ran_out, received, sent, settled, stream_of
from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch, batches_of, turned_back
from actors.picture.generator import BATCH, Generator, runtime_of
from actors.picture.prefetch import Prefetch, TurnLock
from actors.render.completion import ChunkCompletion, Opened
from actors.render.graders import grader_of
from actors.render.handles import HandleWriter, as_kept
from actors.render.propagation.propagated_colour import PropagatedColour
from actors.render.segments import SegmentInProgress, hardware
from actors.render.utilisation import ProcessorClock, StreamClock, UtilisationMeter
from jobs.errors import ChunkFailed
from jobs.ledger.hardware import refuse_other
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import Look
from jobs.records.orders import DeviceUsage, FramesRendered, HandlesRecord, RenderOrder, SegmentRecord

AHEAD = 2
"""Batches that lie ready between two threads at most: one to begin with at once, one for when the next is late."""

WORD_SECONDS = 0.5
"""Between two words of how far a chunk is: each costs the driver a millisecond, and it has hundreds of renderers to listen to."""

Finding = FramesRendered | SegmentRecord | HandlesRecord | DeviceUsage


class Batch(NamedTuple):
    """Some neighbouring frames of a read."""

    frames: list[av.VideoFrame]
    frame_batch: FrameBatch
    sent: torch.cuda.Event | None


class RenderedFrames(NamedTuple):
    """Some neighbouring frames of a read beside the look's pictures for them, turned as the film stores its own."""

    first: int
    """Number of the first frame."""
    frames: list[av.VideoFrame]
    pictures_NCHW: Tensor
    domain: Domain
    runtime: str
    """What made them (`actors.picture.generator.runtime_of`)."""
    sent: torch.cuda.Event | None


CUT = None
"""Between the batches, and the runs, of two chunks."""


class Renderer:
    """One worker. Loads the weights of each look once, and renders any number of chunks; two calls at a time."""

    def __init__(
        self,
        store: str,
        job: str,
        looks: Sequence[Look],
        cpus: float,
        gpu: bool = False,
        encoders: Sequence[TrialEncoder] = (),
        alone: bool = False,
    ) -> None:
        """`gpu`: this worker was given one. An actor that asked Ray for none sees them all the same. `encoders` of its GPU
        that its deliverables need. `alone`: the job is to be rendered on one kind of hardware. Raises NodeFault where any of
        these cannot be."""
        self.threads = max(1, int(cpus))
        self.batch = BATCH
        """Frames shown to a look at a time; halved where memory runs out."""
        torch.set_num_threads(self.threads)
        self.ledger = Ledger.at(store, job)
        self.device = settled(gpu)
        check_encoders(encoders)
        self.alone = alone
        self.generators: dict[str, Generator] = {}
        for look in looks[:MOST_GENERATORS]:
            recent(self.generators, look, self.device)
        self.turns = TurnLock()
        # One for all calls: what one thread shows a look is done before the next one's begins.
        self.stream = stream_of(self.device)
        self.copying, self.composing = stream_of(self.device), stream_of(self.device)
        self.meter = UtilisationMeter(ProcessorClock() if self.stream is None else StreamClock(self.stream))

    def render(self, orders: Sequence[RenderOrder]) -> Iterator[Finding]:
        """Render chunks one after another; tells of frames as they are done, and gives a record for each segment.

        Where memory runs out, what is lacking is begun again with half as many frames at a time, down to one, where the job may have such; findings then
        come twice. Raises what any of the three threads raised, as it was: Damaged where a chunk is not what its
        record says. However it ends, no thread and no file is left.
        """
        torch.set_num_threads(self.threads)  # in every thread: a new one would take as many as there are cores
        while True:
            try:
                yield from self._made(orders)
                return
            except (RuntimeError, MemoryError) as error:
                if self.batch == 1 or not memory_ran_out(error) or (self.alone and not self._repeats):
                    raise
            self.batch //= 2
            torch.cuda.empty_cache()

    @property
    def _repeats(self) -> bool:
        """Whether batches of any length give the same bits here: a GPU may choose other kernels for them."""
        return self.device.type == "cpu"

    def _made(self, orders: Sequence[RenderOrder]) -> Iterator[Finding]:
        lacking = []
        for order in orders:
            # After a lost worker some pieces of a batch may be kept already.
            kept = {name: self.ledger.record(name) for name in order.digests}
            yield from (record for record in kept.values() if isinstance(record, SegmentRecord | HandlesRecord))
            rest = order.lacking({name for name, record in kept.items() if record is None})
            if rest.digests:
                lacking.append(rest)
        if lacking:
            if self.alone:
                refuse_other(self.ledger, hardware(self.device))
            with (
                spool("render") as folder,
                Prefetch(self._read(lacking), AHEAD) as batches,
                Prefetch(self._generate(lacking, batches), AHEAD) as runs,
                ChunkCompletion(partial(self._opened, order, Path(folder)) for order in lacking) as finishing,
            ):
                try:
                    for order in lacking:
                        yield from self._encode(order, iter(partial(next, runs), CUT), finishing)
                except Exception:
                    yield from finishing.rest()  # what is kept of the chunk before is told, whatever became of this one
                    raise
                yield from finishing.rest()

    # read

    def _read(self, orders: Iterable[RenderOrder]) -> "Yields[Batch | None, None, None]":
        torch.set_num_threads(self.threads)
        with torch.cuda.stream(self.copying):
            for place, order in enumerate(orders):
                if place:
                    yield CUT
                with (
                    proven(self.ledger, order.media, order.split.digest) as media,
                    closing(read_chunk(media, order.split, self.threads)) as frames,  # type: ignore[type-var]  # a generator
                ):
                    for run, frame_batch in batches_of(frames, order.film.picture, self.batch, self.device):
                        yield Batch(run, frame_batch, sent(self.device))

    # generate

    def _generate(
        self, orders: Iterable[RenderOrder], batches: Iterator[Batch | None]
    ) -> "Yields[RenderedFrames | None, None, None]":
        torch.set_num_threads(self.threads)
        with self.turns, torch.cuda.stream(self.stream), self.meter.working():
            for place, order in enumerate(orders):
                if place:
                    with self.meter.waiting("write"):
                        yield CUT
                for run in self._runs(order, batches):
                    with self.meter.waiting("write"):
                        yield run

    def _runs(self, order: RenderOrder, batches: Iterator[Batch | None]) -> Iterator[RenderedFrames]:
        """The whole read, pre-roll and handles included, in order."""
        generator = self._generator(order)
        waiting: deque[av.VideoFrame] = deque()
        shown = self._shown(batches, waiting)
        pictures = (one for several in generator.render(shown) for one in torch.split(several, 1))
        first = order.read.start
        for several in _of_one_size(pictures, self.batch):
            frames = [waiting.popleft() for _ in several if waiting]
            if len(frames) < len(several):
                raise self._miscounted(order)
            stored = turned_back(torch.cat(several), order.film.picture)
            if order.look.support.dissolve:
                stored = as_kept(stored)
            yield RenderedFrames(first, frames, stored, generator.domain, runtime_of(generator), sent(self.device))
            first += len(frames)
        for _ in shown:
            pass  # what the look left unseen is not the next chunk's
        if waiting:
            raise self._miscounted(order)

    def _generator(self, order: RenderOrder) -> Generator:
        if order.look.propagation:
            return PropagatedColour(self.ledger, order)
        return recent(self.generators, order.look, self.device)

    def _shown(self, batches: Iterator[Batch | None], waiting: deque[av.VideoFrame]) -> Iterator[FrameBatch]:
        while True:
            with self.meter.waiting("read"):
                if (batch := next(batches, CUT)) is CUT:
                    return
                # Within the wait: that the device waits for a copy is no work.
                received(batch.sent, (batch.frame_batch.luma_NHW, *(batch.frame_batch.chroma or ())))
            waiting.extend(batch.frames)
            yield batch.frame_batch

    # encode

    def _encode(
        self, order: RenderOrder, runs: Iterator[RenderedFrames], finishing: ChunkCompletion
    ) -> Iterator[Finding]:
        began, done, told_at, runtime = 0.0, 0, 0.0, ""
        opened = finishing.opened()
        with opened.files as files:
            for run in runs:
                began, runtime = began or time.monotonic(), run.runtime
                with torch.cuda.stream(self.composing):
                    received(run.sent, (run.pictures_NCHW,))
                    for piece in opened.pieces:
                        piece.take(run.first, run.frames, run.pictures_NCHW, run.domain)
                before, done = done, min(max(run.first + len(run.frames) - order.core.start, 0), order.core.frames)
                late = time.monotonic() - told_at >= WORD_SECONDS or done == order.core.frames
                if done > before and late:
                    told_at = time.monotonic()
                    yield FramesRendered(chunk=order.chunk, done=done)
                yield from finishing.ready()
            made_on = hardware(self.device, runtime, self.batch)
            told = {"chunk": order.chunk, "frames": order.read.frames, "made_on": made_on}
            yield self.meter.word().model_copy(update=told)
            yield from finishing.rest()
            finishing.finish(partial(self._kept, Opened(opened.pieces, files.pop_all()), made_on, began))

    # finish

    def _opened(self, order: RenderOrder, folder: Path) -> Opened:
        """Everything that takes its frames from one rendering: segments, and what is kept for the seams."""
        film = order.film.picture
        with ExitStack() as files:
            pieces: list[SegmentInProgress | HandleWriter] = []
            grader = grader_of(order.look, film, self.ledger)
            painted = [record.frame for record in order.references]
            for place, one in enumerate(order.encodings):
                body, name = order.body(one), order.digest(one)
                segment = SegmentInProgress(film, body, name, one, folder, grader, clip=place == 0, painted=painted)
                pieces.append(files.enter_context(segment))
            for frames in order.handles:
                pieces.append(files.enter_context(HandleWriter(film, frames, order.handles_digest(frames), folder)))
            return Opened(pieces, files.pop_all())

    def _kept(self, written: Opened, made_on: str, began: float) -> list[SegmentRecord | HandlesRecord]:
        torch.set_num_threads(self.threads)
        written.files.close()
        return [piece.keep(self.ledger, made_on, time.monotonic() - began) for piece in written.pieces]

    def _miscounted(self, order: RenderOrder) -> ChunkFailed:
        return ChunkFailed(
            f"The look '{order.look.title}' does not give one picture for each frame (seen at chunk {order.chunk}); "
            "correct the look, and raise its version."
        )


def _of_one_size(pictures: Iterator[Tensor], most: int) -> Iterator[list[Tensor]]:
    """Neighbouring pictures together, so many at most: propagated colour is larger near a still."""
    for _, alike in groupby(pictures, lambda picture: picture.shape):
        while several := list(islice(alike, most)):
            yield several
