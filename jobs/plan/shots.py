"""From cuts to shots: the minimum length, and which look each shot gets. Pure; a finished prefix never changes."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from jobs.errors import BadSpec
from jobs.film.timecode import FrameTimecodes
from jobs.plan.grading import ControlledRange, Grading
from jobs.plan.plan import Look, Range, Shot
from jobs.plan.ranges import MOST_FRAMES
from jobs.spec.controls import Controls
from jobs.spec.grade import Grade
from jobs.spec.job import JobSpec, LookChoice, Override
from jobs.spec.shots import FrameMark
from jobs.stills.listing import StillFile, refused_together

EVERYWHERE = Range(0, MOST_FRAMES)


def far_enough(cuts: Iterable[int], min_frames: int, start: int = 0) -> list[int]:
    """Cuts (first frames after a cut, ascending) less those closer than `min_frames` to the cut before, from the left."""
    kept: list[int] = []
    for cut in cuts:
        if cut - (kept[-1] if kept else start) >= min_frames:
            kept.append(cut)
    return kept


def ranges_between(cuts: Sequence[int], start: int, stop: int) -> list[Range]:
    """Frames [start, stop) divided at the cuts within it."""
    edges = [start, *(cut for cut in cuts if start < cut < stop), stop]
    return [Range(a, b) for a, b in pairwise(edges) if a < b]


@dataclass(frozen=True)
class PlacedOverride:
    """An override whose frames are numbers, whatever they were written as."""

    look: LookChoice | None
    """None: that of these frames without it."""
    locked: bool = False
    shots: tuple[int, int] | None = None
    """First and last shot, both included, counted from 1."""
    frames: Range | None = None
    controls: Controls | None = None
    ramp: int = 0
    grade: Grade | None = None
    match: Literal["film", "shot"] | None = None

    def covers(self, number: int, part: Range) -> bool:
        """Whether it names these frames, of shot `number`."""
        if self.frames:
            return self.frames.start <= part.start and part.stop <= self.frames.stop
        return self.shots is not None and self.shots[0] <= number <= self.shots[1]


def by_name(overrides: Iterable[Override]) -> bool:
    """Whether a frame is named in any of them, and not numbered."""
    return any(isinstance(mark, str) for one in overrides for mark in one.frames or ())


def placed(overrides: Sequence[Override], names: FrameTimecodes, frames: int) -> list[PlacedOverride]:
    """The overrides of a film, of which `frames` frames are known. Raises BadSpec for a name that none of its frames has."""
    found = []
    for place, one in enumerate(overrides):
        numbers = None
        if one.frames:
            start, stop = (_number(mark, place, one, names, frames) for mark in one.frames)
            if start >= stop:
                raise BadSpec(f"{_said(place, one)}: start comes before stop, and these are frames {start} and {stop}.")
            numbers = Range(start, stop)
        shots = one.shot_numbers() if one.shots else None
        found.append(PlacedOverride(one.look, one.locked, shots, numbers, one.controls, one.ramp, one.grade, one.match))
    return found


def _number(mark: FrameMark, place: int, override: Override, names: FrameTimecodes, frames: int) -> int:
    if isinstance(mark, int):
        return mark
    try:
        number = names.frame(mark)
    except ValueError as wrong:
        raise BadSpec(f"{_said(place, override)}: {wrong}; the film has {names.spoken(0, frames - 1)}.") from None
    if number > frames:
        raise BadSpec(f"{_said(place, override)}: {mark} is not in the film, which has {names.spoken(0, frames - 1)}.")
    return number


def _said(place: int, override: Override) -> str:
    return f"override {place + 1}, frames = {list(override.frames or ())}"


def dressed(
    number: int, frames: Range, base: LookChoice, overrides: Sequence[PlacedOverride], fit: Callable[[LookChoice], Look]
) -> Iterator[Shot]:
    """One shot with its look: as one Shot, or as several where an override takes only some of its frames.

    The last override that names a frame wins. `fit` turns a choice into a look with its needs (the room of looks).
    """
    inner = sorted(
        {
            edge
            for one in overrides
            if one.frames and one.look
            for edge in one.frames
            if frames.start < edge < frames.stop
        }
    )
    for part in ranges_between(inner, frames.start, frames.stop):
        choice = base
        for one in overrides:
            if one.look and one.covers(number, part):
                choice = one.look
        yield Shot(number, part, fit(choice))


def joined_shots(
    parts: Sequence[Shot], continued: Collection[int], match: Callable[[Shot], str]
) -> list[tuple[Shot, Range]]:
    """Neighbouring shots, each with the frames over which its colour is propagated: its own, and those of its neighbours between which the picture goes on.

    These are of the same look, and take colours from the same stills: `match` of each.
    """
    groups: list[list[Shot]] = []
    for part in parts:
        before = groups[-1][-1] if groups else None
        alike = before and (before.look, match(before)) == (part.look, match(part))
        if alike and part.look.propagates and part.frames.start in continued:
            groups[-1].append(part)
        else:
            groups.append([part])
    return [(part, Range(group[0].frames.start, group[-1].frames.stop)) for group in groups for part in group]


def grading_of(part: Shot, spec: JobSpec, overrides: Sequence[PlacedOverride], names: FrameTimecodes) -> Grading | None:
    """What is done with the pictures of a shot, or of the part of one that an override has made: what is done with the film's, and what overrides say."""
    ranges, grade = [], spec.grade
    for one in overrides:
        frames = one.frames or EVERYWHERE
        named = frames.meets(part.frames) if one.frames else one.covers(part.number, part.frames)
        if one.controls and named:
            ranges.append(ControlledRange(frames=frames, ramps=(one.ramp, one.ramp), controls=one.controls))
        grade = one.grade if one.grade and named else grade
    found = Grading(
        controls=spec.controls.resting,
        ranges=tuple(ranges),
        cdl=grade.cdl_of(names.name(part.frames.start)) if grade else None,
        lut=(grade and grade.lut_sha256) or "",
        gamut=spec.gamut or "",
    )
    return None if found == Grading() else found


def match_of(part: Shot, spec: JobSpec, overrides: Sequence[PlacedOverride]) -> Literal["film", "shot"]:
    """Which stills a shot takes colours from: the last override that says so, else the film's field."""
    said = [one.match for one in overrides if one.match and one.covers(part.number, part.frames)]
    return said[-1] if said else spec.match


def refuse_still_of_whole_picture(part: Shot, stills: Sequence[StillFile]) -> None:
    """Raises BadSpec for a still of frames whose look makes a whole new picture: there is no luma of the film to put its colour on."""
    still = next((one for one in stills if part.frames.start <= one.frame < part.frames.stop), None)
    if still:
        raise BadSpec(
            f"stills: {still.name} is of frame {still.frame}, in shot {part.number}, and the look '{part.look.title}' there does not "
            "keep the film's luma; give that shot another look, or take the still away."
        )


def still_beyond(still: StillFile, frames: int, names: FrameTimecodes) -> str:
    """What is said of a still of a frame that a film of so many does not have."""
    return (
        f"stills: {still.name} is of frame {still.frame}; the film has {names.spoken(0, frames - 1)}: "
        "correct the number behind '.f', or take it away."
    )


def refuse_stills_beyond(stills: Sequence[StillFile], frames: int, names: FrameTimecodes) -> None:
    """Raises BadSpec, which names all stills of frames that a film of so many does not have."""
    if beyond := [still_beyond(still, frames, names) for still in stills if still.frame >= frames]:
        raise BadSpec(refused_together(beyond))


def refuse_idle_overrides(overrides: Sequence[Override], shots: int, frames: int, names: FrameTimecodes) -> None:
    """Raises BadSpec for an override of shots or frames that a film of so many does not have."""
    for place, (one, found) in enumerate(zip(overrides, placed(overrides, names, frames), strict=True)):
        if found.frames and found.frames.start >= frames:
            raise BadSpec(f"{_said(place, one)}: the film has {names.spoken(0, frames - 1)}.")
        if found.shots and found.shots[0] > shots:
            raise BadSpec(
                f"override {place + 1}, shots = {one.shots}: the film has shots 1 to {shots}; see them with `farm plan`."
            )


def refuse_idle_events(spec: JobSpec, shots: Sequence[Shot], names: FrameTimecodes) -> None:
    """Raises BadSpec for the CDLs of an EDL in none of whose events a shot begins: its time codes are another film's."""
    grades = [
        ("grade", spec.grade),
        *((f"override {place}, grade", one.grade) for place, one in enumerate(spec.overrides, 1)),
    ]
    starts = [names.name(shot.frames.start) for shot in shots]
    for field, grade in grades:
        if grade and grade.events and not any(event.covers(start) for event in grade.events for start in starts):
            raise BadSpec(
                f"{field}.cdl: no shot of the film begins in one of the EDL's events, the first of which is recorded from {grade.events[0].start} on; "
                f"the film begins at {starts[0]}: give the list that time code, or name a CDL file."
            )
