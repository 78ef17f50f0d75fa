"""Checks stills against their frames and propagates colour through spans. It writes references and guides to the store.

Frames come straight from the source, after one lead-in for all spans of a call, and are held at a working size alone.
"""

import hashlib
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from collections.abc import Generator as Yields
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actors.encode.float_pictures import FloatPictureWriter, codes
from actors.looks import recent
from actors.looks.colorize.look import COLORIZE
from actors.media.container import named
from actors.media.temp_dirs import spool
from actors.picture.compose import all_finite, refuse_not_a_number
from actors.picture.frame_batches import FrameBatch, batches_of, turned_back
from actors.picture.generator import Generator, runtime_of
from actors.picture.resize import Size, resized
from actors.render.propagation.anchor_frames import AnchorFrames
from actors.render.propagation.matching import KnownPicture, Matcher, ReferenceMemory, from_cells
from actors.render.propagation.propagated_colour import GUIDE_BITS, read_reference
from actors.render.propagation.propagation import WORKING_SIDE, Guides, KnownColour, propagate
from actors.render.propagation.strokes import laid_over, spread
from actors.render.propagation.window import Window
from actors.render.segments import counted, hardware, kept_media
from actors.stills.matching import Reference, lay_strokes, match_still
from actors.stills.reading import StillImage, read_still
from actors.survey.frame_runs import frames_in_turn
from actors.survey.neighbouring_frames import NeighbouringFrames
from jobs.errors import BadMedia, ChunkFailed, FilmFailed
from jobs.film.source import Film
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import Look, Range
from jobs.plan.spans import Anchor, PaintedFrame, Span
from jobs.records.guides import GuideOrder, GuideRecord, ReferenceOrder, ReferenceRecord, RefusedStill
from jobs.store import source_identity

Plane = NDArray[np.float32]

WHOLE = 0.999
"""Weight of a still that is meant throughout, less what keeping it rounds."""
DAMAGED_THERE = "the source is damaged there: copy it again."
HALF = np.float32(0.5)
"""Propagation works with chroma of -0.5 to 0.5, as Cb and Cr are; looks give differences of -1 to 1."""
OWN_BESIDE_STILLS = np.float32(0.03)
"""What a look's own colour of a frame is worth beside what stills of the same shot say of it, 1 being certain."""


class Propagator:
    """One worker. It works on a processor, where batches and threads change no bit."""

    def __init__(self, source: str, store: str, job: str, cpus: float) -> None:
        """`source` and `store` are URLs. A look is loaded when its first anchor is coloured."""
        self.threads = max(1, int(cpus))
        torch.set_num_threads(self.threads)
        self.source = source
        self.ledger = Ledger.at(store, job)
        self.device = torch.device("cpu")
        self._matcher = shipped_matcher()
        self._generators: dict[str, Generator] = {}
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
        (_, frame_batch), *_ = batches_of([frame], picture, 1, self.device)
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
        with (
            spool("propagate") as folder,
            closing(self._frames(order, lacking, stills, window := Window())) as frames,
        ):
            for span in lacking:
                began = time.monotonic()
                window.forget_before(span.read.start)
                for number, luma in frames:
                    if number >= span.read.start:
                        window.lumas[number] = luma
                    if number + 1 >= span.read.stop:
                        break
                yield self._kept(order, span, self._propagated(span, window, stills), Path(folder), began)

    # frames

    def _frames(
        self, order: GuideOrder, lacking: Sequence[Span], stills: Mapping[int, KnownPicture], window: Window
    ) -> "Yields[tuple[int, Plane], None, None]":
        """Luma of all frames of the order, small. Those that the look is shown are put into the window as they pass."""
        picture = order.film.picture
        whole = {frame for frame, still in stills.items() if still.confidence.min() > WHOLE}
        anchors = {one.frame: one for span in lacking for one in span.anchors if one.frame not in whole}
        choice = AnchorFrames(anchors.values())
        number = order.read.start
        try:
            run = NeighbouringFrames(order.read.start, order.read, order.head, order.packets)
            with closing(frames_in_turn(order.film, run, self.threads)) as frames:
                for _, frame_batch in batches_of(frames, picture, 1, self.device):
                    luma = working_luma(frame_batch)
                    for anchor, shown in choice.passed(number, luma, frame_batch):
                        window.own[anchor] = shown.number, self._own(order.look, shown.batch, luma.shape)
                    yield number, luma
                    number += 1
        except LookupError:
            raise ChunkFailed(
                f"frame {number} cannot be decoded, and no colour is propagated past it; {DAMAGED_THERE}"
            ) from None

    def _own(self, look: Look, frame_batch: FrameBatch, size: Size) -> Plane:
        """The look's chroma of one frame, shown by itself. Raises ChunkFailed where it gives none, or one that holds NaN."""
        generator = recent(self._generators, look, self.device)
        pictures = [one for several in generator.render([frame_batch]) for one in torch.split(several, 1)]
        if len(pictures) != 1:
            raise ChunkFailed(
                f"The look '{look.title}' does not give one picture for one frame; correct the look, and raise its version."
            )
        refuse_not_a_number(all_finite(pictures[0]))
        return known_chroma(resized(pictures[0], size)[0])

    # anchors

    def _propagated(self, span: Span, window: Window, stills: Mapping[int, KnownPicture]) -> Guides:
        """Chroma of the frames of a span, and of the later anchor."""
        for anchor in span.anchors:
            if anchor.frame not in window.known:
                window.known[anchor.frame] = self._known(anchor, window, stills)
        anchors = {anchor.frame for anchor in span.anchors}
        others = (still for still in span.stills if not still.strokes and still.frame not in anchors)
        painted = [_of(stills, still, span.elsewhere) for still in others]
        # An anchor that the look was shown another frame for is itself less sure: that frame is matched with as well.
        shown = [window.known[frame][0] for frame in sorted(anchors) if window.shown(frame) != frame]
        first, last = (
            window.known[frame][1] if frame in anchors else None
            for frame in (span.propagated.start, span.propagated.stop - 1)
        )
        guides = propagate(window.stacked(span.propagated), first, last, (*painted, *shown), self._matcher)
        if not span.strokes:
            return guides
        layers = {
            one.frame: KnownColour(stills[one.frame].chroma, stills[one.frame].confidence) for one in span.strokes
        }
        return laid_over(guides, span.frames, window.lumas, layers, self._matcher)

    def _known(
        self, anchor: Anchor, window: Window, stills: Mapping[int, KnownPicture]
    ) -> tuple[KnownPicture, KnownColour]:
        """What is known of the frame that stands for an anchor, and so of the anchor."""
        at = window.shown(anchor.frame)
        colour = self._colour(anchor, window, stills)
        picture = KnownPicture(window.lumas[at], colour.chroma, colour.confidence)
        if at == anchor.frame:
            return picture, colour
        between = window.stacked(Range(min(at, anchor.frame), max(at, anchor.frame) + 1))
        if at < anchor.frame:
            guides = propagate(between, colour, None, matcher=self._matcher)
            return picture, KnownColour(guides.chroma[-1], guides.confidence[-1])
        guides = propagate(between, None, colour, matcher=self._matcher)
        return picture, KnownColour(guides.chroma[0], guides.confidence[0])

    def _colour(self, anchor: Anchor, window: Window, stills: Mapping[int, KnownPicture]) -> KnownColour:
        """That of the still, where there is one, else what the look gives, matched with the stills near it."""
        at, own = window.own.get(anchor.frame, (anchor.frame, None))
        if anchor.still:
            painted = stills[anchor.frame]
            if own is None:
                return KnownColour(painted.chroma, painted.confidence)
            mixed = own + painted.confidence[..., None] * (painted.chroma - own)
            return KnownColour(mixed, np.maximum(painted.confidence, OWN_BESIDE_STILLS))
        assert own is not None
        luma = window.lumas[at]
        matched = (*anchor.beside, *anchor.elsewhere)
        if not matched:
            return KnownColour(own, np.ones_like(luma))
        elsewhere = {still.frame for still in anchor.elsewhere}
        memory = ReferenceMemory([_of(stills, still, elsewhere) for still in matched], self._matcher)
        found = memory.match(luma)
        chroma, sure = (from_cells(cells, *luma.shape) for cells in (found.chroma, found.confidence))
        share = sure / (sure + OWN_BESIDE_STILLS)
        return KnownColour(own + share[..., None] * (chroma - own), np.maximum(sure, OWN_BESIDE_STILLS))

    def _still(self, record: ReferenceRecord, film: Film, strokes: bool) -> KnownPicture:
        """A still's colour at the working size, upright; that of strokes wherever it spreads."""
        planes = read_reference(self.ledger, record, film.picture)
        if strokes:  # beside them lies no colour to be mixed with theirs
            planes = torch.cat([planes[:, :2] * planes[:, 2:3], planes[:, 2:]], 1)
        small = resized(planes, working_size(*planes.shape[-2:]))[0]
        luma, weight = small[3].clamp(0, 1).numpy(), small[2].clamp(0, 1).numpy()
        if strokes:
            found = spread(luma, known_chroma(small[:2] / small[2:3].clamp(min=1e-6)), weight)
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
        runtime = runtime_of(recent(self._generators, order.look, self.device)) if asked else ""
        return self.ledger.keep(
            GuideRecord(
                digest=name,
                frames=span.frames,
                media=media,
                confidence=round(float(found.confidence[:frames].mean(dtype=np.float64)), 4),
                made_on=hardware(self.device, runtime),
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


def _of(stills: Mapping[int, KnownPicture], painted: PaintedFrame, elsewhere: Container[int]) -> KnownPicture:
    """A still as it is matched: whether it is of another shot is known by the span alone."""
    return replace(stills[painted.frame], foreign=painted.frame in elsewhere)


def working_size(height: int, width: int) -> Size:
    """Height and width at which a film of this size is propagated: its shape, its long side at most WORKING_SIDE, both multiples of 8."""
    scale = min(1.0, WORKING_SIDE / max(height, width))
    return max(8, 8 * round(height * scale / 8)), max(8, 8 * round(width * scale / 8))


def working_luma(frame_batch: FrameBatch) -> Plane:
    """The luma of the one frame of a batch, at the working size, upright (HW, 0..1)."""
    return frame_batch.luma(working_size(*frame_batch.luma_NHW.shape[-2:]))[0, 0].clamp(0, 1).numpy()


def known_chroma(differences_2HW: Tensor) -> Plane:
    """B'-Y' and R'-Y' of -1..1 as propagation has them (HW2, -0.5..0.5): channels last, as OpenCV does."""
    return np.ascontiguousarray(differences_2HW.permute(1, 2, 0).numpy(), np.float32) * HALF


def shipped_matcher() -> Matcher:
    """Those of the shipped look, whose eyes serve every look: they know what is alike."""
    assert COLORIZE.shipped
    return Matcher(COLORIZE.shipped / "weights.safetensors")
