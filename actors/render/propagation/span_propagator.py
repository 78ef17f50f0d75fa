"""Propagates colour through neighbouring spans of a film: reads them, has a look colour their anchors, and matches these with stills.

Frames come straight from the source, after one lead-in for all spans of a call, and are held at a working size alone.
"""

from collections.abc import Container, Mapping, Sequence
from collections.abc import Generator as Yields
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actors.looks import recent
from actors.looks.colorize.look import COLORIZE
from actors.picture.compose import all_finite, refuse_not_a_number
from actors.picture.frame_batches import FrameBatch, batches_of
from actors.picture.generator import Generator
from actors.picture.resize import Size, resized
from actors.render.propagation.anchor_frames import AnchorFrames
from actors.render.propagation.matching import KnownPicture, Matcher, ReferenceMemory, from_cells
from actors.render.propagation.propagation import WORKING_SIDE, Guides, KnownColour, propagate
from actors.render.propagation.strokes import laid_over
from actors.render.propagation.window import KnownStretch, Window
from actors.survey.frame_runs import frames_in_turn
from actors.survey.neighbouring_frames import NeighbouringFrames
from jobs.errors import ChunkFailed
from jobs.film.source import Film
from jobs.plan.plan import Look, Range
from jobs.plan.spans import Anchor, PaintedFrame, Span

Plane = NDArray[np.float32]

WHOLE = 0.999
"""Weight of a still that is meant throughout, less what keeping it rounds."""
DAMAGED_THERE = "the source is damaged there: copy it again."
HALF = np.float32(0.5)
"""Propagation works with chroma of -0.5 to 0.5, as Cb and Cr are; looks give differences of -1 to 1."""
OWN_BESIDE_STILLS = np.float32(0.03)
"""What a look's own colour of a frame is worth beside what stills of the same shot say of it, 1 being certain."""


class SpanReading(NamedTuple):
    """Spans that are propagated together, and what is read for them."""

    film: Film
    look: Look
    """That colours the anchors which are no stills."""
    spans: Sequence[Span]
    """Neighbours of one shot, in film order."""
    run: NeighbouringFrames
    """All frames that the spans read."""
    luma_alone: bool = False
    """Whether the look is kept from the film's own colours."""


class SpanPropagator:
    """Works on a processor, where batches and threads change no bit."""

    def __init__(self, threads: int) -> None:
        """A look is loaded when its first anchor is coloured."""
        self.threads = threads
        self.device = torch.device("cpu")
        self.matcher = shipped_matcher()
        self._generators: dict[str, Generator] = {}

    def generator(self, look: Look) -> Generator:
        """A look, loaded."""
        return recent(self._generators, look, self.device)

    def guides(
        self, reading: SpanReading, stills: Mapping[int, KnownPicture]
    ) -> Yields[tuple[Span, Guides], None, None]:
        """Each span, in order, with the chroma of its frames and of the later anchor. `stills`: by frame, all that the spans depend on.

        Raises ChunkFailed where a frame cannot be decoded.
        """
        with closing(self._frames(reading, stills, window := Window())) as frames:
            for span in reading.spans:
                window.forget_before(span.read.start)
                for number, luma in frames:
                    if number >= span.read.start:
                        window.lumas[number] = luma
                    if number + 1 >= span.read.stop:
                        break
                yield span, self._propagated(span, window, stills)

    # frames

    def _frames(
        self, reading: SpanReading, stills: Mapping[int, KnownPicture], window: Window
    ) -> Yields[tuple[int, Plane], None, None]:
        """Luma of all frames that are read, small. Those that the look is shown are put into the window as they pass."""
        whole = {frame for frame, still in stills.items() if still.confidence.min() > WHOLE}
        anchors = {one.frame: one for span in reading.spans for one in span.anchors if one.frame not in whole}
        choice = AnchorFrames(anchors.values())
        number = reading.run.read.start
        try:
            with closing(frames_in_turn(reading.film, reading.run, self.threads)) as frames:
                for _, frame_batch in batches_of(frames, reading.film.picture, 1, self.device):
                    luma = working_luma(frame_batch)
                    for anchor, shown in choice.passed(number, luma, frame_batch):
                        batch = replace(shown.batch, chroma=None) if reading.luma_alone else shown.batch
                        window.own[anchor] = shown.number, self._own(reading.look, batch, luma.shape)
                    yield number, luma
                    number += 1
        except LookupError:
            raise ChunkFailed(
                f"frame {number} cannot be decoded, and no colour is propagated past it; {DAMAGED_THERE}"
            ) from None

    def _own(self, look: Look, frame_batch: FrameBatch, size: Size) -> Plane:
        """The look's chroma of one frame, shown by itself. Raises ChunkFailed where it gives none, or one that holds NaN."""
        generator = self.generator(look)
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
        known = {anchor.frame: window.known[anchor.frame] for anchor in span.anchors}
        guides = self._between(span, window, known, stills)
        if not span.strokes:
            return guides
        layers = {
            one.frame: KnownColour(stills[one.frame].chroma, stills[one.frame].confidence) for one in span.strokes
        }
        return laid_over(guides, span.frames, window, layers, self.matcher)

    def _between(
        self, span: Span, window: Window, known: Mapping[int, KnownStretch], stills: Mapping[int, KnownPicture]
    ) -> Guides:
        """The known stretches of a span, and between them what is propagated from their ends."""
        start, stop = span.propagated
        first, last = known.get(start), known.get(stop - 1)
        begin = first.frames.stop - 1 if first else start
        end = last.frames.start if last else stop - 1
        others = (still for still in span.stills if not still.strokes and still.frame not in known)
        painted = [_of(stills, still, span.elsewhere) for still in others]
        # From a frame that is shown beyond the span's ends colour has come some way already: it is matched with as well.
        shown = [one.picture for _, one in sorted(known.items()) if one.shown not in (begin, end)]
        between = propagate(
            window.sequence(Range(begin, end + 1)),
            first.colour(begin) if first else None,
            last.colour(end) if last else None,
            (*painted, *shown),
            self.matcher,
        )
        before = [first.part(Range(start, begin))] if first else []
        after = [last.part(Range(end + 1, stop))] if last else []
        return Guides(*(np.concatenate(planes) for planes in zip(*before, between, *after, strict=True)))

    def _known(self, anchor: Anchor, window: Window, stills: Mapping[int, KnownPicture]) -> KnownStretch:
        """What is known of the frames from an anchor to the one that the look was shown for it, from that one alone."""
        shown = window.shown(anchor.frame)
        colour = self._colour(anchor, window, stills)
        picture = KnownPicture(window.lumas[shown], colour.chroma, colour.confidence)
        if shown == anchor.frame:
            guides = Guides(colour.chroma[None], colour.confidence[None])
            return KnownStretch(shown, picture, Range(shown, shown + 1), guides)
        frames = Range(min(shown, anchor.frame), max(shown, anchor.frame) + 1)
        first, last = (colour if shown == end else None for end in (frames.start, frames.stop - 1))
        guides = propagate(window.sequence(frames), first, last, _matched(anchor, stills), self.matcher)
        return KnownStretch(shown, picture, frames, guides)

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
        matched = _matched(anchor, stills)
        if not matched:
            return KnownColour(own, np.ones_like(luma))
        found = ReferenceMemory(matched, self.matcher).match(luma)
        chroma, sure = (from_cells(cells, *luma.shape) for cells in (found.chroma, found.confidence))
        share = sure / (sure + OWN_BESIDE_STILLS)
        return KnownColour(own + share[..., None] * (chroma - own), np.maximum(sure, OWN_BESIDE_STILLS))


def _matched(anchor: Anchor, stills: Mapping[int, KnownPicture]) -> list[KnownPicture]:
    """The stills that an anchor of the look's own is matched with."""
    elsewhere = {still.frame for still in anchor.elsewhere}
    return [_of(stills, still, elsewhere) for still in (*anchor.beside, *anchor.elsewhere)]


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
