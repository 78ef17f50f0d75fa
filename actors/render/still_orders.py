"""The orders given to the still renderer: stills of a shot, a choice of frames worth painting, and contact sheets."""

from dataclasses import dataclass
from typing import NamedTuple

from actors.survey.neighbouring_frames import NeighbouringFrames
from jobs.film.source import Film
from jobs.plan.plan import Look, Range
from jobs.records.guides import GuideRecord, ReferenceRecord
from jobs.records.orders import Encoding
from jobs.records.stills import Still, choice_digest, export_digest, still_digest


@dataclass(frozen=True)
class StillOrder:
    """Stills of one shot, all of one frame."""

    film: Film
    number: int
    """The shot's."""
    shot: Range
    looks: tuple[Look | None, ...]
    """None: the source's own frame."""
    encoding: Encoding
    """Of the deliverable that the stills show."""
    runs: tuple[NeighbouringFrames, ...]
    """Frames to choose from, each with what every look must see around it."""
    guides: tuple[GuideRecord, ...] = ()
    """Where a look's colour is propagated: that of the frame."""
    references: tuple[ReferenceRecord, ...] = ()
    """And the painted still, where the frame has one."""
    export: bool = False
    """To be painted: as PNG, of the one frame of its one run, and grey where there is no look."""

    @property
    def read(self) -> Range:
        """The frame of the first run alone, which is all that propagated colour is laid on."""
        return Range(self.runs[0].frame, self.runs[0].frame + 1)

    def digest(self, look: Look | None) -> str:
        """The name of the still in one of its looks."""
        if self.export:
            return export_digest(self.film, self.shot, self.runs[0].frame, look, self.encoding)
        return still_digest(self.film, self.shot, look, self.encoding)


@dataclass(frozen=True)
class ChoiceOrder:
    """Frames of one shot that are worth painting, to be chosen."""

    film: Film
    number: int
    """The shot's."""
    most: int
    run: NeighbouringFrames
    """The whole shot."""

    @property
    def digest(self) -> str:
        """The name of the choice."""
        return choice_digest(self.film, self.run.read, self.most)


class SheetCell(NamedTuple):
    """One still on a sheet, and its names in the output; no still where none could be made."""

    still: Still | None
    words: str
    large: str
    small: str
    """Empty: none is put there."""
    before: str | None = None
    """Hash of what an earlier run has put there to be painted on, empty where that is not known: what somebody has painted on
    since stays. None: whatever is there is replaced."""
    layer: str = ""
    """Name of a transparent layer, on which strokes are drawn over the still; empty: the still itself is painted on."""


class SheetMade(NamedTuple):
    """A sheet is there."""

    key: str
    edited: tuple[str, ...]
    """Names of stills and layers that somebody has painted on, and which were left as they are."""
    layers: tuple[tuple[str, str], ...] = ()
    """Transparent layers beside stills: name, and SHA-256 as it was put there."""


@dataclass(frozen=True)
class SheetOrder:
    """One contact sheet, whose stills are also put beside it, large and small."""

    output: str
    """Where it is put: a folder or s3://bucket/prefix."""
    key: str
    columns: tuple[str, ...]
    rows: tuple[tuple[SheetCell, ...], ...]
