"""The calls a driver makes for one film: what surveyors, splitters, propagators, renderers, dissolvers, transcoders and finishers are asked."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from farm.fleet.calls import ONCE, Call, RetryPolicy
from jobs.film.frame_index import FrameIndex, Ints, PacketSpan, Page
from jobs.film.source import Film, Picture
from jobs.plan.output_timing import Timing
from jobs.plan.plan import Range
from jobs.plan.sampling import SourceFrames
from jobs.plan.survey_ranges import beside_listed
from jobs.records.cuts import Cuts
from jobs.records.deliverables import DeliverablePlan
from jobs.records.guides import GuideOrder, ReferenceOrder
from jobs.records.orders import DissolveOrder, RenderOrder, SplitOrder
from jobs.records.transcode import TranscodeOrder
from jobs.spec.job import JobSpec


@dataclass(frozen=True)
class ProbeCall(Call):
    """What the source is."""

    what: str = field(default="", kw_only=True)
    pool, method = "surveyor", "film"
    remedy = "write its streams again (ffmpeg -i FILM -map 0 -c copy NEW.mkv) and name that, or see whether the machine has memory left"


@dataclass(frozen=True)
class DecideCall(Call):
    """What each deliverable will be."""

    film: Film
    spec: JobSpec
    grey_stays_grey: bool
    pool, method, what = "surveyor", "decide", "the deliverables"


@dataclass(frozen=True)
class IndexCall(Call):
    """The frame index, from the packet after the last one kept."""

    kept: int
    last: Page | None
    pool, method, what = "surveyor", "pages", "the frame index"


@dataclass(frozen=True)
class CutsCall(Call):
    """The cuts among some frames."""

    picture: Picture
    span: PacketSpan
    searched: Range
    first: int
    threshold: float
    mend: bool
    what: str = field(default="", kw_only=True)
    pool, method = "surveyor", "cuts"

    @property
    def ahead(self) -> bool:
        return self.searched.start > 0

    @property
    def priority(self) -> tuple[int, ...]:
        return (1, self.searched.start)


@dataclass(frozen=True)
class GivenCutsCall(Call):
    """The cuts in the studio's own list."""

    url: str
    film: Film
    pts: Ints
    pool, method, what, priority = "surveyor", "given_cuts", "the shot list", (1,)
    remedy = "export it again, or give a .csv, which is the plainest"


@dataclass(frozen=True)
class ContinuedCall(Call):
    """At which of a list's cuts among some frames the picture goes on."""

    picture: Picture
    span: PacketSpan
    searched: Range
    first: int
    listed: tuple[int, ...]
    edl: bool
    pool, method = "surveyor", "continued"

    @classmethod
    def at(cls, film: Film, index: FrameIndex, listed: Cuts, edl: bool) -> Self:
        """At some cuts of a film, at least one; `edl`: by a list that is an EDL."""
        read = beside_listed(listed.cuts, index.frames)
        return cls(film.picture, index.span(*read), listed.frames, read.start, listed.cuts, edl)

    @property
    def what(self) -> str:
        return f"the shot list's cuts in frames {self.searched.start} to {self.searched.stop - 1}"

    @property
    def priority(self) -> tuple[int, ...]:
        return (1, self.searched.start)


@dataclass(frozen=True)
class ChunkCall(Call):
    """Work on some chunks: neighbours, in film order. Where it goes wrong too often, the other chunks are made."""

    early: tuple[int, ...] = field(default=(), kw_only=True)
    """Those of its chunks that come before the film's order."""
    alone = True

    @property
    @abstractmethod
    def chunks(self) -> tuple[int, ...]:
        """By number."""

    @property
    def priority(self) -> tuple[int, ...]:
        return (1, self.early[0]) if self.early else (2, self.chunks[0])

    @property
    def what(self) -> str:
        return f"chunk {self.chunks[0]}" if len(self.chunks) == 1 else f"chunks {self.chunks[0]}-{self.chunks[-1]}"


@dataclass(frozen=True)
class SplitCall(ChunkCall):
    """Put the reads of neighbours into the store."""

    orders: Sequence[SplitOrder]
    pool, method = "splitter", "split"

    @property
    def ahead(self) -> bool:
        return self.chunks[0] > 1

    @property
    def chunks(self) -> tuple[int, ...]:
        return tuple(order.chunk for order in self.orders)


@dataclass(frozen=True)
class RenderCall(ChunkCall):
    """Render neighbours, one after another; where hands are idle, each by itself."""

    orders: Sequence[RenderOrder]
    pool, method = "renderer", "render"

    @property
    def chunks(self) -> tuple[int, ...]:
        return tuple(order.chunk for order in self.orders)

    @property
    def budget(self) -> RetryPolicy | None:
        # Several are tried one by one then: whoever of them is bad spends a budget of its own.
        return ONCE if len(self.orders) > 1 else None

    @cached_property  # the scheduler asks often
    def frames(self) -> int:
        return sum(order.read.frames for order in self.orders)

    @cached_property
    def parts(self) -> Sequence[Call]:
        if len(self.orders) == 1:
            return ()
        return [RenderCall([one], early=tuple({one.chunk} & {*self.early})) for one in self.orders]


@dataclass(frozen=True)
class ColourCall(ChunkCall):
    """Work that chunks wait for, and that is of none of them alone."""

    wanted_by: tuple[int, ...] = field(kw_only=True)
    pool = "propagator"

    @property
    def chunks(self) -> tuple[int, ...]:
        return self.wanted_by


@dataclass(frozen=True)
class ReferenceCall(ColourCall):
    """Hold a still against its frame, and bring it to the film's own size."""

    order: ReferenceOrder
    method = "reference"

    @property
    def priority(self) -> tuple[int, ...]:
        return (0, self.order.painted.frame)  # before anything is paid for that depends on it

    @property
    def what(self) -> str:
        return f"the still of {self.order.called}"


@dataclass(frozen=True)
class GuideCall(ColourCall):
    """Propagate colour through neighbouring spans."""

    order: GuideOrder
    method = "propagate"

    @property
    def budget(self) -> RetryPolicy | None:
        return ONCE if len(self.order.spans) > 1 else None

    @property
    def what(self) -> str:
        frames = self.order.read
        return f"the colour of frames {frames.start}-{frames.stop - 1}"


@dataclass(frozen=True)
class DissolveCall(ChunkCall):
    """Blend two renderings across a seam."""

    order: DissolveOrder
    pool, method = "dissolver", "dissolve"

    @property
    def chunks(self) -> tuple[int, ...]:
        return (self.order.chunk,)

    @property
    def what(self) -> str:
        return f"the seam before chunk {self.order.chunk}"


@dataclass(frozen=True)
class TranscodeCall(ChunkCall):
    """Encode a chunk from the segments of another deliverable."""

    order: TranscodeOrder
    pool, method = "printer", "strike"

    @property
    def chunks(self) -> tuple[int, ...]:
        return (self.order.chunk,)

    @property
    def what(self) -> str:
        return f"the print of chunk {self.order.chunk}"


@dataclass(frozen=True)
class FinishCall(Call):
    """Stitch, verify and deliver one file."""

    film: Film
    deliverable: DeliverablePlan
    timing: Timing
    run: str
    source: SourceFrames
    pool, method, priority = "finisher", "finish", (3,)

    @property
    def what(self) -> str:
        return self.deliverable.file
