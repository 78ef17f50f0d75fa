"""Turns verdicts into a spec: approved shots are locked, rejected ones get the settings that were asked for.

A verdict counts for the version that was seen. What was made of a shot is known from the job's history in its store.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from farm.film.shot_selection import told
from jobs.film.timecode import FrameTimecodes
from jobs.ledger.render_history import ShotRendering, over, version_of
from jobs.plan.ranges import Range
from jobs.plan.shots import PlacedOverride, placed
from jobs.review.notes import ReviewNotes, ShotVerdict
from jobs.spec.job import JobSpec, LookChoice


@dataclass
class AppliedNotes:
    """What became of some verdicts; shots by number."""

    overrides: list[dict[str, Any]] = field(default_factory=list)
    """New ones, as a spec writes them."""
    unlocked: list[int] = field(default_factory=list)
    """Places of overrides of the spec that were locks of rejected shots, and are to go."""
    locked: set[int] = field(default_factory=set)
    again: set[int] = field(default_factory=set)
    """To be made again, with other settings."""
    as_before: set[int] = field(default_factory=set)
    """Rejected, and nothing else was asked for."""
    held: set[int] = field(default_factory=set)
    """Rejected, and under a lock that holds other shots as well."""
    outdated: list[Range] = field(default_factory=list)
    """Judged in a version, or with cuts, that are no more."""

    def sentences(self, spec: str) -> list[str]:
        """What a person is told; `spec`: the new spec's file."""
        said = []
        if self.locked:
            said.append(f"locked as they are: shots {told(self.locked)}")
        if self.again:
            said.append(f"to be made again with other settings: shots {told(self.again)}")
        if self.as_before:
            said.append(
                f"rejected, and no other settings asked for, so that they would be made as they were: shots {told(self.as_before)}; "
                "ask for colour or settings on the page, or paint a still of each (`farm stills`)"
            )
        if self.held:
            said.append(
                f"rejected, and locked by an override that says more than that: shots {told(self.held)}; take `locked` out of it"
            )
        if self.outdated:
            frames = ", ".join(f"{one.start} to {one.stop - 1}" for one in self.outdated[:8])
            more = f" and {len(self.outdated) - 8} more" if len(self.outdated) > 8 else ""
            said.append(f"judged in another version or with other cuts, and passed over: frames {frames}{more}")
        if self.again:
            said.append(f"then: farm render {spec} --shots {told(self.again).replace(' ', '')}")
        return said


def applied_notes(
    spec: JobSpec, notes: ReviewNotes, made: Sequence[ShotRendering], names: FrameTimecodes
) -> AppliedNotes:
    """What verdicts mean for a spec. `made`: what the job's runs have made last, in film order."""
    found = AppliedNotes()
    frames = made[-1].frames.stop if made else 0
    overrides = placed(spec.overrides, names, frames) if frames else []
    for verdict in sorted(notes.verdicts, key=lambda one: one.start):
        judged = Range(verdict.start, verdict.stop)
        parts = over(made, judged)
        whole = parts and (parts[0].frames.start, parts[-1].frames.stop) == (judged.start, judged.stop)
        if not whole or version_of(parts) != verdict.version:
            found.outdated.append(judged)
        elif verdict.verdict == "approved":
            _lock(found, judged, parts[0].number, overrides)
        else:
            _reject(found, spec, verdict, parts, overrides)
    return found


def with_notes(fields: Mapping[str, Any], applied: AppliedNotes) -> dict[str, Any]:
    """A spec's fields as its file has them, with what was said written into its overrides."""
    kept = [one for place, one in enumerate(fields.get("overrides") or ()) if place not in applied.unlocked]
    overrides = [*kept, *applied.overrides]
    return {**fields, "overrides": overrides} if overrides or "overrides" in fields else dict(fields)


def _lock(found: AppliedNotes, judged: Range, number: int, overrides: Sequence[PlacedOverride]) -> None:
    found.locked.add(number)
    if not any(one.locked and one.covers(number, judged) for one in overrides):
        found.overrides.append({"frames": list(judged), "locked": True})


def _reject(
    found: AppliedNotes,
    spec: JobSpec,
    verdict: ShotVerdict,
    parts: Sequence[ShotRendering],
    overrides: Sequence[PlacedOverride],
) -> None:
    number, judged = parts[0].number, Range(verdict.start, verdict.stop)
    locks = [place for place, one in enumerate(overrides) if one.locked and one.covers(number, judged)]
    own = [place for place in locks if overrides[place].frames == judged or overrides[place].shots == (number, number)]
    if len(own) < len(locks) or any(_says_more(overrides[place]) for place in own):
        found.held.add(number)
        return
    found.unlocked += own
    controls = verdict.controls.model_dump(mode="json", exclude_defaults=True)
    if not verdict.settings and not controls:
        found.as_before.add(number)
        return
    found.again.add(number)
    for part in parts if verdict.settings else ():
        choice = _chosen(spec, part, overrides)
        settings = choice.settings | dict(verdict.settings)
        found.overrides.append({"frames": list(part.frames), "look": {"name": choice.name, "settings": settings}})
    if controls:
        found.overrides.append({"frames": list(judged), "controls": controls})


def _says_more(lock: PlacedOverride) -> bool:
    """Whether it is more than a lock."""
    return bool(lock.look or lock.controls or lock.grade or lock.match)


def _chosen(spec: JobSpec, part: ShotRendering, overrides: Sequence[PlacedOverride]) -> LookChoice:
    choices = [spec.look, *(one.look for one in overrides if one.look and one.covers(part.number, part.frames))]
    return choices[-1]
