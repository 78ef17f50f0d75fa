"""The renderer: shows a chunk's frames to a look, encodes what it gives, keeps it in the store. Promises media first, then the record; knows no plan beyond its order."""

import os
import platform
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import av
import torch
from torch import Tensor

from actors.compose import compose
from actors.encode import SegmentWriter
from actors.looks import hire
from actors.looks.generator import BATCH, Generator
from actors.plates import Plates, batches_of, turned_back
from actors.read import read_chunk
from actors.spool import spool
from actors.stills import pair
from jobs.errors import FilmFailed
from jobs.ledger import Ledger, still_name
from jobs.plan import Look
from jobs.records import Encoding, FramesRendered, Media, RenderOrder, SegmentRecord

Finished = tuple[av.VideoFrame, Tensor]


class Renderer:
    """One worker. Loads the weights of each look once, and renders any number of chunks."""

    def __init__(self, store: str, job: str, looks: Sequence[Look], cpus: float, gpu: bool = True) -> None:
        """`gpu`: use one where there is one. An actor that asked Ray for none sees them all the same."""
        # Ray sets OMP_NUM_THREADS=1 for its actors; the order says how many cores this one has.
        torch.set_num_threads(max(1, int(cpus)))
        self.ledger = Ledger.at(store, job)
        self.device = torch.device("cuda" if gpu and torch.cuda.is_available() else "cpu")
        self.generators: dict[str, Generator] = {}
        for look in looks:
            self._generator(look)

    def render(self, orders: Sequence[RenderOrder]) -> Iterator[FramesRendered | SegmentRecord]:
        """Render chunks one after another; tells of frames as they are done, and gives a record for each segment."""
        for order in orders:
            yield from self._chunk(order)

    def _chunk(self, order: RenderOrder) -> Iterator[FramesRendered | SegmentRecord]:
        # After a lost worker some segments of a batch may be kept already.
        kept = [self.ledger.record(order.digest(one)) for one in order.encodings]
        yield from (record for record in kept if isinstance(record, SegmentRecord))
        if lacking := tuple(one for one, record in zip(order.encodings, kept, strict=True) if record is None):
            yield from self._render(order.model_copy(update={"encodings": lacking}))

    def _render(self, order: RenderOrder) -> Iterator[FramesRendered | SegmentRecord]:
        began = time.monotonic()
        generator = self._generator(order.look)
        done, still = 0, b""
        with spool("render") as folder, ExitStack() as stack:
            paths = [Path(folder, f"{place}.mkv") for place in range(len(order.encodings))]
            writers = [
                stack.enter_context(SegmentWriter(encoding, path))
                for encoding, path in zip(order.encodings, paths, strict=True)
            ]
            for finished in runs_of(self._core(order, generator), BATCH):
                frames = [frame for frame, _ in finished]
                picture = turned_back(torch.cat([one for _, one in finished]), order.film.picture)
                for writer, encoding in zip(writers, order.encodings, strict=True):
                    composed = compose(frames, picture, generator.domain, order.film.picture, encoding.pix_fmt)
                    for frame in composed:
                        writer.write(frame)
                if done <= order.core.frames // 2 < done + len(frames):
                    place = order.core.frames // 2 - done
                    still = pair(frames[place], composed[place], order.film.picture)
                done += len(frames)
                yield FramesRendered(chunk=order.chunk, done=done)
            stack.close()
            for writer, encoding, path in zip(writers, order.encodings, paths, strict=True):
                yield self._keep(order, encoding, writer, path, still, time.monotonic() - began)

    def _core(self, order: RenderOrder, generator: Generator) -> Iterator[Finished]:
        """The core's frames beside the look's pictures for them; pre-roll and handles are shown and thrown away."""
        waiting: deque[av.VideoFrame] = deque()
        number = order.read.start
        with self.ledger.store.open(self.ledger.key(order.media.key)) as media:
            for picture in generator.render(self._shown(read_chunk(media, order.split), order, waiting)):
                for one in torch.split(picture, 1):
                    if not waiting:
                        raise self._miscounted(order)
                    frame = waiting.popleft()
                    if order.core.start <= number < order.core.stop:
                        yield frame, one
                    number += 1

    def _shown(
        self, frames: Iterable[av.VideoFrame], order: RenderOrder, waiting: deque[av.VideoFrame]
    ) -> Iterator[Plates]:
        for run, plates in batches_of(frames, order.film.picture, BATCH, self.device):
            waiting.extend(run)
            yield plates

    def _keep(
        self, order: RenderOrder, encoding: Encoding, writer: SegmentWriter, path: Path, still: bytes, seconds: float
    ) -> SegmentRecord:
        facts = writer.facts
        if facts.frames != order.core.frames:
            raise self._miscounted(order)
        self.ledger.store.write(self.ledger.key(still_name(order.digest(encoding))), still)
        media = Media(key=f"media/{facts.sha256}", sha256=facts.sha256, bytes=facts.bytes)
        self.ledger.store.write_file(self.ledger.key(media.key), path, only_if_absent=True)
        return self.ledger.keep(
            SegmentRecord(
                digest=order.digest(encoding),
                core=order.core,
                media=media,
                delay=facts.delay,
                extradata_sha256=facts.extradata_sha256,
                made_on=hardware(self.device),
                seconds=round(seconds, 3),
            )
        )

    def _miscounted(self, order: RenderOrder) -> FilmFailed:
        return FilmFailed(
            f"The look '{order.look.choice.name}' does not give one picture for each frame (seen at chunk {order.chunk}); "
            "mend the look, and raise its version."
        )

    def _generator(self, look: Look) -> Generator:
        name = look.model_dump_json()
        if name not in self.generators:
            self.generators[name] = hire(look, self.device)
        return self.generators[name]


def runs_of(finished: Iterable[Finished], length: int) -> Iterator[list[Finished]]:
    """Neighbours, `length` at a time; the last run may be shorter."""
    rest = iter(finished)
    while run := list(islice(rest, length)):
        yield run


def hardware(device: torch.device) -> str:
    """The kind of hardware a picture is made on: the GPU's name, or the processor's and its instruction set."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}, {os.cpu_count()} cores"
