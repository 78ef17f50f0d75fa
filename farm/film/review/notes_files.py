"""Reads a job's notes from a file, and writes new specs and markers of them. A file that is there already is never replaced."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from actors.shot_lists.markers import FilmMarker, MarkerForm, marker_list
from farm.film.review.applied_notes import applied_notes, with_notes
from farm.film.review.page_data import job_mark
from farm.specs.spec_files import read_spec
from farm.specs.yaml_json import read_fields
from jobs.errors import BadSpec
from jobs.film.source import Film
from jobs.film.timecode import FrameTimecodes
from jobs.ledger.ledger import Ledger
from jobs.ledger.render_history import ShotRendering, continuity, over
from jobs.plan.ranges import Range
from jobs.review.notes import ReviewNotes, ShotVerdict, parse_notes
from jobs.spec.job import JobSpec
from jobs.spec.parser import parse_spec


@dataclass(frozen=True)
class ReviewedJob:
    """A job as its store has it, with notes on it."""

    spec: JobSpec
    film: Film
    made: list[ShotRendering]
    notes: ReviewNotes
    names: FrameTimecodes


def apply_notes(spec: str, file: str, new: str) -> list[str]:
    """Write a new spec of a spec and notes; gives what became of the verdicts, in sentences. Raises BadSpec, and writes nothing then."""
    job = _reviewed(spec, file)
    applied = applied_notes(job.spec, job.notes, job.made, job.names)
    fields = with_notes(_mapping(spec), applied)
    parse_spec(fields, new)
    is_json = new.lower().endswith(".json")
    if not is_json and not new.lower().endswith((".yaml", ".yml")):
        raise BadSpec(f"--apply {new}: a spec is a .yaml, .yml or .json; give the file one of these endings.")
    text = (
        json.dumps(fields, indent=2, ensure_ascii=False)
        if is_json
        else yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)
    )
    _write(new, f"{text.rstrip()}\n")
    return applied.sentences(new)


def write_markers(spec: str, file: str, to: str, form: MarkerForm) -> int:
    """Write a job's notes and verdicts as markers; gives how many. Raises BadSpec where the film has no such list."""
    job = _reviewed(spec, file)
    said = [
        FilmMarker(Range(one.start, one.stop), one.verdict, _asked(one), _shot(job.made, one.start), one.version)
        for one in job.notes.verdicts
    ]
    said += [
        FilmMarker(Range(one.start, one.stop), "note", one.text, _shot(job.made, one.start), one.version)
        for one in job.notes.notes
    ]
    last = job.made[-1].frames.stop if job.made else 0
    if beyond := next((one for one in said if one.frames.stop > last), None):
        raise BadSpec(
            f"{file}: frame {beyond.frames.stop - 1} is not in the film as it was rendered, which has frames 0 to {last - 1}; "
            "render the film, and save the notes from its page."
        )
    _write(to, marker_list(form, job.film, said, job.names))
    return len(said)


def _reviewed(place: str, file: str) -> ReviewedJob:
    spec = read_spec(place)
    notes = parse_notes(read_fields(file, "file of notes"), file)
    ledger = Ledger.at(spec.store, spec.key)
    ledger.spec()
    film, made = ledger.film(spec.reading), continuity(ledger).made
    if film is None or not made:
        raise BadSpec(
            f"Nothing of the job '{spec.name}' in {ledger.store.url} is rendered yet: `farm render {place}` first."
        )
    if notes.film != job_mark(ledger.store.url, spec.key):
        raise BadSpec(
            f"{file} holds notes of another job, '{notes.title}', or of another store: name the spec of that job."
        )
    return ReviewedJob(spec, film, made, notes, FrameTimecodes.of(film))


def _mapping(place: str) -> dict[str, Any]:
    fields = read_fields(place, "job spec")
    assert isinstance(fields, dict)  # it was read as a spec
    return fields


def _shot(made: list[ShotRendering], frame: int) -> int:
    found = over(made, Range(frame, frame + 1))
    return found[0].number if found else 0


def _asked(verdict: ShotVerdict) -> str:
    controls = verdict.controls.model_dump(exclude_defaults=True)
    return ", ".join(f"{name} {value}" for name, value in (*controls.items(), *verdict.settings))


def _write(place: str, text: str) -> None:
    if "://" in place:
        raise BadSpec(f"{place}: name a file on this machine.")
    try:
        with Path(place).open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        raise BadSpec(f"{place} is there already, and is not replaced: name another file.") from None
    except OSError as error:
        raise BadSpec(f"Cannot write {place}: {error.strerror}; name a file in a folder that you can write.") from None
