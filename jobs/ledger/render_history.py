"""What was last rendered of each shot, and into which deliverables; tells in words why a shot's pictures change.

<job>/continuity.json is written when a run ends, from the shots that are whole then. What is made again is decided by
digests alone; this document gives the reasons, and holds locked shots to what they were.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from jobs.digest import digest
from jobs.document import Document, read_document
from jobs.errors import BadStore
from jobs.film.source import Film
from jobs.ledger.ledger import Ledger
from jobs.plan.grading import Grading
from jobs.plan.plan import Look, Range, Shot
from jobs.plan.spans import Propagation
from jobs.records.orders import Encoding

NAME = "continuity.json"


@dataclass(frozen=True)
class ShotRendering:
    """All that fixes the pictures of one shot, or of the part of one that an override has made."""

    number: int
    frames: Range
    target: int
    """Longest core, in frames: where a memory begins anew."""
    source: str
    """Names the source and how it is read."""
    look: Look


class ShotRenderingRecord(Document):
    """`ShotRendering` on paper."""

    number: int
    frames: Range
    target: int
    source: str
    look: int
    """Its place among the looks."""


class Encoded(Document):
    """A deliverable's file name, and how it was encoded."""

    file: str
    encoding: Encoding


class RenderHistory(Document):
    """continuity.json."""

    kind: Literal["continuity"] = "continuity"
    version: Literal[1] = 1
    looks: tuple[Look, ...] = ()
    shots: tuple[ShotRenderingRecord, ...] = ()
    """In film order; none overlaps another."""
    encoded: tuple[Encoded, ...] = ()
    """Every deliverable that a run of this job has ended with, each once."""

    @property
    def made(self) -> list[ShotRendering]:
        """What was made of every shot, in film order."""
        return [
            ShotRendering(one.number, one.frames, one.target, one.source, self.looks[one.look]) for one in self.shots
        ]


def over(made: Sequence[ShotRendering], frames: Range) -> Sequence[ShotRendering]:
    """Of shots in film order, those that hold any of some frames."""
    first = bisect_right(made, frames.start, key=lambda one: one.frames.stop)
    return made[first : bisect_left(made, frames.stop, key=lambda one: one.frames.start)]


def made_of(shots: Sequence[Shot], target: int, film: Film) -> list[ShotRendering]:
    """What a plan with cores of at most `target` frames makes of shots."""
    source = digest({"source": film.identity.model_dump(mode="json"), "picture": film.picture.named()})
    return [ShotRendering(one.number, one.frames, target, source, one.look) for one in shots]


def continuity(ledger: Ledger) -> RenderHistory:
    """What earlier runs of a job have made; nothing where none has ended. Raises BadStore for paper that is damaged, or of another version.

    It is not set aside as other paper is: without it locked shots would be held to nothing, and nobody told.
    """
    data = ledger.read(NAME)
    found = RenderHistory() if data is None else read_document(RenderHistory, data)
    if found is None:
        raise BadStore(
            f"{ledger.store.url}/{ledger.key(NAME)} is damaged, or not a document that this version can read: run the version that "
            "wrote it, or delete it, and with it what locked shots are held to."
        )
    return found


def put_down(ledger: Ledger, made: Sequence[ShotRendering], encodings: Mapping[str, Encoding]) -> None:
    """At a run's end: the shots that are whole, in film order, in the place of what earlier runs made of their frames, and the deliverables by file."""
    before = continuity(ledger)
    stay = [one for one in before.made if not over(made, one.frames)]
    shots = sorted([*stay, *made], key=lambda one: one.frames.start)
    # By digest: settings that were read from paper stand in another order.
    names = {id(look): digest(look) for look in {id(one.look): one.look for one in shots}.values()}
    looks = {names[id(one.look)]: one.look for one in shots}
    place = {name: number for number, name in enumerate(looks)}
    new = [Encoded(file=file, encoding=encoding) for file, encoding in encodings.items()]
    paper = RenderHistory(
        looks=tuple(looks.values()),
        shots=tuple(
            ShotRenderingRecord(
                number=one.number,
                frames=one.frames,
                target=one.target,
                source=one.source,
                look=place[names[id(one.look)]],
            )
            for one in shots
        ),
        encoded=tuple({digest(one): one for one in [*before.encoded, *new]}.values()),
    )
    if paper != before:
        ledger.keep_paper(NAME, paper, only_if_absent=False)


def difference(before: ShotRendering, now: ShotRendering, frames: Range) -> str:
    """Why the pictures of some frames of a shot are others than they were; empty where they are the same, bit for bit.

    A look with a memory depends on where it begins, one without on the frames within its context alone.
    """
    if words := looks_differ(before.look, now.look):
        return words
    if before.source != now.source:
        return "the source is read otherwise"
    need = now.look.around
    if need.warmup or need.dissolve:
        same_edges = before.frames == now.frames
        if same_edges and before.target != now.target:
            return "chunk_seconds changed, and its look has a memory"
    else:
        same_edges = _seen(frames, need.context, before.frames) == _seen(frames, need.context, now.frames)
    return "" if same_edges else f"its edges changed: frames {_span(before.frames)} -> {_span(now.frames)}"


def version_of(parts: Sequence[ShotRendering]) -> str:
    """A short name of one shot's pictures, from all that fixes them: the same shot made again by the same spec has the same."""
    named = []
    for one in parts:
        memory = one.look.around.warmup or one.look.around.dissolve
        named.append([one.frames, one.target if memory else 0, one.source, one.look.named()])
    return digest({"kind": "version", "parts": named})[:12]


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
    if old.get("grading") != new.get("grading"):
        words.append(f"controls changed: {_graded_otherwise(before.grading, now.grading)}")
    if old["weights"] != new["weights"]:
        words.append("weights of the look changed")
    if before.version != now.version:
        words.append(f"version of the look changed: {before.version} -> {now.version}")
    if old.get("propagation") != new.get("propagation"):
        words.append(_propagated_otherwise(before.propagation, now.propagation))
    return "; ".join(words) or "the look's kind, or what it must see, changed"


def _graded_otherwise(before: Grading | None, now: Grading | None) -> str:
    one, other = before.words if before else {}, now.words if now else {}
    rest = "at rest"
    changed = [
        f"{name} {one.get(name, rest)} -> {other.get(name, rest)}"
        for name in one | other
        if one.get(name) != other.get(name)
    ]
    return ", ".join(changed) or "those of a range of frames"


def _propagated_otherwise(before: Propagation | None, now: Propagation | None) -> str:
    if before is None or now is None:
        return "colour is propagated now" if now else "colour is not propagated any more"
    painted, paints = ({(one.frame, one.still) for one in some.stills} for some in (before, now))
    frames = sorted({frame for frame, _ in painted ^ paints})
    if not frames:
        return "the way in which colour is propagated changed"
    many = f" and {len(frames) - 8} more" if len(frames) > 8 else ""
    return f"stills changed: frame{'s' * (len(frames) > 1)} {', '.join(map(str, frames[:8]))}{many}"


def _settings(look: Look) -> dict[str, object]:
    return {name: value for name, value in look.choice.settings.items() if name not in look.places}
