"""How fast each look renders, as measured in any job of a store or else by constants, and how many frames that rests on."""

import re
from collections.abc import Callable, Iterable, Sequence
from math import log
from typing import NamedTuple

from jobs.digest import digest
from jobs.ledger.ledger import Ledger
from jobs.ledger.usage import NAME, MeasuredThroughput, read_tally
from jobs.plan.plan import Look
from jobs.spec.codecs import Codec
from jobs.spec.formats import Deliverable
from jobs.store import Store

SECONDS_PER_MEGAPIXEL = {
    Codec.H264: 0.08,
    Codec.HEVC: 0.22,
    Codec.PRORES: 0.11,
    Codec.DNXHR: 0.04,
    Codec.FFV1: 0.08,
    Codec.PNG: 0.25,
    Codec.TIFF: 0.26,
    Codec.DPX: 0.07,
    Codec.EXR: 0.37,
}
"""Decode, compose and encode on one core (docs/log.md, "What a frame costs")."""
LOOK_SECONDS_PER_FRAME = {"none": 0.0, "colorize": 0.045}
"""The generator on one core, at its default size; a look listed nowhere is counted as colorize."""
LOOK_SECONDS_PER_MEGAPIXEL = {"fast-style": 2.8}
"""A generator that works at the film's own size, on one core."""

PROPAGATED_SECONDS = 0.065
"""To propagate colour to a frame, on a propagator's core (docs/log.md)."""
UPSAMPLED_SECONDS = 0.015
"""To bring propagated colour to the size of the film's chroma along its luma, for a megapixel of luma, on a renderer's core."""

GPU_IN_CORES = 45.0
"""Cores that do as much of a look's work as one L4. An estimate (colorize: 45 ms on a core, about 1 ms there), for no GPU has given it."""


def _is_processor(hardware: str) -> bool:
    # As `actors.render.segments.hardware` names them.
    return re.search(r", \d+ cores\b", hardware) is not None


class LookThroughput(NamedTuple):
    """How fast one look is."""

    seconds: float
    """Of one renderer, for each frame read."""
    frames: int
    """That were measured for this; 0: none, and it is a constant of one core."""
    hardware: str


def paces_in(store: Store) -> list[MeasuredThroughput]:
    """Of every job of a store, as far as its tally can be read."""
    jobs = [key.removesuffix(f"/{NAME}") for key in store.list("") if key.endswith(f"/{NAME}") and key.count("/") == 1]
    tallies = (read_tally(Ledger(store, job)) for job in jobs)
    return [pace for tally in tallies if tally for pace in tally.paces]


class Throughputs:
    """Of the looks of one film."""

    def __init__(
        self, paces: Iterable[MeasuredThroughput], deliverables: Sequence[Deliverable], megapixels: float
    ) -> None:
        """`megapixels` of the film's picture."""
        self._paces = list(paces)
        self._deliverables = deliverables
        self._megapixels = megapixels
        self._known: dict[tuple[int, str, int], tuple[Look, LookThroughput]] = {}

    def of(self, look: Look, hardware: str = "", renderers: int = 1) -> LookThroughput:
        """By the frames that this look, of the same weights, settings and code, was shown before: on the hardware on which
        most were, by the nearest number of renderers, at the nearest size of picture, which is scaled as the constants
        are; else by the constants.

        `hardware`: a part of its name, in any case; then it is that, or a constant that says so by its frames.
        """
        key = (id(look), hardware, renderers)
        if key not in self._known:  # with its look, which keeps the key its own
            self._known[key] = (look, self._measured(look, hardware, renderers) or self._constant(look))
        return self._known[key][1]

    def on_gpu(self, look: Look, gpus: float, cpus: float) -> LookThroughput:
        """As measured on any GPU, else an estimate for a renderer of so much: its look on its share of the GPU, beside its encoders."""
        if measured := self._measured(look, "", 1, lambda hardware: not _is_processor(hardware)):
            return measured
        coding = self._megapixels * sum(SECONDS_PER_MEGAPIXEL[one.codec] for one in self._deliverables)
        drawing = (self._seconds(look, self._megapixels) - coding) / GPU_IN_CORES / gpus
        return LookThroughput(max(drawing, coding / cpus), 0, f"{gpus:g} of an L4 and {cpus:g} cores")

    def on_processor(self, look: Look) -> LookThroughput:
        """As measured without a GPU, else by the constants of one core."""
        return self._measured(look, "", 1, _is_processor) or self._constant(look)

    def _measured(
        self, look: Look, hardware: str, renderers: int, wanted: Callable[[str], bool] = lambda _: True
    ) -> LookThroughput | None:
        name, word = digest(look.in_any_shot.named()), hardware.casefold()
        by_hardware: dict[str, list[MeasuredThroughput]] = {}
        for pace in self._paces:
            if pace.network == name and pace.frames and word in pace.hardware.casefold() and wanted(pace.hardware):
                by_hardware.setdefault(pace.hardware, []).append(pace)
        if not by_hardware:
            return None
        on, found = max(by_hardware.items(), key=lambda one: sum(pace.frames for pace in one[1]))
        number = min((pace.renderers for pace in found), key=lambda one: abs(log(one / renderers)))
        found = [pace for pace in found if pace.renderers == number]
        size = min((pace.megapixels for pace in found), key=lambda one: abs(log(one / self._megapixels)))
        found = [pace for pace in found if pace.megapixels == size]
        frames = sum(pace.frames for pace in found)
        # Some looks work at a size of their own, whatever the picture's, but what goes in and out is the picture's.
        scale = self._seconds(look, self._megapixels) / self._seconds(look, size)
        return LookThroughput(scale * sum(pace.seconds for pace in found) / frames, frames, on)

    def _constant(self, look: Look) -> LookThroughput:
        return LookThroughput(self._seconds(look, self._megapixels), 0, "one core")

    def _seconds(self, look: Look, megapixels: float) -> float:
        """For a frame of this size, by the constants."""
        name, coding = (
            look.kind or look.choice.name,
            sum(SECONDS_PER_MEGAPIXEL[one.codec] for one in self._deliverables),
        )
        if look.propagation:
            return (UPSAMPLED_SECONDS + coding) * megapixels
        if name in LOOK_SECONDS_PER_MEGAPIXEL:
            return (LOOK_SECONDS_PER_MEGAPIXEL[name] + coding) * megapixels
        return LOOK_SECONDS_PER_FRAME.get(name, LOOK_SECONDS_PER_FRAME["colorize"]) + coding * megapixels
