"""Builds the report of a finished film, and of each deliverable that conforms, and records what was rendered, for the next run."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING

from farm.progress.mixed_hardware import MixedHardware
from jobs.digest import digest
from jobs.errors import FilmFailed, number_of
from jobs.ledger.render_history import put_down
from jobs.records.deliverables import DeliverablePlan
from jobs.records.guides import painted_frame
from jobs.records.outside_gamut import OutsideGamut
from jobs.records.quality import FilmQuality
from jobs.records.report import Conform, ConformReport, FilmReport, StandsIn, StillUse
from jobs.store import Store

if TYPE_CHECKING:
    from farm.film.film_run import FilmRun


def film_report(film: FilmRun) -> FilmReport:
    """What was made. Raises FilmFailed where a chunk that was set aside keeps the film back, or something is missing."""
    film.aside.refuse()
    missing = [] if film.finishing.held_back else [one.file for one in film.deliverables if one.file not in film.proofs]
    if missing:
        raise FilmFailed(
            f"The work ended without {', '.join(missing)}: segments are missing in {number_of(len(list(film.lacking)), 'chunk')}. "
            "Finished work is kept: the same command resumes."
        )
    plan, spec = film.survey.plan, film.survey.spec
    proofs = tuple(film.proofs[one.file] for one in film.deliverables if one.file in film.proofs)
    made_on = {record.made_on for one in film.deliverables for record in film.segments_of(one)}
    MixedHardware(film.console).heard(made_on)  # once more, with what earlier runs have made
    return FilmReport(
        name=spec.name,
        spec=digest(spec),
        source=film.film.source,
        conforms=bool(proofs) and all(proof.conforms for proof in proofs),
        frames=plan.frames,
        shots=plan.shot_count,
        chunks=len(plan.chunks),
        seams=plan.seams,
        extra_frames_percent=round(100 * plan.extra_frames / plan.frames, 3),
        chunks_rendered=film.console.progress.chunks_rendered,
        chunks_printed=film.console.progress.chunks_printed,
        retries=film.console.progress.retries + film.console.progress.lost_workers,
        made_on=tuple(sorted(made_on)),
        stills=tuple(_stills(film)),
        quarantined=tuple(one for _, one in sorted(film.aside.reports.items())),
        outside_gamut=_outside_gamut(film),
        quality=film.finishing.quality or FilmQuality(),
        deliverables=proofs,
    )


def _outside_gamut(film: FilmRun) -> dict[str, OutsideGamut]:
    """By deliverable, in order, where its segments were counted."""
    counted = {
        one.file: OutsideGamut.of(filter(None, (record.outside_gamut for record in film.segments_of(one))))
        for one in film.deliverables
    }
    return {file: found for file, found in counted.items() if found}


def _stills(film: FilmRun) -> Iterator[StillUse]:
    for still in film.survey.stills:
        known = film.propagation.reference(painted_frame(still))
        yield StillUse(
            file=still.name,
            frame=still.frame,
            at=film.survey.names.name(still.frame),
            sha256=still.sha256,
            tool=known.tool if known else "",
            remarks=known.remarks if known else (),
        )


def put_down_made(film: FilmRun) -> None:
    """At a run's end: on paper, for the next one, what was made of every shot that is whole now."""
    lacking = {*film.lacking, *film.aside.reports}
    edges = [chunk.core.start for chunk in film.chunks if chunk.number in lacking]
    whole = [
        one for one in film.survey.made if bisect_left(edges, one.frames.start) == bisect_left(edges, one.frames.stop)
    ]
    put_down(film.ledger, whole, {one.file: one.encoding for one in film.deliverables})


def file_reports(film: FilmRun, output: Store) -> None:
    """Put <file>.conform.json beside every deliverable that conforms."""
    for plan in film.deliverables:
        proof = film.proofs.get(plan.file)
        if proof and proof.conforms:
            text = json.dumps(conform_report(film, plan, proof).model_dump(mode="json"), indent=2)
            output.write(f"{plan.file}.conform.json", f"{text}\n".encode())


def conform_report(film: FilmRun, plan: DeliverablePlan, proof: Conform) -> ConformReport:
    """All that is known of one finished deliverable."""
    survey, segments = film.survey, film.segments_of(plan)
    joined = hashlib.sha256(b"".join(bytes.fromhex(one.media.sha256) for one in segments))
    return ConformReport(
        job=survey.spec.name,
        spec=digest(survey.spec),
        film=film.film,
        plan=plan,
        looks=tuple(look for _, look in sorted(survey.looks.items())),
        shots=survey.plan.shot_count,
        chunks=len(survey.plan.chunks),
        seams=survey.plan.seams,
        made_on=tuple(sorted({one.made_on for one in segments})),
        stand_ins=tuple(
            StandsIn(chunk=number, shot=one.shot, frames=one.frames, by=one.stand_in)
            for number, one in sorted(film.aside.reports.items())
        ),
        segments_sha256=joined.hexdigest(),
        proof=proof,
    )
