"""Says what the review page is told of a film as it is now: shots, pictures, versions, warnings."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import PurePosixPath

from actors.mux.hls.playlist import PAGE
from farm.film.film_run import FilmRun
from farm.film.review.pictures import ReviewPictures
from jobs.digest import digest
from jobs.errors import number_of
from jobs.film.timecode import FrameTimecodes
from jobs.ledger.render_history import ShotRendering, over, version_of
from jobs.plan.plan import Chunk, Look, Range
from jobs.plan.shots import placed
from jobs.records.quality import FilmQuality
from jobs.records.report import FilmReport
from jobs.review.figures import findings_of
from jobs.review.shown import (
    Progress,
    ReviewData,
    ShownDeliverable,
    ShownLook,
    ShownShot,
    ShownStill,
    ShownTimecode,
    ShownVersion,
)


def job_mark(store: str, job: str) -> str:
    """What a page, and notes that were written on it, are known by: the job, wherever the page was copied to."""
    return digest({"kind": "review", "store": store, "job": job})[:16]


def page_data(
    film: FilmRun,
    pictures: ReviewPictures,
    older: Sequence[ShownVersion],
    quality: FilmQuality,
    report: FilmReport | None,
) -> ReviewData:
    """All that the page shows. `older`: every version that was shown before."""
    survey, names = film.survey, film.survey.names
    before: dict[tuple[int, int], list[ShownVersion]] = {}
    for one in older:
        before.setdefault((one.start, one.stop), []).append(one)
    counting = names.counting
    rate = survey.film.picture.clip_rate
    return ReviewData(
        id=job_mark(film.ledger.store.url, survey.spec.key),
        title=survey.spec.name,
        said=_said(film, report),
        whole=report is not None or bool(film.left_out),
        conforms=report.conforms if report else None,
        rate=(rate.numerator, rate.denominator),
        timecode=_timecode(names),
        steady=counting is not None,
        frames=survey.plan.frames,
        shots=tuple(_shots(film, pictures, before, quality)),
        plots=film.finishing.measured.plots(),
        deliverables=tuple(_deliverables(film, report)) if report else (),
    )


def _said(film: FilmRun, report: FilmReport | None) -> str:
    if report:
        counts = f"{number_of(report.frames, 'frame')}, {number_of(report.shots, 'shot')}, {number_of(report.chunks, 'chunk')}, {number_of(report.seams, 'seam')}"
        aside = f"; set aside, and not the look: {number_of(len(report.quarantined), 'chunk')}"
        verdict = "conforms" if report.conforms else "does not conform"
        verdict = "not delivered, for quality control has it fail" if report.quality.judged("fail") else verdict
        return f"{counts}: {verdict}{aside if report.quarantined else ''}"
    if film.left_out:
        return (
            f"Shots {film.chosen.said} of {film.survey.plan.shot_count}; the film is not whole yet, and not delivered"
        )
    lacking = len(list(film.lacking))
    return f"{len(film.chunks) - lacking:,} of {len(film.chunks):,} chunks so far; the film is still rendered, and this page grows"


def _timecode(names: FrameTimecodes) -> ShownTimecode | None:
    counting = names.counting
    if counting is None:
        return None
    left_out = counting.nominal // 15 if counting.drop else 0
    return ShownTimecode(first=names.first, nominal=counting.nominal, left_out=left_out)


def _shots(
    film: FilmRun,
    pictures: ReviewPictures,
    before: Mapping[tuple[int, int], Sequence[ShownVersion]],
    quality: FilmQuality,
) -> Iterator[ShownShot]:
    made, lacking, locked = film.survey.made, set(film.lacking), _locked(film)
    measured = {one.shot: findings_of(one, film.survey.spec.qc) for one in quality.shots}
    for number, grouped in groupby(film.chunks, key=lambda chunk: chunk.shot):
        chunks = list(grouped)
        frames = Range(chunks[0].core.start, chunks[-1].core.stop)
        version = version_of(over(made, frames))
        yield ShownShot(
            number=number,
            start=frames.start,
            stop=frames.stop,
            progress=_progress(film, chunks, lacking),
            version=version,
            locked=any(one.start <= frames.start and frames.stop <= one.stop for one in locked),
            looks=tuple(_looks(chunk.look for chunk in chunks)),
            pieces=tuple(piece for one in chunks if one.number not in lacking for piece in pictures.pieces(one)),
            older=tuple(one for one in before.get((frames.start, frames.stop), ()) if one.version != version),
            painted=tuple(
                ShownStill(name=one.name, frame=one.frame, file=pictures.painted(one))
                for one in film.survey.stills
                if frames.start <= one.frame < frames.stop
            ),
            warnings=tuple(
                film.aside.reports[one.number].sentence for one in chunks if one.number in film.aside.reports
            ),
            findings=tuple(sorted(measured[number], key=lambda one: -one.weight)),
        )


def _locked(film: FilmRun) -> list[Range]:
    survey = film.survey
    if not survey.done or not any(one.locked for one in survey.spec.overrides):
        return []
    made: list[ShotRendering] = survey.made
    locks = [one for one in placed(survey.spec.overrides, survey.names, survey.plan.frames) if one.locked]
    found = [one.frames for one in locks if one.frames]
    return found + [one.frames for one in made for lock in locks if lock.shots and lock.covers(one.number, one.frames)]


def _progress(film: FilmRun, chunks: Sequence[Chunk], lacking: set[int]) -> Progress:
    numbers = {one.number for one in chunks}
    if numbers & film.aside.reports.keys():
        return "aside"
    if not numbers & lacking:
        return "made"
    begun = any(film.states[one].frames_done for one in numbers) or not numbers <= lacking
    return "rendering" if begun and not numbers & film.left_out else "waiting"


def _looks(looks: Iterable[Look]) -> Iterator[ShownLook]:
    shown = dict[str, ShownLook]()
    for look in looks:
        settings = tuple(
            (name, value if isinstance(value, str | float | int | bool) or value is None else str(value))
            for name, value in look.choice.settings.items()
            if name not in look.places
        )
        shown[digest({"title": look.title, "settings": list(settings)})] = ShownLook(
            title=look.title, settings=settings
        )
    yield from shown.values()


def _deliverables(film: FilmRun, report: FilmReport) -> Iterator[ShownDeliverable]:
    streams = {one.file for one in film.deliverables if one.container == "hls"}
    for one in report.deliverables:
        place = PurePosixPath("..", one.file, PAGE) if one.file in streams else PurePosixPath("..", one.file)
        yield ShownDeliverable(
            file=one.file,
            place=str(place),
            bytes=one.bytes,
            timing=one.timing,
            fates=one.fates,
            findings=one.findings,
        )
