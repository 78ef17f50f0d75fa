"""Checks stills against their frames and propagates colour through spans. It writes references and guides to the store."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import av
import numpy as np
import torch

from actors.encode.float_pictures import FloatPictureWriter, codes
from actors.media.container import named
from actors.media.temp_dirs import spool
from actors.picture.frame_batches import batches_of, turned_back
from actors.picture.generator import runtime_of
from actors.picture.resize import resized
from actors.render.propagation.matching import KnownPicture
from actors.render.propagation.propagated_colour import GUIDE_BITS, read_reference
from actors.render.propagation.propagation import Guides
from actors.render.propagation.span_propagator import (
    DAMAGED_THERE,
    HALF,
    SpanPropagator,
    SpanReading,
    known_chroma,
    working_size,
)
from actors.render.propagation.strokes import spread
from actors.render.segments import counted, hardware, kept_media
from actors.stills.matching import Reference, lay_strokes, match_still
from actors.stills.reading import StillImage, read_still
from actors.survey.frame_runs import frames_in_turn
from actors.survey.neighbouring_frames import NeighbouringFrames
from jobs.errors import BadMedia, ChunkFailed, FilmFailed
from jobs.film.source import Film
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import Range
from jobs.plan.spans import Span
from jobs.records.guides import GuideOrder, GuideRecord, ReferenceOrder, ReferenceRecord, RefusedStill
from jobs.store import source_identity


class Propagator:
    """One worker. It works on a processor, where batches and threads change no bit."""

    def __init__(self, source: str, store: str, job: str, cpus: float) -> None:
        """`source` and `store` are URLs."""
        self.threads = max(1, int(cpus))
        torch.set_num_threads(self.threads)
        self.source = source
        self.ledger = Ledger.at(store, job)
        self._spans = SpanPropagator(self.threads)
        self._unchanged = False

    def reference(self, order: ReferenceOrder) -> ReferenceRecord | RefusedStill:
        """Hold a still against its frame and keep its colour. One that is not its frame's, or cannot be read, is given back refused."""
        torch.set_num_threads(self.threads)
        if isinstance(kept := self.ledger.record(order.digest), ReferenceRecord):
            return kept
        self._refuse_changed(order.film)
        painted = order.painted
        read = Range(painted.frame, painted.frame + 1)
        try:
            run = NeighbouringFrames(painted.frame, read, order.head, order.packets)
            with closing(frames_in_turn(order.film, run, self.threads)) as frames:
                frame = next(frames)
        except LookupError:
            why = f"frame {painted.frame}, of which {order.name} is a still, cannot be decoded; {DAMAGED_THERE}"
            raise ChunkFailed(why) from None
        picture = order.film.picture
        data = self._file(order)
        try:
            found = _taken(read_still(data, order.name), frame, order)
        except BadMedia as error:
            return RefusedStill(order.digest, painted.frame, str(error))
        (_, frame_batch), *_ = batches_of([frame], picture, 1, self._spans.device)
        lying = [torch.from_numpy(found.chroma_2HW), torch.from_numpy(found.weight_HW)[None]]
        # The luma comes upright; all are kept as the film lies in its file.
        planes = torch.cat([*lying, turned_back(frame_batch.luma(), picture)[0]])
        with spool("reference") as folder:
            path = Path(folder) / order.digest
            with FloatPictureWriter(picture, path, 16) as writer:
                writer.write(codes(planes, 16))
            media = kept_media(self.ledger, counted(read, writer.facts), path)
        return self.ledger.keep(
            ReferenceRecord(
                digest=order.digest,
                frame=painted.frame,
                still=painted.still,
                media=media,
                tool=found.tool,
                remarks=found.remarks,
            )
        )

    def propagate(self, order: GuideOrder) -> Iterator[GuideRecord]:
        """The guide of each span, in order, the work done where there is none yet. Raises ChunkFailed where a frame cannot be decoded."""
        torch.set_num_threads(self.threads)
        kept = {span: self.ledger.record(order.digest(span)) for span in order.spans}
        lacking = [span for span, record in kept.items() if not isinstance(record, GuideRecord)]
        yield from (record for record in kept.values() if isinstance(record, GuideRecord))
        if not lacking:
            return
        self._refuse_changed(order.film)
        layers = {layer.frame for span in lacking for layer in span.strokes}
        stills = {one.frame: self._still(one, order.film, one.frame in layers) for one in order.references}
        run = NeighbouringFrames(order.read.start, order.read, order.head, order.packets)
        reading = SpanReading(order.film, order.look, lacking, run)
        with spool("propagate") as folder, closing(self._spans.guides(reading, stills)) as propagated:
            began = time.monotonic()
            for span, guides in propagated:
                yield self._kept(order, span, guides, Path(folder), began)
                began = time.monotonic()

    # stills

    def _still(self, record: ReferenceRecord, film: Film, strokes: bool) -> KnownPicture:
        """A still's colour at the working size, upright; that of strokes wherever it spreads."""
        planes = read_reference(self.ledger, record, film.picture)
        if strokes:  # beside them lies no colour to be mixed with theirs
            planes = torch.cat([planes[:, :2] * planes[:, 2:3], planes[:, 2:]], 1)
        small = resized(planes, working_size(*planes.shape[-2:]))[0]
        luma, weight = small[3].clamp(0, 1).numpy(), small[2].clamp(0, 1).numpy()
        if strokes:
            found = spread(luma, known_chroma(small[:2] / small[2:3].clamp(min=1e-6)), weight, self._spans.matcher)
            return KnownPicture(luma, found.chroma, found.confidence)
        return KnownPicture(luma, known_chroma(small[:2]), weight)

    # paper

    def _kept(self, order: GuideOrder, span: Span, found: Guides, folder: Path, began: float) -> GuideRecord:
        name = order.digest(span)
        path = folder / name
        frames = span.frames.frames  # the later anchor is of the next span
        with FloatPictureWriter(order.film.picture, path, GUIDE_BITS) as writer:
            for chroma_HW2 in found.chroma[:frames]:
                writer.write(codes(torch.from_numpy(chroma_HW2 / HALF).permute(2, 0, 1), GUIDE_BITS))
        media = kept_media(self.ledger, counted(span.frames, writer.facts), path)
        asked = any(not anchor.still for anchor in span.anchors)
        runtime = runtime_of(self._spans.generator(order.look)) if asked else ""
        return self.ledger.keep(
            GuideRecord(
                digest=name,
                frames=span.frames,
                media=media,
                confidence=round(float(found.confidence[:frames].mean(dtype=np.float64)), 4),
                made_on=hardware(self._spans.device, runtime),
                seconds=round(time.monotonic() - began, 3),
            )
        )

    def _file(self, order: ReferenceOrder) -> bytes:
        data = self.ledger.read(order.media.key)
        if data is None or hashlib.sha256(data).hexdigest() != order.media.sha256:
            raise FilmFailed(
                f"{self.ledger.store.url}/{self.ledger.key(order.media.key)}, the still {order.name}, is gone or damaged in the "
                "store; delete it, and the same command puts it there again."
            )
        return data

    def _refuse_changed(self, film: Film) -> None:
        # Once for each worker: an order is one of very many.
        if not self._unchanged and source_identity(self.source) != film.identity:
            raise BadMedia(f"{named(self.source)} was changed since its survey; begin a new job for it.")
        self._unchanged = True


def _taken(still: StillImage, frame: av.VideoFrame, order: ReferenceOrder) -> Reference:
    """A still as reference. Raises BadMedia for one that is not its frame's, and no strokes."""
    if order.painted.strokes:
        return lay_strokes(still, frame, order.film.picture)
    return match_still(still, frame, order.film.picture, order.called)
