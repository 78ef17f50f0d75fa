"""Continuity: what was last made of each shot, and in which deliverables. Promises to say why a shot's pictures are others now, in a colourist's words; makes nothing.

<job>/continuity.json is written when a run ends, from the shots that are whole then. What is made again is decided by
digests alone; this paper gives the reasons, and holds locked shots to what they were.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from jobs.digest import digest
from jobs.film import Film
from jobs.ledger import Ledger
from jobs.paper import Paper
from jobs.plan import Look, Range, Shot
from jobs.records import Encoding

NAME = "continuity.json"


@dataclass(frozen=True)
class Made:
    """All that fixes the pictures of one shot, or of the part of one that an override has made."""

    number: int
    frames: Range
    target: int
    """Longest core, in frames: where a memory begins anew."""
    source: str
    """Names the source and how it is read."""
    look: Look


class ShotMade(Paper):
    """`Made` on paper."""

    number: int
    frames: Range
    target: int
    source: str
    look: int
    """Its place among the looks."""


class Encoded(Paper):
    """A deliverable's file name, and how it was encoded."""

    file: str
    encoding: Encoding


class Continuity(Paper):
    """continuity.json."""

    kind: Literal["continuity"] = "continuity"
    version: Literal[1] = 1
    looks: tuple[Look, ...] = ()
    shots: tuple[ShotMade, ...] = ()
    """In film order; none overlaps another."""
    encoded: tuple[Encoded, ...] = ()
    """Every deliverable that a run of this job has ended with, each once."""

    def over(self, frames: Range) -> list[Made]:
        """What was made of some frames: of all shots that hold any of them, in film order."""
        first = max(0, bisect_right(self.shots, frames.start, key=lambda one: one.frames.start) - 1)
        found = []
        for one in self.shots[first:]:
            if one.frames.start >= frames.stop:
                break
            if one.frames.stop > frames.start:
                found.append(self._made(one))
        return found

    @property
    def made(self) -> list[Made]:
        """What was made of every shot, in film order."""
        return [self._made(one) for one in self.shots]

    def _made(self, one: ShotMade) -> Made:
        return Made(one.number, one.frames, one.target, one.source, self.looks[one.look])


def made_of(shot: Shot, target: int, film: Film) -> Made:
    """What a plan with cores of at most `target` frames makes of a shot."""
    source = digest({"source": film.identity.model_dump(mode="json"), "picture": film.picture.named()})
    return Made(shot.number, shot.frames, target, source, shot.look)


def continuity(ledger: Ledger) -> Continuity:
    """What earlier runs of a job have made; nothing where none has ended."""
    kept = ledger.paper(NAME)
    return Continuity.model_validate(kept) if kept else Continuity()


def put_down(ledger: Ledger, made: Iterable[Made], encodings: Mapping[str, Encoding]) -> None:
    """At a run's end: the shots that are whole, in the place of what earlier runs made of their frames, and the deliverables by file."""
    before, new = continuity(ledger), list(made)
    starts = sorted(new, key=lambda one: one.frames.start)
    stay = [one for one in before.made if not _overlaps(one.frames, starts)]
    shots = sorted([*stay, *new], key=lambda one: one.frames.start)
    looks = list({one.look.model_dump_json(): one.look for one in shots}.values())
    place = {look.model_dump_json(): number for number, look in enumerate(looks)}
    encoded = {one.model_dump_json(): one for one in before.encoded}
    encoded |= {one.model_dump_json(): one for one in (Encoded(file=f, encoding=e) for f, e in encodings.items())}
    paper = Continuity(
        looks=tuple(looks),
        shots=tuple(
            ShotMade(
                number=one.number,
                frames=one.frames,
                target=one.target,
                source=one.source,
                look=place[one.look.model_dump_json()],
            )
            for one in shots
        ),
        encoded=tuple(encoded.values()),
    )
    if paper != before:
        ledger.keep_paper(NAME, paper.model_dump(mode="json"), only_if_absent=False)


def _overlaps(frames: Range, ordered: list[Made]) -> bool:
    """Whether any of them, which do not overlap each other, holds one of these frames."""
    after = bisect_right(ordered, frames.stop - 1, key=lambda one: one.frames.start)
    return after > 0 and ordered[after - 1].frames.stop > frames.start


def difference(before: Made, now: Made, frames: Range) -> str:
    """Why the pictures of some frames of a shot are others than they were; empty where they are the same, bit for bit.

    A look with a memory depends on where it begins, one without on the frames within its context alone.
    """
    if words := looks_differ(before.look, now.look):
        return words
    if before.source != now.source:
        return "the source is read otherwise"
    need = now.look.support
    if need.warmup or need.dissolve:
        same_edges = before.frames == now.frames
        if same_edges and before.target != now.target:
            return "chunk_seconds changed, and its look has a memory"
    else:
        same_edges = _seen(frames, need.context, before.frames) == _seen(frames, need.context, now.frames)
    return "" if same_edges else f"its edges changed: frames {_span(before.frames)} -> {_span(now.frames)}"


def _seen(frames: Range, context: int, edge: Range) -> Range:
    return Range(max(edge.start, frames.start - context), min(edge.stop, frames.stop + context))


def _span(frames: Range) -> str:
    return f"{frames.start} to {frames.stop - 1}"


def looks_differ(before: Look, now: Look) -> str:
    """What tells two looks apart, in words; empty where nothing does."""
    old, new = before.named(), now.named()
    if old == new:
        return ""
    if before.title != now.title:
        return f"look changed: {before.title} -> {now.title}"
    one, other = _settings(before), _settings(now)
    changed = [
        f"{name} {one.get(name)} -> {other.get(name)}" for name in one | other if one.get(name) != other.get(name)
    ]
    words = [f"settings changed: {', '.join(changed)}"] if changed else []
    if old["weights"] != new["weights"]:
        words.append("weights of the look changed")
    if before.version != now.version:
        words.append(f"version of the look changed: {before.version} -> {now.version}")
    return "; ".join(words) or "the look's kind, or what it must see, changed"


def _settings(look: Look) -> dict[str, object]:
    return {name: value for name, value in look.choice.settings.items() if name not in look.places}
