"""Blends two renderings of the frames after a seam, and encodes the result as the later chunk's opening.

Openings are composed and encoded by the code that makes the rest of a core (actors/render/segments.py).

The earlier chunk's picture fades out and the later's fades in, by a raised cosine. What the look leaves as it is, luma or
chroma, is that of the later chunk's own frames.
"""

import time
from collections.abc import Generator as Yields
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from pathlib import Path
from statistics import fmean

import av
import torch
from torch import Tensor

from actors.media.chunk_reader import read_chunk
from actors.media.temp_dirs import spool
from actors.media.verified import proven
from actors.picture.domain import Domain
from actors.picture.generator import BATCH
from actors.picture.grading.grader import Grader
from actors.render.graders import grader_of
from actors.render.handles import read_handles
from actors.render.segments import SegmentInProgress
from jobs.errors import FilmFailed
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import dissolve_weights
from jobs.records.orders import DissolveOrder, Encoding, HandlesRecord, SegmentRecord


class Dissolver:
    """One worker. Needs no GPU: it reads what renderers kept."""

    def __init__(self, store: str, job: str) -> None:
        # It works beside the renderers; one thread wastes no core by waiting for another.
        torch.set_num_threads(1)
        self.ledger = Ledger.at(store, job)

    def dissolve(self, order: DissolveOrder) -> Iterator[SegmentRecord]:
        """A record for the opening in each encoding. Raises BadMedia or FilmFailed where a kept picture or a frame is missing."""
        began = time.monotonic()
        kept = [self.ledger.record(order.digest(one)) for one in order.encodings]
        yield from (record for record in kept if isinstance(record, SegmentRecord))
        lacking = [one for one, record in zip(order.encodings, kept, strict=True) if record is None]
        made_on = " + ".join(sorted({order.before.made_on, order.after.made_on}))
        with spool("dissolve") as folder, ExitStack() as stack:
            grader, clip = grader_of(order.look, order.film.picture, self.ledger), lacking[:1]
            pieces = [stack.enter_context(_piece(order, one, Path(folder), grader, one in clip)) for one in lacking]
            domain, first = Domain(order.after.domain), order.core.start
            apart: list[float] = []
            for frames, pictures in self._runs(order, apart) if pieces else ():
                for piece in pieces:
                    piece.take(first, frames, pictures, domain)
                first += len(frames)
            stack.close()
            for piece in pieces:
                yield piece.keep(self.ledger, made_on, time.monotonic() - began, round(fmean(apart) / domain.span, 6))

    def _runs(self, order: DissolveOrder, apart: list[float]) -> Iterator[tuple[list[av.VideoFrame], Tensor]]:
        """The opening's frames beside their pictures, some at a time; puts down how far the two renderings of each frame lie `apart`."""
        head = order.core.start - order.read.start
        with (
            proven(self.ledger, order.media, order.split.digest) as media,
            closing(read_chunk(media, order.split)) as frames,  # type: ignore[type-var]  # a generator
        ):
            own = islice(frames, head, None)
            pictures = self._blended(order, apart)
            while run := list(islice(pictures, BATCH)):
                yield list(islice(own, len(run))), torch.cat(run)

    def _blended(self, order: DissolveOrder, apart: list[float]) -> Iterator[Tensor]:
        # All of both is proven before the last piece is closed, though of the earlier a frame may be left over.
        with self._kept(order.before) as earlier, self._kept(order.after) as later:
            for weight in dissolve_weights(order.dissolve):
                one, other = next(earlier, None), next(later, None)
                if one is None or other is None:
                    gone = order.before if one is None else order.after
                    raise FilmFailed(
                        f"the kept pictures {gone.media.key} are cut short; delete that object and records/{gone.digest}.json, "
                        "and run the job again."
                    )
                apart.append(float((other - one).abs().mean()))
                # Where both are equal, so is the blend, bit for bit.
                yield one + weight * (other - one)
            yield from later

    @contextmanager
    def _kept(self, record: HandlesRecord) -> "Iterator[Yields[Tensor, None, None]]":
        with (
            proven(self.ledger, record.media, record.digest) as media,
            closing(read_handles(media, Domain(record.domain), f"the kept pictures {record.media.key}")) as pictures,
        ):
            yield pictures


def _piece(
    order: DissolveOrder, encoding: Encoding, folder: Path, grader: Grader | None, clip: bool
) -> SegmentInProgress:
    frames = encoding.opening(order.core, order.dissolve)
    return SegmentInProgress(order.film.picture, frames, order.digest(encoding), encoding, folder, grader, clip=clip)
