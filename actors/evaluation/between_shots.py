"""Measures what two shots both show: how far its colours are apart where a look colours them, and where one of the two has a true still.

The stills, the look's own anchors and the way from these to a frame are those of production.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

import av
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actors.evaluation.comparison_sheet import cell, sheet
from actors.evaluation.evaluation_orders import ComparedFrames, JudgedPair, JudgedSide, SharedView
from actors.evaluation.matched_patches import FrameFeatures, colour_apart, features_of, patches_of, shared_places
from actors.evaluation.shown_frames import batch_of, coloured, composed, true_chroma
from actors.media.container import named
from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch
from actors.picture.image_metrics import chroma_rms, de00
from actors.render.propagation.matching import KnownPicture
from actors.render.propagation.span_propagator import SpanPropagator, SpanReading, working_luma
from actors.survey.frame_runs import frames_in_turn, frames_of
from actors.survey.neighbouring_frames import NeighbouringFrames
from jobs.errors import BadMedia
from jobs.film.source import Film
from jobs.plan.spans import FARTHEST
from jobs.records.evaluation import ColourError, ShotPair, StillElsewhere
from jobs.store import open_store

Floats = NDArray[np.float32]

ROWS = ("grey", "look alone", "matched with a still of the other shot", "truth")


class _TrueFrame(NamedTuple):
    """A frame of a pair at its own size, and as a still of another shot."""

    frame: av.VideoFrame
    batch: FrameBatch
    still: KnownPicture


class _PairPictures(NamedTuple):
    """Both frames of a pair, R'G'B' 13HW, 0..1."""

    grey: list[Tensor]
    alone: list[Tensor]
    """Coloured by the look, no still anywhere."""
    matched: list[Tensor]
    """Each coloured where the other is a still."""
    truth: list[Tensor]


class BetweenShotsEvaluator:
    """One worker. It holds features of the frames that are near enough to be matched, spans at the working size, and two frames at their own."""

    def __init__(self, out: str | None, cpus: float = 1) -> None:
        """`out`: a folder or s3://bucket/prefix for sheets; None: no sheets."""
        self.threads = max(1, int(cpus))
        torch.set_num_threads(self.threads)
        self.out = out
        self._spans = SpanPropagator(self.threads)

    def compare(self, order: ComparedFrames) -> Iterator[tuple[int, list[SharedView]]]:
        """Each frame, in order, with the frames before it that show the same. Raises BadMedia where a frame cannot be decoded."""
        before: dict[int, FrameFeatures] = {}
        number = order.run.read.start
        try:
            with closing(frames_in_turn(order.film, order.run, self.threads)) as frames:
                for number, frame in enumerate(frames, order.run.read.start):  # told below
                    if number in order.shots:
                        found = features_of(batch_of([frame], order.film.picture).luma()[0, 0].numpy())
                        before = {one: some for one, some in before.items() if number - one <= FARTHEST}
                        yield number, list(_alike(order, before, number, found))
                        if number in order.own:
                            before[number] = found
        except LookupError:
            raise BadMedia(
                f"{named(order.film.source)} is damaged: a frame near {number} cannot be decoded; copy it again."
            ) from None

    @torch.inference_mode()
    def judge(self, order: JudgedPair) -> ShotPair:
        """Colour both frames of a pair, without a still and with the other one as a still, and put a sheet down."""
        frames = [self._true_frame(order.film, side.frame) for side in order.sides]
        none: list[dict[int, KnownPicture]] = [{}, {}]
        others = [{number: one.still} for number, one in zip(order.view.frames[::-1], frames[::-1], strict=True)]
        alone, matched = (
            [self._coloured(order, *of) for of in zip(order.sides, frames, stills, strict=True)]
            for stills in (none, others)
        )
        nothing = torch.zeros(1, 2, 1, 1)
        grey = [composed(one.frame, nothing, Domain.CHROMA, order.film.picture) for one in frames]
        pictures = _PairPictures(grey, alone, matched, [one.batch.rgb() for one in frames])
        if self.out is not None:
            columns = [[cell(one) for one in rows] for rows in zip(*pictures, strict=True)]
            open_store(self.out).write(f"sheet-{order.number:03}.png", sheet(ROWS, columns))
        return _judged(order.view, pictures)

    def _true_frame(self, film: Film, run: NeighbouringFrames) -> _TrueFrame:
        (frame,) = frames_of(film, run, self.threads)
        batch = batch_of([frame], film.picture)
        luma = working_luma(batch)
        return _TrueFrame(frame, batch, KnownPicture(luma, true_chroma(batch, film.picture), np.ones_like(luma)))

    def _coloured(
        self, order: JudgedPair, side: JudgedSide, frame: _TrueFrame, stills: dict[int, KnownPicture]
    ) -> Tensor:
        """One frame of a pair as production has it."""
        span = side.matched if stills else side.alone
        reading = SpanReading(order.film, order.look, [span], side.run, luma_alone=True)
        ((_, guides),) = self._spans.guides(reading, stills)
        guide = guides.chroma[side.frame.frame - span.propagated.start]
        return coloured(frame.frame, frame.batch, guide, order.film.picture)


def _alike(
    order: ComparedFrames, before: dict[int, FrameFeatures], number: int, features: FrameFeatures
) -> Iterator[SharedView]:
    for other, found in before.items():
        if order.shots[other] != order.shots[number] and number - other <= FARTHEST:
            places = shared_places(found, features)
            if places.size:
                yield SharedView((other, number), places)


def _judged(view: SharedView, pictures: _PairPictures) -> ShotPair:
    truth, alone, matched = (
        [patches_of(one, places) for one, places in zip(some, view.places, strict=True)]
        for some in (pictures.truth, pictures.alone, pictures.matched)
    )
    return ShotPair(
        frames=view.frames,
        patches=view.places.shape[1],
        truth=colour_apart(*truth),
        alone=colour_apart(*alone),
        sides=(
            _side(view.frames[0], pictures, 0, (truth[1], alone[0], matched[0])),
            _side(view.frames[1], pictures, 1, (truth[0], alone[1], matched[1])),
        ),
    )


def _side(frame: int, pictures: _PairPictures, at: int, patches: tuple[Tensor, Tensor, Tensor]) -> StillElsewhere:
    """`patches`: the still's, and those of this frame without and with matching."""
    still, alone, matched = patches
    grey, *errors = (_error(some[at], pictures.truth[at]) for some in pictures[:3])
    return StillElsewhere(
        frame=frame,
        unmatched=colour_apart(alone, still),
        matched=colour_apart(matched, still),
        grey=grey,
        unmatched_error=errors[0],
        matched_error=errors[1],
    )


def _error(shown_13HW: Tensor, truth_13HW: Tensor) -> ColourError:
    return ColourError(de00=float(de00(shown_13HW, truth_13HW)), chroma_rms=float(chroma_rms(shown_13HW, truth_13HW)))
