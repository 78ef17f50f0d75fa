"""Measures propagated colour: spans are propagated from true frames as in production, and judged at full size."""

from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import chain, pairwise
from typing import NamedTuple

import av
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actors.evaluation.comparison_sheet import cell, sheet
from actors.evaluation.evaluation_orders import JudgedSpan
from actors.evaluation.jitter import PairJitter, ShownPair, jitter
from actors.evaluation.shown_frames import batch_of, composed
from actors.media.container import named
from actors.picture.colour import to_differences
from actors.picture.domain import Domain
from actors.picture.frame_batches import turned_back
from actors.picture.image_metrics import chroma_rms, de00_of_lab, lab
from actors.picture.png_sheet import Photo
from actors.picture.resize import resized
from actors.render.propagation.propagated_colour import chroma_of
from actors.render.propagation.propagation import KnownColour, propagate
from actors.render.propagation.propagator import HALF, known_chroma, shipped_features, working_luma
from actors.survey.frame_runs import frames_in_turn
from jobs.errors import BadMedia
from jobs.film.source import Picture
from jobs.plan.spans import Span
from jobs.records.evaluation import ColourError, JudgedFrame
from jobs.store import open_store

Floats = NDArray[np.float32]

COLUMNS = 8
"""Frames on one sheet, at most."""
ROWS = ("grey", "propagated", "truth")


class _FullFrame(NamedTuple):
    """A frame at its own size."""

    number: int
    frame: av.VideoFrame
    pictures: ShownPair


class PropagationEvaluator:
    """One worker. It holds a span at the working size, and two frames at their own."""

    def __init__(self, out: str | None, cpus: float = 1) -> None:
        """`out`: a folder or s3://bucket/prefix for sheets; None: no sheets."""
        self.threads = max(1, int(cpus))
        torch.set_num_threads(self.threads)
        self.out = out
        self._extract = shipped_features()

    def span(self, order: JudgedSpan) -> Iterator[JudgedFrame]:
        """Propagate a span, judge some of its frames, in order, and put a sheet down. Raises BadMedia where a frame cannot be decoded."""
        columns: list[list[Photo]] = []
        shown = {*sorted(order.judged)[:: -(-len(order.judged) // COLUMNS)]}
        with closing(self._full_frames(order, self._guides(order))) as frames:
            for frame, following in pairwise(chain(frames, (None,))):
                if frame is None or frame.number not in order.judged:
                    continue
                grey = composed(frame.frame, torch.zeros(1, 2, 1, 1), Domain.CHROMA, order.film.picture)
                beside = following is not None and following.number == frame.number + 1
                yield _judged(frame, grey, order.span, following if beside else None)
                if frame.number in shown:
                    columns.append([cell(picture) for picture in (grey, frame.pictures.shown, frame.pictures.truth)])
        if self.out is not None:
            open_store(self.out).write(f"sheet-{order.number:03}.png", sheet(ROWS, columns))

    def _guides(self, order: JudgedSpan) -> Floats:
        """Chroma of all frames that the span reads, at the working size (T, h, w, 2)."""
        anchors = {one.frame for one in order.span.anchors}
        lumas: list[Floats] = []
        known: dict[int, KnownColour] = {}
        with closing(self._frames(order)) as frames:
            for number, frame in frames:
                batch = batch_of([frame], order.film.picture)
                lumas.append(working_luma(batch))
                if number in anchors:
                    # As of a still, which is R'G'B' of the film's size.
                    differences = to_differences(batch.rgb(), order.film.picture.colour)[1]
                    chroma = known_chroma(resized(differences, lumas[-1].shape)[0])
                    known[number] = KnownColour(chroma, np.ones_like(lumas[-1]))
        read = order.run.read
        first, last = known.get(read.start), known.get(read.stop - 1)
        return propagate(np.stack(lumas), first, last, extract=self._extract).chroma

    def _full_frames(self, order: JudgedSpan, guides: Floats) -> Generator[_FullFrame, None, None]:
        """The judged frames, and those that follow them, but for anchors. Decoded anew: at their own size they would fill the memory."""
        anchors = {one.frame for one in order.span.anchors}
        wanted = order.judged | {number + 1 for number in order.judged} - anchors
        with closing(self._frames(order)) as frames:
            for number, frame in frames:
                if number in wanted:
                    guide = guides[number - order.run.read.start]
                    yield _FullFrame(number, frame, _shown(frame, guide, order.film.picture))

    def _frames(self, order: JudgedSpan) -> Generator[tuple[int, av.VideoFrame], None, None]:
        number = order.run.read.start
        try:
            with closing(frames_in_turn(order.film, order.run, self.threads)) as frames:
                for number, frame in enumerate(frames, order.run.read.start):  # told below
                    yield number, frame
        except LookupError:
            raise BadMedia(
                f"{named(order.film.source)} is damaged: a frame near {number} cannot be decoded; copy it again."
            ) from None


def _shown(frame: av.VideoFrame, guide_hw2: Floats, picture: Picture) -> ShownPair:
    batch = batch_of([frame], picture)
    guide = torch.from_numpy(guide_hw2 / HALF).permute(2, 0, 1)[None]
    chroma = turned_back(chroma_of(guide, batch), picture)
    return ShownPair(batch.rgb(), composed(frame, chroma, Domain.CHROMA, picture))


def _judged(frame: _FullFrame, grey_13HW: Tensor, span: Span, following: _FullFrame | None) -> JudgedFrame:
    truth = frame.pictures.truth
    wanted = lab(truth)
    propagated, grey = (
        ColourError(de00=float(de00_of_lab(lab(one), wanted)), chroma_rms=float(chroma_rms(one, truth)))
        for one in (frame.pictures.shown, grey_13HW)
    )
    motion = jitter(frame.pictures, following.pictures) if following else PairJitter(None, None)
    return JudgedFrame(
        frame=frame.number,
        distance=min(abs(frame.number - one.frame) for one in span.anchors),
        propagated=propagated,
        grey=grey,
        still=motion.still,
        moving=motion.moving,
    )
