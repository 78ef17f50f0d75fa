"""Writes a machine-readable conform report (<file>.conform.json) beside each deliverable that conforms."""

import hashlib
import json

from farm.film.film_run import FilmRun
from jobs.digest import digest
from jobs.records.deliverables import DeliverablePlan
from jobs.records.report import Conform, ConformReport, StandsIn
from jobs.store import Store


def file_reports(film: FilmRun, output: Store) -> None:
    """Put <file>.conform.json beside every deliverable that conforms."""
    for plan in film.deliverables:
        proof = film.proofs[plan.file]
        if proof.conforms:
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
