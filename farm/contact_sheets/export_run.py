"""Exports the frames of each shot that are worth painting as PNG files, with contact sheets of them (`farm stills`).

What an earlier run has made is taken from the store; a file that somebody has painted on since is left as it is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from actors.render.still_orders import ChoiceOrder, SheetCell, SheetMade, SheetOrder, StillOrder
from farm.contact_sheets.calls import SheetCall, StillsCall
from farm.contact_sheets.still_run import ROWS, SurveyedFilm, neighbours, prover
from farm.film.shot_selection import ALL, ShotSelection
from farm.film.survey_run import SurveyRun
from farm.fleet.calls import Call, RetriesExhausted
from jobs.digest import canonical
from jobs.errors import BadSpec
from jobs.plan.plan import Look, Shot
from jobs.records.orders import Encoding
from jobs.records.stills import FOLDER, ChosenFrames, Still
from jobs.stills.exports import (
    EXPORTS,
    ExportedStill,
    StillsExport,
    StillsReport,
    read_exports,
    refuse_another_film,
)
from jobs.stills.names import grey_name, still_name
from jobs.store import Store, open_store

MOST = 3
"""Stills of a shot, at most, that are chosen for it."""


@dataclass(frozen=True)
class ExportRequest:
    """What is to be exported."""

    looks: tuple[Look | None, ...] = ()
    """The look of all shots, None for grey; none: the spec's own look of each."""
    shots: ShotSelection = ALL
    frames: str = ""
    """These frames and no others, by number or time code, as in "123,200-204,00:00:05:03"."""
    most: int = MOST
    strokes: bool = False
    """As a transparent layer each, to be drawn on, beside the grey frame."""


@dataclass(frozen=True)
class ChoiceCall(Call):
    """The frames of one shot that are worth painting."""

    order: ChoiceOrder
    pool, method = "prover", "choose"

    @property
    def priority(self) -> tuple[int, ...]:
        return (self.order.run.read.start,)

    @property
    def what(self) -> str:
        return f"frames of shot {self.order.number} worth painting"


def export_stills(film: SurveyedFilm, wish: ExportRequest) -> StillsReport:
    """Stills of a film's shots, into the spec's output. Safe to run again.

    Raises BadSpec for shots or frames that the film does not have, and for a folder with stills of another film. What could
    not be made is named in the report.
    """
    survey, fleet, progress = film.survey, film.fleet, film.progress
    wish.shots.refuse_beyond(survey.plan.shot_count)
    run = _Export(survey, film.encoding, wish)
    before = set(survey.ledger.names(f"{FOLDER}/"))
    progress.begin(run.wanted)
    fleet.hire([prover(survey, fleet, [look for look in run.looks if look])])
    for _ in fleet.run(run.calls(), run.calls_after_finding):
        progress.begin(run.wanted)
        progress.judged(len(run.made))
    for _ in fleet.run(run.sheet_calls(), run.calls_after_finding):
        pass
    progress.say()
    return run.publish(sum(f"{FOLDER}/{still.digest}.json" not in before for still in run.made.values()))


@dataclass
class _Export:
    """What is wanted, and what is made of it so far."""

    survey: SurveyRun
    encoding: Encoding
    wish: ExportRequest
    made: dict[int, Still] = field(default_factory=dict)
    """By frame."""
    refused: list[str] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    layers: dict[str, str] = field(default_factory=dict)
    """SHA-256 of the transparent layers, by name."""

    def __post_init__(self) -> None:
        film = self.survey.film.picture
        self.output: Store = open_store(self.survey.spec.output)
        self.before = read_exports(self.output)
        refuse_another_film(self.before, self.survey.film.identity, self.output)
        self.shots = [shot for shot in self.survey.plan.shots if shot.number in self.wish.shots]
        # As large as the film, whatever is delivered of it.
        size = (film.width, film.height) if self.encoding.rotation % 180 == 0 else (film.height, film.width)
        self.encoding = self.encoding.model_copy(update={"width": size[0], "height": size[1]})
        self.frames = {frame for shot in self.shots for frame in self._asked(shot)}
        """Those that are wanted, as far as they are chosen."""
        if self.wish.frames and not self.frames:
            raise BadSpec(
                f"--frames {self.wish.frames}: none of these frames is in the shots {self.wish.shots.said}; `farm plan` shows which shot has which frames."
            )
        self.wanted = max(len(self.frames), 0 if self.wish.frames else len(self.shots))

    @property
    def looks(self) -> list[Look | None]:
        """Each once."""
        found = [self._look(shot) for shot in self.shots]
        return list({look.model_dump_json() if look else "": look for look in found}.values())

    def calls(self) -> Iterator[Call]:
        """A choice for each shot, or, where frames were named, a still for each of those."""
        for shot in self.shots:
            if self.wish.frames:
                yield from (self._still_call(shot, frame) for frame in self._asked(shot))
            else:
                run = neighbours(self.survey, shot.frames.start, shot.frames)
                yield ChoiceCall(ChoiceOrder(self.survey.film, shot.number, self.wish.most, run))

    def calls_after_finding(self, call: Call, found: object) -> Iterable[Call]:
        """Frames are chosen, and their stills can be made; or a still or a sheet is there; or something went wrong."""
        match call, found:
            case ChoiceCall(order=order), ChosenFrames():
                self.frames.update(found.frames)
                self.wanted = max(self.wanted, len(self.frames))
                shot = next(one for one in self.shots if one.frames == order.run.read)
                yield from (self._still_call(shot, frame) for frame in found.frames)
            case _, Still():
                self.made[found.frame] = found
            case _, SheetMade():
                self.edited += found.edited
                self.layers |= found.layers
            case _, RetriesExhausted():
                self.refused.append(f"{call.what}: {found.last}")

    def sheet_calls(self) -> Iterator[Call]:
        """One call for each sheet; its stills are put beside it."""
        for number, (key, rows) in enumerate(self._sheets.items(), 1):
            columns = tuple(f"still {place + 1}" for place in range(max(map(len, rows))))
            yield SheetCall(SheetOrder(self.output.url, key, columns, rows), number=number)

    def publish(self, rendered: int) -> StillsReport:
        """stills.json, in which what earlier runs have exported stays, and what this one came to."""
        made = [one.model_copy(update={"sha256": self.layers.get(one.name, one.sha256)}) for one in self._exported]
        film, names = self.survey.film, {still.name for still in made}
        kept = [still for still in (self.before.stills if self.before else ()) if still.name not in names]
        stills = sorted([*kept, *made], key=lambda still: (still.frame, still.name))
        export = StillsExport(
            job=self.survey.spec.name, source=film.source, identity=film.identity, stills=tuple(stills)
        )
        self.output.write(EXPORTS, canonical(export))
        return StillsReport(
            output=self.output.url,
            sheets=tuple(self._sheets),
            stills=tuple(made),
            rendered=rendered,
            edited=tuple(sorted(self.edited)),
            lacking=tuple(self.refused),
        )

    # one shot

    def _look(self, shot: Shot) -> Look | None:
        return self.wish.looks[0] if self.wish.looks else shot.look.of_anchors

    def _asked(self, shot: Shot) -> list[int]:
        return [frame for frame in self._named if shot.frames.start <= frame < shot.frames.stop]

    @cached_property
    def _named(self) -> tuple[int, ...]:
        """The frames that were named. Raises BadSpec for what names none of the film's."""
        if not self.wish.frames:
            return ()
        try:
            return self.survey.names.numbers(self.wish.frames, self.survey.plan.shots[-1].frames.stop)
        except ValueError as wrong:
            raise BadSpec(f"--frames {self.wish.frames}: {wrong}.") from None

    def _still_call(self, shot: Shot, frame: int) -> Call:
        look = self._look(shot)
        run = neighbours(self.survey, frame, shot.frames, [look] if look else [])
        return StillsCall(
            StillOrder(self.survey.film, shot.number, shot.frames, (look,), self.encoding, (run,), export=True)
        )

    @cached_property
    def _exported(self) -> list[ExportedStill]:
        """Every still that could be made, in order."""
        names = self.survey.names
        shots = {frame: shot for shot in self.shots for frame in self.made if frame in range(*shot.frames)}
        return [
            ExportedStill(
                name=still_name(shots[frame].number, frame, names.name(frame)),
                shot=shots[frame].number,
                frame=frame,
                at=names.name(frame),
                sha256=self.made[frame].media.sha256,
            )
            for frame in sorted(self.made)
        ]

    @cached_property
    def _sheets(self) -> dict[str, tuple[tuple[SheetCell, ...], ...]]:
        """The rows of each sheet, a shot each, by its key."""
        before = {still.name: still.sha256 for still in self.before.stills} if self.before else {}
        rows: dict[int, list[SheetCell]] = {}
        for still in self._exported:
            words = f"shot {still.shot}, frame {still.frame}, {still.at}"
            grey, layer = (grey_name(still.name), still.name) if self.wish.strokes else (still.name, "")
            cell = SheetCell(self.made[still.frame], words, grey, "", before.get(still.name, ""), layer)
            rows.setdefault(still.shot, []).append(cell)
        cells = [tuple(row[begin : begin + MOST]) for row in rows.values() for begin in range(0, len(row), MOST)]
        pages = [tuple(cells[begin : begin + ROWS]) for begin in range(0, len(cells), ROWS)]
        return {f"contact-sheet-{number:03d}.jpg": page for number, page in enumerate(pages, 1)}
