"""Divides a film's frames into shots and chunks, and says what each chunk must read.

Pure and deterministic; the plan of a finished prefix never changes.

Words and geometry (docs/decisions/0002-geometry.md). All ranges are half-open frame numbers in display order:

    shot      |-------------------------------------------|            nothing temporal crosses its edges
    cores     |-------------|--------------|--------------|            tile the film exactly once
    handles             |---|==============|---|                       shown on either side: the look's context, and the
                                                                       tail that is dissolved into the next chunk's head
    pre-roll       |----|                                              shown first, to warm a memory; output thrown away
    read           |---------------------------|                       what is decoded
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from math import ceil, cos, pi
from typing import Annotated, Literal

from pydantic import Field

from jobs.document import Document
from jobs.film.source import StandIn
from jobs.plan.grading import Grading
from jobs.plan.ranges import Range as Range
from jobs.plan.spans import Propagation, Span
from jobs.spec.job import LookChoice


class Support(Document):
    """What a look needs to see in time, in frames."""

    context: Annotated[int, Field(ge=0)] = 0
    """Frames on either side that an exact answer depends on."""
    warmup: Annotated[int, Field(ge=0)] = 0
    """Frames a memory must have seen before its answer counts."""
    dissolve: Annotated[int, Field(ge=0)] = 0
    """Frames over which two renderings are blended at a seam: only for a look whose memory has no end."""
    steady_version: int = Field(default=1, exclude_if=lambda version: version == 1)
    """Of the filter that calms its chroma, where it is calmed: it stands in digests from the second on."""


Keeps = Literal["", "luma", "chroma", "all"]
"""What of the film's own picture a look leaves as it is; nothing, as far as is known, where it is empty."""


class Look(Document):
    """A look as the plan needs it: what was chosen, and what it takes. Made by the room of looks."""

    choice: LookChoice
    """With every setting filled in, so that a default that changes changes the digest. A package is named by its place."""
    kind: str = ""
    """The installed look that runs it; nothing where that is the choice's own name."""
    support: Support = Support()
    weights: tuple[str, ...] = ()
    """SHA-256 of its package and of what else it reads, in the order the look names them; empty for a look without."""
    places: tuple[str, ...] = ()
    """Settings that say where things lie whose hashes are among the weights."""
    version: int = 1
    """The look's code version: raised whenever its pictures change."""
    adds_colour: bool = True
    """False for a look that leaves chroma as it finds it: a grey film then stays a grey film."""
    keeps: Keeps = ""
    """What a finished film is held to. It changes no picture, so it is in no digest."""
    propagates: bool = False
    """Whether its colour is propagated: of a look as it is fitted, where the spec does not say; of a job's look, in this job. What gives a shot
    its colour stands in `propagation`, so this is in no digest."""
    gpu_gib: float = 12.0
    """GPU memory that a renderer of it takes at most, in GiB: how many share a GPU. It changes no picture, so it is in no digest."""
    stand_in: StandIn = ""
    """It stands in for a look that gave no pictures (jobs/ledger/quarantine.py)."""
    propagation: Propagation | None = None
    """Its colour is propagated from anchors; None: it is shown every frame."""
    grading: Grading | None = None
    """What is done with its picture afterwards; None: nothing."""

    def named(self) -> dict[str, object]:
        """What tells this look from any other. Where its package and its weights lie does not: their hashes do."""
        paper = self.model_dump(mode="json")
        for place in paper.pop("places"):
            paper["choice"]["settings"].pop(place, None)
        paper["choice"]["name"] = paper.pop("kind") or self.choice.name
        del paper["keeps"], paper["propagates"], paper["gpu_gib"]
        paper["grading"] = self.grading and self.grading.named()
        # At their defaults these are in no digest: there was a time without them.
        late = ("stand_in", "propagation", "grading")
        return {name: value for name, value in paper.items() if value or name not in late}

    def propagated(self, propagation: Propagation) -> "Look":
        """The look with its colour propagated from stills, and from anchors of its own."""
        return self.model_copy(update={"propagation": propagation})

    def graded(self, grading: Grading | None) -> "Look":
        """The look with something done to its picture afterwards. What that does not keep is no longer held to be kept."""
        if grading is None or not grading.changes_pictures:
            return self.model_copy(update={"grading": grading})
        keeps_luma = self.keeps == "luma" or (self.keeps == "all" and not grading.has_grade)
        return self.model_copy(update={"grading": grading, "keeps": "luma" if keeps_luma else ""})

    @property
    def ungraded(self) -> "Look":
        """The look with nothing done to its picture afterwards."""
        return self.model_copy(update={"grading": None})

    @property
    def around(self) -> Support:
        """What a chunk must have around it: nothing where colour is propagated, for guides hold that of every frame."""
        return Support() if self.propagation else self.support

    @property
    def in_any_shot(self) -> "Look":
        """The look, whatever the stills and spans of the shot that it is propagated through."""
        return self.model_copy(update={"propagation": self.propagation and Propagation(), "grading": None})

    @property
    def of_anchors(self) -> "Look":
        """The look that colours a propagated shot's own anchors."""
        return self.model_copy(update={"propagation": None, "grading": None})

    @property
    def title(self) -> str:
        """What people call it: a package by the last part of its place."""
        if self.stand_in:
            return "the source's own frames" if self.stand_in == "source" else "grey"
        name = self.choice.name
        return name.rpartition("/")[2] if name.startswith("/") or "://" in name else name


@dataclass(frozen=True)
class Shot:
    """Frames between two cuts, under one look. A frame-range override's edges are cuts, but keep the shot's number."""

    number: int
    frames: Range
    look: Look

    def graded(self, grading: Grading | None) -> "Shot":
        """The shot with something done to its pictures after the look."""
        return replace(self, look=self.look.graded(grading)) if grading else self

    @property
    def settled(self) -> "Shot":
        """The shot once it is known from end to end: its grading says nothing of other frames."""
        grading = self.look.grading
        return (
            replace(self, look=self.look.model_copy(update={"grading": grading.over(self.frames, self.frames)}))
            if grading
            else self
        )


@dataclass(frozen=True)
class Chunk:
    """Part of one shot: the unit of storage, digest and record."""

    number: int
    shot: int
    core: Range
    shown: Range
    """Core and handles."""
    read: Range
    """Core, handles and pre-roll: what is decoded, in order, and shown to the look."""
    seam: bool
    """A seam, not a cut, is before this chunk."""
    dissolve: int
    """Frames at the core's head that are blended with the tail of the chunk before; 0 where there is no seam to blend."""
    tail: int
    """Frames after the core that are rendered and kept for the dissolve into the chunk after; 0 where there is none."""
    look: Look

    @property
    def spans(self) -> tuple[Span, ...]:
        """Those that give its frames their colour, in film order; none where it is not propagated."""
        return self.look.propagation.spans if self.look.propagation else ()

    @property
    def extra(self) -> int:
        """Frames read beyond the core."""
        return self.read.frames - self.core.frames


def divide(shot: Range, target: int, dissolve: int = 0, first: int = 0) -> list[Range]:
    """A shot's cores, from the `first`-th on: `target` frames each, the last two nearly equal; by the shot's own length alone.

    All but the last two are the same however long the shot goes on. A core is longer than the two dissolves it takes part
    in: where the target is shorter than that, it is raised.
    """
    target = max(target, 4 * dissolve + 1)
    parts = ceil(shot.frames / target)
    if parts < 2:
        return [shot][first:]
    last_two = shot.start + (parts - 2) * target
    edges = [*range(shot.start + first * target, last_two, target), last_two, (last_two + shot.stop) // 2, shot.stop]
    return [Range(a, b) for a, b in pairwise(edges[max(0, first - (parts - 2)) :])]


def chunks_of(shot: Shot, target: int, first_number: int, begun: int = 0) -> list[Chunk]:
    """The chunks of one shot but for the first `begun`, with handles and pre-roll clipped at the shot's edges."""
    need, edge = shot.look.around, shot.frames
    spans = shot.look.propagation.through(edge) if shot.look.propagation else ()
    chunks = []
    for place, core in enumerate(divide(edge, target, need.dissolve, begun), begun):
        tail = need.dissolve if core.stop < edge.stop else 0
        shown = Range(
            max(edge.start, core.start - need.context),
            min(edge.stop, core.stop + tail + need.context),
        )
        chunks.append(
            Chunk(
                number=first_number + place,
                shot=shot.number,
                core=core,
                shown=shown,
                read=Range(max(edge.start, min(shown.start, core.start - need.warmup)), shown.stop),
                seam=place > 0,
                dissolve=need.dissolve if place else 0,
                tail=tail,
                look=_over(shot, core, spans),
            )
        )
    return chunks


def _over(shot: Shot, core: Range, spans: Sequence[Span]) -> Look:
    propagation, grading = shot.look.propagation, shot.look.grading
    if not propagation and not grading:
        return shot.look
    some = {
        "propagation": propagation and propagation.over(core, spans),
        "grading": grading and grading.over(core, shot.frames),
    }
    return shot.look.model_copy(update=some)


def dissolve_weights(frames: int) -> list[float]:
    """Weight of the later chunk on each frame of a dissolve: a raised cosine, never quite 0 nor 1. The earlier has the rest."""
    return [0.5 - 0.5 * cos(pi * (k + 1) / (frames + 1)) for k in range(frames)]


@dataclass
class Plan:
    """Shots and chunks of a film, growing as shots are found. What has been planned never changes."""

    target: int
    """Longest core, in frames."""
    shots: list[Shot] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    _begun: int = 0
    """Chunks of the shot that goes on, which are planned already."""

    @classmethod
    def for_seconds(cls, seconds: float, rate: Fraction) -> "Plan":
        """An empty plan with chunks of at most `seconds` at `rate` frames a second, at least one frame."""
        return cls(max(1, int(Fraction(str(seconds)) * rate)))

    def grow(self, shots: Iterable[Shot], going_on: Shot | None = None) -> list[Chunk]:
        """Append the film's next shots; gives back the chunks that are new. Raises ValueError where they do not adjoin.

        `going_on`: the shot after them as far as it is known; its first chunks, which no later frame can change, are planned
        already, so that a film of one shot need not be surveyed to its end before work begins.
        """
        planned = len(self.chunks)
        for shot in shots:
            self.chunks += self._rest_of(shot)
            self.shots.append(shot)
            self._begun = 0
        if going_on:
            reach, propagation, grading = going_on.look.around.context, going_on.look.propagation, going_on.look.grading
            known = propagation.settled(going_on.frames) if propagation else going_on.frames.stop
            known = min(known, grading.settled(going_on.frames)) if grading else known
            chunks = self._rest_of(going_on)[:-2]
            fixed = [chunk for chunk in chunks if chunk.core.stop + chunk.tail + reach <= known]
            self.chunks += fixed
            self._begun += len(fixed)
        return self.chunks[planned:]

    def _rest_of(self, shot: Shot) -> list[Chunk]:
        if shot.frames.start != self.edge or shot.frames.frames < 1:
            raise ValueError(f"the next shot begins at frame {self.edge}, not with {shot.frames}")
        return chunks_of(shot, self.target, len(self.chunks) - self._begun + 1, self._begun)

    @property
    def edge(self) -> int:
        """Where the last whole shot ends."""
        return self.shots[-1].frames.stop if self.shots else 0

    @property
    def frames(self) -> int:
        """Frames planned so far."""
        return self.chunks[-1].core.stop if self.chunks else 0

    @property
    def shot_count(self) -> int:
        """Whole shots planned so far; the parts that an override makes of one shot count as one."""
        return self.shots[-1].number if self.shots else 0

    @property
    def seams(self) -> int:
        """Boundaries of two chunks inside one shot."""
        return sum(chunk.seam for chunk in self.chunks)

    @property
    def extra_frames(self) -> int:
        """Frames decoded and rendered more than once: handles and pre-roll."""
        return sum(chunk.extra for chunk in self.chunks)
