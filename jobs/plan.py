"""The plan: a film's frames divided into shots and chunks, with what each chunk must read. Pure and deterministic; the plan of a finished prefix never changes.

Words and geometry (docs/decisions/0002-geometry.md). All ranges are half-open frame numbers in display order:

    shot      |-------------------------------------------|            nothing temporal crosses its edges
    cores     |-------------|--------------|--------------|            tile the film exactly once
    handles             |---|==============|---|                       shown on either side: the look's context, and the
                                                                       tail that is dissolved into the next chunk's head
    pre-roll       |----|                                              shown first, to warm a memory; output thrown away
    read           |---------------------------|                       what is decoded
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import ceil, cos, pi
from typing import Annotated, NamedTuple

from pydantic import Field

from jobs.spec import LookChoice, Paper


class Range(NamedTuple):
    """Frames [start, stop)."""

    start: int
    stop: int

    @property
    def frames(self) -> int:
        return self.stop - self.start


class Support(Paper):
    """What a look needs to see in time, in frames."""

    context: Annotated[int, Field(ge=0)] = 0
    """Frames on either side that an exact answer depends on."""
    warmup: Annotated[int, Field(ge=0)] = 0
    """Frames a memory must have seen before its answer counts."""
    dissolve: Annotated[int, Field(ge=0)] = 0
    """Frames over which two renderings are blended at a seam: only for a look whose memory has no end."""


class Look(Paper):
    """A look as the plan needs it: what was chosen, and what it takes. Made by the room of looks."""

    choice: LookChoice
    """With every setting filled in, so that a default that changes changes the digest."""
    support: Support = Support()
    weights: str = ""
    """SHA-256 of the weights; empty for a look without."""
    version: int = 1
    """The look's code version: raised whenever its pictures change."""
    adds_colour: bool = True
    """False for a look that leaves chroma as it finds it: a grey film then stays a grey film."""

    def named(self) -> dict[str, object]:
        """What tells this look from any other. Where its weights lie does not: their hash does."""
        paper = self.model_dump(mode="json")
        paper["choice"]["settings"].pop("weights", None)
        return paper


@dataclass(frozen=True)
class Shot:
    """Frames between two cuts, under one look. A frame-range override's edges are cuts, but keep the shot's number."""

    number: int
    frames: Range
    look: Look


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
    look: Look

    @property
    def extra(self) -> int:
        """Frames read beyond the core."""
        return self.read.frames - self.core.frames


def divide(shot: Range, target: int, dissolve: int = 0) -> list[Range]:
    """A shot's cores: nearly equal, at most `target` frames, by the shot's own length alone.

    A core is longer than the two dissolves it takes part in, else there are fewer cores.
    """
    parts = max(1, min(ceil(shot.frames / target), shot.frames // (2 * dissolve + 1)))
    edges = [shot.start + shot.frames * part // parts for part in range(parts + 1)]
    return [Range(a, b) for a, b in pairwise(edges)]


def chunks_of(shot: Shot, target: int, first_number: int) -> list[Chunk]:
    """The chunks of one shot, with handles and pre-roll clipped at the shot's edges."""
    need, edge = shot.look.support, shot.frames
    chunks = []
    for place, core in enumerate(divide(edge, target, need.dissolve)):
        shown = Range(
            max(edge.start, core.start - need.context),
            min(edge.stop, core.stop + need.dissolve + need.context),
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
                look=shot.look,
            )
        )
    return chunks


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

    @classmethod
    def for_seconds(cls, seconds: float, rate: Fraction) -> "Plan":
        """An empty plan with chunks of at most `seconds` at `rate` frames a second, at least one frame."""
        return cls(max(1, int(Fraction(str(seconds)) * rate)))

    def grow(self, shots: Iterable[Shot]) -> list[Chunk]:
        """Append the film's next shots; gives back the chunks that are new. Raises ValueError where they do not adjoin."""
        new: list[Chunk] = []
        for shot in shots:
            if shot.frames.start != self.frames or shot.frames.frames < 1:
                raise ValueError(f"the next shot begins at frame {self.frames}, not with {shot.frames}")
            self.shots.append(shot)
            new += chunks_of(shot, self.target, len(self.chunks) + len(new) + 1)
        self.chunks += new
        return new

    @property
    def frames(self) -> int:
        """Frames planned so far."""
        return self.shots[-1].frames.stop if self.shots else 0

    @property
    def shot_count(self) -> int:
        """Shots planned so far; the parts that an override makes of one shot count as one."""
        return self.shots[-1].number if self.shots else 0

    @property
    def seams(self) -> int:
        """Boundaries of two chunks inside one shot."""
        return sum(chunk.seam for chunk in self.chunks)

    @property
    def extra_frames(self) -> int:
        """Frames decoded and rendered more than once: handles and pre-roll."""
        return sum(chunk.extra for chunk in self.chunks)
