"""Measures propagated colour: spans are propagated from true frames as in production, and judged at full size."""

from collections.abc import Generator as Yields
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from itertools import chain, pairwise
from typing import NamedTuple

import av
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actors.evaluation.comparison_sheet import cell, sheet
from actors.evaluation.drawn_strokes import drawn
from actors.evaluation.evaluation_orders import JudgedSpan
from actors.evaluation.jitter import PairJitter, ShownPair, jitter
from actors.evaluation.outside_strokes import colours_of, outside_strokes
from actors.evaluation.shown_frames import CPU, batch_of, coloured, composed, true_chroma
from actors.looks import recent
from actors.media.container import named
from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch
from actors.picture.generator import Generator
from actors.picture.image_metrics import chroma_rms, de00_of_lab, lab
from actors.picture.png_sheet import Photo
from actors.picture.resize import resized
from actors.render.propagation.propagation import Guides, KnownColour, propagate
from actors.render.propagation.span_propagator import known_chroma, shipped_matcher, working_luma
from actors.render.propagation.strokes import laid_over, spread
from actors.render.propagation.window import Window
from actors.survey.frame_runs import frames_in_turn
from jobs.errors import BadMedia
from jobs.plan.plan import Look
from jobs.records.evaluation import ColourError, JudgedFrame
from jobs.store import open_store

Floats = NDArray[np.float32]

COLUMNS = 8
"""Frames on one sheet, at most."""
ROWS = ("grey", "propagated", "truth")
STROKE_ROWS = ("grey", "look alone", "with strokes", "true anchor", "truth")


class _FullFrame(NamedTuple):
    """A frame at its own size."""

    number: int
    frame: av.VideoFrame
    pictures: ShownPair
    others: tuple[Tensor, ...]
    """The look alone, and with strokes, where these are asked for."""


class _SpanGuides(NamedTuple):
    """Of one span."""

    chroma: tuple[Floats, ...]
    """Of all frames that it reads, at the working size (T, h, w, 2): from the truth, from a look, and from that with strokes."""
    strokes: Floats
    """Their colours (N, 2)."""


class PropagationEvaluator:
    """One worker. It holds a span at the working size, and two frames at their own."""

    def __init__(self, out: str | None, cpus: float = 1) -> None:
        """`out`: a folder or s3://bucket/prefix for sheets; None: no sheets."""
        self.threads = max(1, int(cpus))
        torch.set_num_threads(self.threads)
        self.out = out
        self._matcher = shipped_matcher()
        self._generators: dict[str, Generator] = {}

    def span(self, order: JudgedSpan) -> Iterator[JudgedFrame]:
        """Propagate a span, judge some of its frames, in order, and put a sheet down. Raises BadMedia where a frame cannot be decoded."""
        columns: list[list[Photo]] = []
        shown = {*sorted(order.judged)[:: -(-len(order.judged) // COLUMNS)]}
        guides = self._guides(order)
        with closing(self._full_frames(order, guides.chroma)) as frames:
            for frame, following in pairwise(chain(frames, (None,))):
                if frame is None or frame.number not in order.judged:
                    continue
                grey = composed(frame.frame, torch.zeros(1, 2, 1, 1), Domain.CHROMA, order.film.picture)
                beside = following is not None and following.number == frame.number + 1
                yield _judged(frame, grey, order, following if beside else None, guides.strokes)
                if frame.number in shown:
                    pictures = (grey, *frame.others, frame.pictures.shown, frame.pictures.truth)
                    columns.append([cell(picture) for picture in pictures])
        if self.out is not None:
            rows = STROKE_ROWS if order.look else ROWS
            open_store(self.out).write(f"sheet-{order.number:03}.png", sheet(rows, columns))

    def _guides(self, order: JudgedSpan) -> _SpanGuides:
        anchors = {one.frame for one in order.span.anchors}
        window = Window()
        known, own = dict[int, KnownColour](), dict[int, KnownColour]()
        with closing(self._frames(order)) as frames:
            for number, frame in frames:
                batch = batch_of([frame], order.film.picture)
                window.lumas[number] = luma = working_luma(batch)
                if number in anchors:
                    chroma = true_chroma(batch, order.film.picture)
                    known[number] = KnownColour(chroma, np.ones_like(luma))
                    if order.look:
                        own[number] = KnownColour(self._own(order.look, batch, luma), known[number].confidence)
        read = order.run.read
        frames_read = window.sequence(read)

        def guides(anchors: Mapping[int, KnownColour]) -> Guides:
            return propagate(frames_read, anchors.get(read.start), anchors.get(read.stop - 1), matcher=self._matcher)

        if not own:
            return _SpanGuides((guides(known).chroma,), colours_of([]))
        layers = {number: drawn(known[number].chroma, colour.chroma, order.strokes) for number, colour in own.items()}
        spreads = {number: spread(window.lumas[number], *layer, self._matcher) for number, layer in layers.items()}
        look = guides(own)
        strokes = laid_over(look, read, window, spreads, self._matcher)
        three = guides(known).chroma, look.chroma, strokes.chroma
        return _SpanGuides(three, colours_of([*layers.values()]))

    def _own(self, look: Look, batch: FrameBatch, luma_HW: Floats) -> Floats:
        """A look's chroma of one frame at the working size; it is shown luma alone."""
        generator = recent(self._generators, look, CPU)
        (picture,) = generator.render([replace(batch, chroma=None)])
        return known_chroma(resized(picture, luma_HW.shape)[0])

    def _full_frames(self, order: JudgedSpan, guides: tuple[Floats, ...]) -> Yields[_FullFrame, None, None]:
        """The judged frames, and those that follow them, but for anchors. Decoded anew: at their own size they would fill the memory."""
        anchors = {one.frame for one in order.span.anchors}
        wanted = order.judged | {number + 1 for number in order.judged} - anchors
        with closing(self._frames(order)) as frames:
            for number, frame in frames:
                if number in wanted:
                    picture, place = order.film.picture, number - order.run.read.start
                    batch = batch_of([frame], picture)
                    own, *others = (coloured(frame, batch, some[place], picture) for some in guides)
                    yield _FullFrame(number, frame, ShownPair(batch.rgb(), own), tuple(others))

    def _frames(self, order: JudgedSpan) -> Yields[tuple[int, av.VideoFrame], None, None]:
        number = order.run.read.start
        try:
            with closing(frames_in_turn(order.film, order.run, self.threads)) as frames:
                for number, frame in enumerate(frames, order.run.read.start):  # told below
                    yield number, frame
        except LookupError:
            raise BadMedia(
                f"{named(order.film.source)} is damaged: a frame near {number} cannot be decoded; copy it again."
            ) from None


def _judged(
    frame: _FullFrame, grey_13HW: Tensor, order: JudgedSpan, following: _FullFrame | None, strokes_N2: Floats
) -> JudgedFrame:
    truth = frame.pictures.truth
    wanted = lab(truth)
    propagated, grey, *others = (
        ColourError(de00=float(de00_of_lab(lab(one), wanted)), chroma_rms=float(chroma_rms(one, truth)))
        for one in (frame.pictures.shown, grey_13HW, *frame.others)
    )
    look, strokes = others or (None, None)
    outside = None
    if frame.others:
        alone, helped = frame.others
        outside = outside_strokes(truth, alone, helped, strokes_N2, order.film.picture.colour)
    motion = jitter(frame.pictures, following.pictures) if following else PairJitter(None, None)
    return JudgedFrame(
        frame=frame.number,
        distance=min(abs(frame.number - one.frame) for one in order.span.anchors),
        propagated=propagated,
        grey=grey,
        still=motion.still,
        moving=motion.moving,
        look=look,
        strokes=strokes,
        outside=outside,
    )
