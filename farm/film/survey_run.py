"""Builds a film's frame index, cuts and plan while the survey's findings arrive. The finished part of a plan never changes.

The survey is two streams of findings, in any order: pages of the frame index from one demux, and cuts from many ranges
of frames looked through in parallel. Both are written to the store as they come; what is there is not surveyed again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise, takewhile

from farm.film.calls import ContinuedCall, CutsCall, GivenCutsCall, IndexCall
from farm.fleet.calls import Call
from jobs.digest import digest
from jobs.film.frame_index import FrameIndex, PacketSpan, Page
from jobs.film.source import Film
from jobs.film.timecode import FrameTimecodes
from jobs.ledger.ledger import Ledger
from jobs.ledger.render_history import ShotRendering, continuity, made_of
from jobs.ledger.shot_locks import refuse_changes
from jobs.plan.output_timing import Timing, timing_for
from jobs.plan.plan import Chunk, Look, Plan, Range, Shot
from jobs.plan.sampling import SourceFrames
from jobs.plan.shots import (
    PlacedOverride,
    by_name,
    dressed,
    far_enough,
    grading_of,
    joined_shots,
    match_of,
    placed,
    refuse_idle_events,
    refuse_idle_overrides,
    refuse_still_of_whole_picture,
)
from jobs.plan.spans import FARTHEST, Propagation
from jobs.plan.survey_ranges import decoded, range_target, seen, survey_ranges
from jobs.records.cuts import Cuts
from jobs.records.deliverables import DeliverablePlan
from jobs.records.guides import painted_frame
from jobs.spec.advice import SuggestedChange, UnfitDeliverable
from jobs.spec.codecs import Wrapping
from jobs.spec.job import JobSpec, LookChoice
from jobs.spec.shots import DetectShots, GivenShots
from jobs.stills.listing import StillFile

REINDEXED_BY = 8
"""The index is sorted anew when it has grown by a part in so many: a day of film is sorted sixty times, and not five hundred."""


class SurveyRun:
    """What is known of one film so far: its index, its cuts, its plan."""

    def __init__(
        self,
        spec: JobSpec,
        film: Film,
        ledger: Ledger,
        looks: Mapping[str, Look],
        stills: Sequence[StillFile] = (),
    ) -> None:
        """`looks`: those of the spec, fitted, by choice. `stills`: those that the spec names, in film order."""
        self.spec = spec
        self.looks = looks
        self.stills = stills
        self.film = film
        self.ledger = ledger
        self.pages: list[Page] = ledger.pages(film.picture.stream)
        self._resumed = bool(self.pages)
        self.plan = Plan.for_seconds(spec.chunk_seconds, film.picture.rate)
        self.index: FrameIndex | None = None
        self.names = FrameTimecodes.of(film)
        """What people call its frames, as far as they are known."""
        self._ordered = 0  # ranges that have been ordered
        self._found: dict[int, Cuts] = {}  # by first frame, not yet part of the plan
        self._searched = 0  # frames before this have been looked through, without a gap
        self._starts = [0]  # of shots, as far as frames have been looked through
        self._continued: set[int] = set()  # those at which the picture goes on
        self._settled: list[Chunk] = []  # planned, and not yet asked for
        locks = any(one.locked for one in spec.overrides)
        self._before = continuity(ledger).made if locks else []  # what locked shots are held to
        self._shots = 0  # shots whose end is known and planned
        self._folder = f"survey/{film.picture.stream}"
        # A grey film is searched in another way. The minimum length is applied on paper, so it is not part of this.
        sought = (
            {"threshold": spec.shots.threshold, "grey": film.picture.grey}
            if isinstance(spec.shots, DetectShots)
            else {}
        )
        self._name = digest(sought)
        self._on_paper = set(ledger.names(f"{self._folder}/cuts-{self._name}-"))

    def survey_calls(self) -> list[Call]:
        """The demux, from where it was left, and the ranges that are settled already."""
        calls = self._search_calls() if self.pages else []
        if not self.complete:
            calls.insert(0, IndexCall(sum(map(len, self.pages)), self.pages[-1] if self.pages else None))
        return calls

    def calls_after_finding(self, found: Page | Cuts) -> list[Call]:
        """One more finding: put on paper, and what is to be surveyed next because of it."""
        if isinstance(found, Page):
            return self._calls_after_page(found)
        if isinstance(self.spec.shots, GivenShots) and found.continued is None:
            self.ledger.keep_paper(self._given_paper, found, only_if_absent=False)
            return self._calls_after_list(found)
        self.ledger.keep_paper(self._cuts_paper(found), found)
        self._add(found)
        return []

    def _calls_after_list(self, listed: Cuts) -> list[Call]:
        """A studio's list has been read. Colour is propagated over cuts at which the picture goes on: these are looked at first."""
        if not any(look.propagates for look in self.looks.values()):
            self._add(listed)
            return []
        assert self.index is not None
        calls: list[Call] = []
        for frames in survey_ranges(self.index, range_target(self.film.picture)):
            among = Cuts(frames=frames, cuts=tuple(cut for cut in listed.cuts if cut in range(*frames)), continued=())
            kept = self.ledger.paper(self._cuts_paper(among), Cuts) if among.cuts else among
            if kept and (kept.frames, kept.cuts) == (frames, among.cuts):
                self._add(kept)
            else:
                calls.append(ContinuedCall.at(self.film, self.index, among, self._edl))
        return calls

    def _calls_after_page(self, page: Page) -> list[Call]:
        # A demux begun anew after a lost worker brings pages again that are here already.
        if self.complete or any(len(page) and page.pts[0] == known.pts[0] for known in self.pages):
            return []
        self.ledger.keep_page(self.film.picture.stream, len(self.pages), page)
        self.pages.append(page)
        new = sum(map(len, self.pages)) - (len(self.index.order) if self.index else 0)
        enough = self.index is None or REINDEXED_BY * new >= len(self.index.order)
        return self._search_calls() if self.complete or enough else []

    def recall(self) -> None:
        """What a run before this one read from a list of cuts: for those who only look."""
        listed = isinstance(self.spec.shots, GivenShots) and self.complete
        given = self.ledger.paper(self._given_paper, Cuts) if listed else None
        if given and self.index and given.frames == Range(0, self.index.frames):
            self._calls_after_list(given)  # what was not looked at then is not known

    def fresh(self) -> list[Chunk]:
        """Chunks that the findings since the last call have settled; of a shot that goes on, those that no frame to come can change.

        Raises BadSpec where the plan is whole and an override names nothing in it.
        """
        # A deinterlaced frame is settled only when its neighbours are, and whether a frame that an override names has
        # that name only when the last stamp is known: their chunks wait for the whole index.
        waits = self.film.picture.deinterlace or by_name(self.spec.overrides)
        ready = self.index is not None and (self.complete or not waits)
        self._settled += self.plan.grow(*self._settled_shots()) if ready else []
        if self._settled and self.done:
            refuse_idle_overrides(self.spec.overrides, self.plan.shot_count, self.plan.frames, self.names)
            refuse_idle_events(self.spec, self.plan.shots, self.names)
            refuse_changes(self._placed(), self._before, self.made, self.names)
        elif self._before:  # nothing is begun until it is known that locked shots stay as they are
            return []
        new, self._settled = self._settled, []
        return new

    @property
    def complete(self) -> bool:
        """The whole source has been demuxed: the survey's last page is an empty one."""
        return bool(self.pages) and not len(self.pages[-1])

    @property
    def expected_chunks(self) -> int:
        """About how many chunks there will be, by the source's header; 0 where they are known, or an earlier run may have made them."""
        return 0 if self._resumed or self.done else max(1, round(self.film.seconds / self.spec.chunk_seconds))

    @property
    def made(self) -> list[ShotRendering]:
        """What is made of every shot planned so far."""
        return made_of(self.plan.shots, self.plan.target, self.film)

    @property
    def done(self) -> bool:
        """Every frame of the film is in the plan."""
        return self.complete and self.index is not None and self.plan.frames == self.index.frames

    def timing(self, deliverable: DeliverablePlan) -> Timing:
        """When each frame of a deliverable is shown; once the index is complete. Raises Unfit, see `timing_for`."""
        try:
            return self._timing(deliverable, deliverable.container)
        except UnfitDeliverable as refusal:
            raise refusal.trying(lambda change: self._counts(deliverable, change)) from None

    def _timing(self, deliverable: DeliverablePlan, container: Wrapping) -> Timing:
        assert self.index is not None
        return timing_for(self.index, self.film.picture, container, deliverable.origin)

    def _counts(self, deliverable: DeliverablePlan, change: SuggestedChange) -> bool:
        """Whether the changed deliverable's container can count these frames."""
        changed = change.deliverable(deliverable.deliverable)
        try:
            return changed is not None and all(self._timing(deliverable, one) for one in changed.wrappings)
        except UnfitDeliverable:
            return False

    def source_frames(self) -> SourceFrames:
        """What an inspector is told of the source; once the index is complete."""
        assert self.index is not None
        return SourceFrames(self.index.pts, self.index.entries(), self.spec.inspect)

    def span(self, frames: Range) -> PacketSpan:
        """The packets that decode some planned frames, and their neighbours where they are deinterlaced."""
        return self.decoding(frames)[1]

    def decoding(self, frames: Range) -> tuple[int, PacketSpan]:
        """How many frames are decoded before some planned ones, because they are deinterlaced, and the packets that decode all of them."""
        assert self.index is not None
        around = decoded(frames, self.index.frames) if self.film.picture.deinterlace else frames
        return frames.start - around.start, self.index.span(*around)

    def _search_calls(self) -> list[Call]:
        self.index = FrameIndex(self.pages, complete=self.complete, trim=self.spec.head == "trim")
        self.names = FrameTimecodes.of(self.film, self.index.pts[: self.index.frames])
        if isinstance(self.spec.shots, GivenShots):
            return self._given_calls() if self.complete and not self._searched else []
        calls: list[Call] = []
        for frames in list(survey_ranges(self.index, range_target(self.film.picture)))[self._ordered :]:
            self._ordered += 1
            name = self._cuts_paper(Cuts(frames=frames, cuts=()))
            kept = self.ledger.paper(name, Cuts) if name in self._on_paper else None
            if kept and kept.frames == frames:  # a paper that tells of other frames is another's, or damaged
                self._add(kept)
            else:
                calls.append(self._search_call(frames))
        return calls

    def _given_calls(self) -> list[Call]:
        # A list names frames by time code, so it can be read only when every frame's time is known.
        assert self.index is not None
        assert isinstance(self.spec.shots, GivenShots)
        return [GivenCutsCall(self.spec.shots.file, self.film, self.index.pts)]

    def _search_call(self, frames: Range) -> CutsCall:
        assert self.index is not None
        assert isinstance(self.spec.shots, DetectShots)
        around = seen(frames, self.index)
        mend, span = self.spec.on_error != "fail", self.index.span(*around)
        what = f"cuts in {self.names.spoken(frames.start, frames.stop - 1)}"
        threshold = self.spec.shots.threshold
        return CutsCall(self.film.picture, span, frames, around.start, threshold, mend, what=what)

    @property
    def _given_paper(self) -> str:
        # The studio's own list as last read: for `farm status`; a run reads the list itself.
        return f"{self._folder}/cuts-given.json"

    @property
    def _edl(self) -> bool:
        return isinstance(self.spec.shots, GivenShots) and self.spec.shots.file.lower().endswith(".edl")

    def _cuts_paper(self, found: Cuts) -> str:
        """Where cuts lie that were found, or those of a list once they have been looked at."""
        name = self._name if found.continued is None else digest({"listed": found.cuts, "edl": self._edl})
        return f"{self._folder}/cuts-{name}-{found.frames.start:08d}-{found.frames.stop:08d}.json"

    def _add(self, found: Cuts) -> None:
        if not found.frames.frames:
            return
        self._found[found.frames.start] = found
        while self._searched in self._found:
            found = self._found.pop(self._searched)
            minimum = self.spec.shots.min_frames if isinstance(self.spec.shots, DetectShots) else 1
            self._starts += far_enough(found.cuts, minimum, self._starts[-1])
            self._continued |= {*(found.continued or ())}
            self._searched = found.frames.stop

    def _settled_shots(self) -> tuple[list[Shot], Shot | None]:
        """The shots that are known from end to end, and the one after them as far as it has been looked through."""
        assert self.index is not None
        stop = self._searched
        starts = takewhile(lambda start: start < stop, self._starts[self._shots :])
        shots = [Range(start, end) for start, end in pairwise([*starts, stop])]
        whole = self.complete and stop == self.index.frames
        overrides = self._placed()
        new = [
            part
            for number, frames in enumerate(shots, self._shots + 1)
            for part in dressed(number, frames, self.spec.look, overrides, self._fit)
            # The edges of an override may have ended some of a shot that goes on.
            if part.frames.start >= self.plan.edge
        ]
        joined = joined_shots(new, self._continued, lambda part: match_of(part, self.spec, overrides))
        new = [self._propagated(part, together, overrides) for part, together in joined]
        new = [part.graded(grading_of(part, self.spec, overrides, self.names)) for part in new]
        # Shots that are joined are known once the last of them is: colour comes from each to the others.
        known = len(new) if whole else sum(together != joined[-1][1] for _, together in joined)
        edge = new[known - 1].frames.stop if known else self.plan.edge
        self._shots += sum(frames.stop <= edge for frames in shots)
        return [part.settled for part in new[:known]], next(iter(new[known:]), None)

    def _propagated(self, part: Shot, joined: Range, overrides: Sequence[PlacedOverride]) -> Shot:
        """A shot with its colour propagated, where its look's is. Raises BadSpec for a still where it cannot be."""
        reach = Range(joined.start - FARTHEST, joined.stop + FARTHEST)
        stills = [one for one in self.stills if reach.start <= one.frame < reach.stop]
        if part.look.propagates:
            painted = tuple(map(painted_frame, stills))
            match = match_of(part, self.spec, overrides)
            propagation = Propagation(stills=painted, match=match, joined=None if joined == part.frames else joined)
            return replace(part, look=part.look.propagated(propagation))
        refuse_still_of_whole_picture(part, stills)
        return part

    def _placed(self) -> list[PlacedOverride]:
        assert self.index is not None
        return placed(self.spec.overrides, self.names, self.index.frames)

    def _fit(self, choice: LookChoice) -> Look:
        return self.looks[choice.model_dump_json()]
