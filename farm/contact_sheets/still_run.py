"""Makes a still of every shot in each look, on contact sheets and a page, before the film is rendered (`farm proof`).

Stills that are already in the store are not made again.

Read `prove` and you know what happens. No lease is taken: stills lie in a folder of their own, and nothing is written that
is not harmless twice, so that a job at work is left undisturbed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from actors.looks import find, fit, placed, resolved
from actors.render.still_orders import SheetCell, SheetOrder, StillOrder
from actors.survey.neighbouring_frames import NeighbouringFrames, around
from farm.contact_sheets.calls import SheetCall, StillsCall, title_of
from farm.contact_sheets.page import page
from farm.contact_sheets.proof_colour import FrameColour, ProofColour
from farm.film.calls import ColourCall
from farm.film.output_names import claimed_proof
from farm.film.setup import put_luts, put_stills
from farm.film.shot_selection import ALL, ShotSelection
from farm.film.survey_run import SurveyRun
from farm.film.worker_pools import pools_for
from farm.fleet.calls import Call, PoolSpec, RetriesExhausted
from farm.fleet.fleet import Fleet
from farm.progress.pictures_console import EvaluationProgress
from jobs.errors import BadSpec
from jobs.output.ownership import proof_folder
from jobs.plan.plan import Look, Range, Shot
from jobs.plan.survey_ranges import MARGIN
from jobs.records.guides import GuideRecord, ReferenceRecord, RefusedStill
from jobs.records.orders import Encoding
from jobs.records.stills import FOLDER, Proof, ShotProof, Still, still_digest, still_paper
from jobs.spec.job import LookChoice
from jobs.store import Store, open_store

ROWS = 20
"""Shots on one contact sheet: about 5,000 lines of pixels."""
_OURS = r"(stills/shot-\d+-frame-\d+-\d+(-small)?|sheet-\d+)\.jpg"


@dataclass(frozen=True)
class StillRequest:
    """What is to be proven."""

    looks: tuple[Look, ...] = ()
    """A column each; none: the spec's own look of each shot."""
    shots: ShotSelection = ALL


def looks_beside(names: Sequence[str], settings: Mapping[str, Any]) -> tuple[Look, ...]:
    """Looks named on the command line, fitted; each takes those of the settings that it has. Raises BadLook, or BadSpec for a setting that none has."""
    fields = [set(find(resolved(placed(name))[0]).settings.model_fields) for name in names]
    for setting in settings:
        if not any(setting in one for one in fields):
            raise BadSpec(f"--set {setting}: none of the looks {', '.join(names)} has it; see `farm looks`.")
    own = [{name: value for name, value in settings.items() if name in one} for one in fields]
    return tuple(fit(LookChoice(name=name, settings=one)) for name, one in zip(names, own, strict=True))


@dataclass(frozen=True)
class SurveyedFilm:
    """A film whose plan is whole, and who makes stills of it."""

    survey: SurveyRun
    fleet: Fleet
    encoding: Encoding
    """Of the deliverable that stills are as."""
    progress: EvaluationProgress


def prove(film: SurveyedFilm, wish: StillRequest) -> Proof:
    """Stills of a film's shots, on sheets and a page. Safe to run again.

    Raises BadSpec for shots that the film does not have, NameTaken where another job has the folder. What could not be made is named in the proof.
    """
    survey, fleet, progress = film.survey, film.fleet, film.progress
    wish.shots.refuse_beyond(survey.plan.shot_count)
    with claimed_proof(survey):
        proof = _Stills(survey, film.encoding, wish)
        before = set(survey.ledger.names(f"{FOLDER}/"))
        progress.begin(proof.wanted)
        fleet.hire([prover(survey, fleet, proof.looks), *propagators(survey, fleet)])
        if proof.colour:
            put_stills(survey.spec, survey.ledger, survey.stills)
        put_luts(survey.spec, survey.ledger)
        for _ in fleet.run([*proof.colour_calls(), *proof.stills_calls()], proof.calls_after_finding):
            progress.judged(len(proof.made))
        for _ in fleet.run(proof.sheet_calls(), lambda *_: ()):
            pass
        progress.say()
        rendered = sum(f"{FOLDER}/{name}.json" not in before for name in proof.made)
        return proof.publish(rendered)


def prover(survey: SurveyRun, fleet: Fleet, looks: Sequence[Look]) -> PoolSpec:
    """As many as there would be renderers, with what these need."""
    renderers = next(one for one in pools_for(survey.spec, looks, fleet.cluster) if one.name == "renderer")
    # The last two of a renderer's arguments are of films: its encoders, and whether hardware may be mixed.
    return replace(
        renderers, name="prover", made_of="actors.render.still_renderer:StillRenderer", args=renderers.args[:-2]
    )


def propagators(survey: SurveyRun, fleet: Fleet) -> list[PoolSpec]:
    """Those that propagate the colour of the frames that are shown, where the spec has it propagated."""
    return [
        one for one in pools_for(survey.spec, list(survey.looks.values()), fleet.cluster) if one.name == "propagator"
    ]


@dataclass
class _Stills:
    """What is wanted, and what is made of it so far."""

    survey: SurveyRun
    encoding: Encoding
    wish: StillRequest
    made: dict[str, Still] = field(default_factory=dict)
    """By digest."""
    refused: dict[str, str] = field(default_factory=dict)
    """Why there is none, by digest."""

    def __post_init__(self) -> None:
        self.output: Store = open_store(self.survey.spec.output)
        self.folder = proof_folder(self.survey.spec.key)
        self.shots = [shot for shot in self.survey.plan.shots if shot.number in self.wish.shots]
        propagated = [shot for shot in self.shots if shot.look.propagation and not self.wish.looks]
        self.own = {shot.frames: _proven_look(shot) for shot in self.shots}
        """The spec's look of a shot, by the shot's frames."""
        self.colour = ProofColour(self.survey) if propagated else None
        looks = [one for shot in self.shots for one in self._looks(shot)]
        self.looks = list({one.model_dump_json(): one for one in looks}.values())
        self.names = {shot.frames: self._names(shot) for shot in self.shots}
        """Digest of each column's still, by the shot's frames."""
        self.wanted = len(self.shots) + len(looks)
        there = set(self.survey.ledger.names(f"{FOLDER}/"))
        self.to_colour = {
            shot.frames: shot for shot in propagated if still_paper(self.names[shot.frames][1]) not in there
        }
        """Shots of which the frame to be shown must be known before its colour can be propagated, by their frames."""

    def colour_calls(self) -> Iterable[Call]:
        """What says whether the painted stills can be used. Raises BadSpec where they cannot."""
        return self.colour.first_calls() if self.colour else ()

    def stills_calls(self) -> Iterator[Call]:
        """One call for each shot: its frames are read once for all looks."""
        for shot in self.shots:
            order = self._order(shot)
            yield StillsCall(replace(order, looks=(None,)) if shot.frames in self.to_colour else order)

    def calls_after_finding(self, call: Call, found: object) -> Iterable[Call]:
        """A still is there; or something went wrong: whichever look it is, it is found by asking for each."""
        match call, found:
            case StillsCall(order=order), Still():
                self.made[found.digest] = found
                if self.colour and (shot := self.to_colour.pop(order.shot, None)):
                    yield from self.colour.calls_for(shot, found.frame)
            case _, ReferenceRecord() | RefusedStill() | GuideRecord():
                assert self.colour
                yield from self.colour.calls_after(found)
            case ColourCall(), RetriesExhausted():
                assert self.colour
                yield from self.colour.calls_after_failure(call)
                self.refused |= {self.names[shot.frames][1]: found.last for shot in self.colour.lost(call)}
            case StillsCall(order=order), RetriesExhausted():
                for look in order.looks:
                    name = order.digest(look)
                    if name not in self.made and len(order.looks) > 1:
                        yield StillsCall(replace(order, looks=(look,)))
                    elif name not in self.made:
                        self.refused[name] = found.last
        for ready in self.colour.ready() if self.colour else ():
            yield StillsCall(self._coloured(ready))

    def sheet_calls(self) -> Iterator[Call]:
        """One call for each sheet; its stills are put beside it."""
        for number, (key, rows) in enumerate(self._sheets().items(), 1):
            yield SheetCall(SheetOrder(self.output.url, key, self._columns(), rows), number=number)

    def publish(self, rendered: int) -> Proof:
        """The page, and what it came to. What an earlier proof left in the folder goes."""
        proof = Proof(
            name=self.survey.spec.name,
            output=self.output.url,
            page=f"{self.folder}/index.html",
            sheets=tuple(self._sheets()),
            columns=self._columns(),
            shots=tuple(map(self._shown, self.shots)),
            rendered=rendered,
            lacking=tuple(self._lacking()),
        )
        self.output.write(proof.page, page(proof, self.survey.names).encode())
        ours = re.compile(rf"{re.escape(self.folder)}/{_OURS}")
        named = {key for shot in self.shots for cell in self._cells(shot) for key in (cell.large, cell.small)}
        for key in list(self.output.list(f"{self.folder}/")):
            if ours.fullmatch(key) and key not in named and key not in proof.sheets:
                self.output.delete(key)
        return proof

    # one shot

    def _looks(self, shot: Shot) -> tuple[Look, ...]:
        return self.wish.looks or (self.own[shot.frames],)

    def _names(self, shot: Shot) -> list[str]:
        film, encoding = self.survey.film, self.encoding
        return [still_digest(film, shot.frames, look, encoding) for look in (None, *self._looks(shot))]

    def _order(self, shot: Shot) -> StillOrder:
        looks = self._looks(shot)
        runs = tuple(neighbours(self.survey, frame, shot.frames, looks) for frame in candidates(shot.frames))
        return StillOrder(self.survey.film, shot.number, shot.frames, (None, *looks), self.encoding, runs)

    def _coloured(self, found: FrameColour) -> StillOrder:
        """The frame that is shown of a shot, in its propagated colour."""
        order, shot = self._order(found.shot), found.shot
        run = neighbours(self.survey, found.frame, shot.frames, self._looks(shot))
        looks = self._looks(shot)
        return replace(order, looks=looks, runs=(run,), guides=found.guides, references=found.references)

    def _cells(self, shot: Shot) -> Iterator[SheetCell]:
        looks, names = (None, *self._looks(shot)), self.names[shot.frames]
        for column, (look, digest) in enumerate(zip(looks, names, strict=True)):
            still = self.made.get(digest)
            words = title_of(look) if look else f"shot {shot.number}, {self.survey.names.name(shot.frames.start)}"
            name = f"{self.folder}/stills/shot-{shot.number:05d}-frame-{still.frame if still else 0:07d}-{column}"
            yield SheetCell(still, words if still else f"{words}: no still", f"{name}.jpg", f"{name}-small.jpg")

    def _shown(self, shot: Shot) -> ShotProof:
        cells = list(self._cells(shot))
        return ShotProof(
            shot=shot.number,
            start=shot.frames.start,
            stop=shot.frames.stop,
            frame=next((cell.still.frame for cell in cells if cell.still), None),
            at=self.survey.names.name(shot.frames.start),
            looks=tuple(_told(look) for look in (None, *self._looks(shot))),
            stills=tuple(cell.large if cell.still else None for cell in cells),
        )

    def _lacking(self) -> Iterator[str]:
        for shot in self.shots:
            for look, name in zip((None, *self._looks(shot)), self.names[shot.frames], strict=True):
                if why := self.refused.get(name):
                    yield f"shot {shot.number}, {title_of(look)}: {why}"

    # the sheet

    def _columns(self) -> tuple[str, ...]:
        own = {one.title for one in self.looks}
        looks = [one.title for one in self.wish.looks] or [own.pop() if len(own) == 1 else "as the spec has it"]
        return ("source", *looks)

    def _sheets(self) -> dict[str, tuple[tuple[SheetCell, ...], ...]]:
        """The rows of each sheet, by its key; none of which no still could be made."""
        pages = [self.shots[first : first + ROWS] for first in range(0, len(self.shots), ROWS)]
        rows = [tuple(tuple(self._cells(shot)) for shot in some) for some in pages]
        some = [one for one in rows if any(cell.still for row in one for cell in row)]
        return {f"{self.folder}/sheet-{place:03d}.jpg": one for place, one in enumerate(some, 1)}


def neighbours(survey: SurveyRun, frame: int, shot: Range, looks: Sequence[Look] | None = None) -> NeighbouringFrames:
    """A frame with what looks must see around it; None: with all of its shot."""
    if looks is None:
        read = shot
    else:
        reads = [Range(frame, frame + 1), *(around(frame, look, shot) for look in looks)]
        read = Range(min(one.start for one in reads), max(one.stop for one in reads))
    head = min(MARGIN, read.start) if survey.film.picture.deinterlace else 0
    return NeighbouringFrames(frame, read, head, survey.span(read))


def _proven_look(shot: Shot) -> Look:
    """The look of a shot; where it is propagated, over the frames that may be shown: whatever gives those their colour names the still."""
    if shot.look.propagation is None:
        return shot.look
    frames = candidates(shot.frames)
    within = Range(min(frames), max(frames) + 1)
    return shot.look.propagated(shot.look.propagation.over(within, shot.look.propagation.through(shot.frames)))


def candidates(shot: Range) -> tuple[int, ...]:
    """Frames of a shot that may be shown, the best first: its middle, as on the review page, and where that shows nothing (a fade) its quarters."""
    return tuple(dict.fromkeys(shot.start + part * shot.frames // 4 for part in (2, 1, 3)))


def _told(look: Look | None) -> str:
    """With its settings, as on the review page."""
    if look is None:
        return "source"
    settings = ", ".join(f"{name} {value}" for name, value in look.choice.settings.items() if value is not None)
    return f"{look.title} ({settings})" if settings else look.title
