"""Publishes the review page: a folder of static files beside the deliverables, which needs no server and no network.

It grows while the film is rendered: pictures are copied as they are made, and the page's data is written anew.
"""

import json
import time
from importlib.resources import files

from actors.page_templates import PAGES
from farm.film.film_run import FilmRun
from farm.film.review.page_data import page_data
from farm.film.review.pictures import ReviewPictures
from jobs.document import read_document
from jobs.output.ownership import review_folder
from jobs.records.orders import SegmentRecord
from jobs.records.report import FilmReport
from jobs.review.shown import DATA, VERSIONS, ReviewData, ReviewVersions, ShownVersion
from jobs.store import Store, open_store

INDEX = "index.html"
SCRIPTS = (
    "timecode.js",
    "film.js",
    "notes.js",
    "stage.js",
    "player.js",
    "strip.js",
    "plots.js",
    "cuts.js",
    "panel.js",
    "review.js",
)
"""In the order in which they are loaded."""
STYLE = "review.css"
EVERY = 20.0
"""Seconds between two versions of a growing page."""
NEAR = 0.2
"""Seconds that a growing page waits for its pictures: from a folder they are there by then, from a bucket they come with the next version."""
SHARE = 10
"""The driver has other work: growing takes one part in so many of its time, about."""
MOST_VERSIONS = 50_000
"""Versions that are remembered: of two thousand shots, twenty-five each."""


class ReviewPage:
    """One film's page. Safe to publish again: files are written whole, and pictures are named by what they show."""

    def __init__(self, film: FilmRun, output: Store, every: float = EVERY) -> None:
        self.film = film
        self.output = output
        self.every = every
        self.key = f"{review_folder(film.survey.spec.key)}/{INDEX}"
        self._pictures = ReviewPictures(film, output)
        self._next = time.monotonic() + every
        self._static = False
        self._older: tuple[ShownVersion, ...] | None = None

    def keep(self, record: SegmentRecord) -> None:
        """A segment is finished: the film has it, and the page may grow."""
        self.film.keep(record)
        self._pictures.go_on()
        self.grow()

    def grow(self) -> None:
        """A piece is finished: publish where the last time was long ago, and tell of the preview where that has become whole."""
        due = self.film.order.is_due(self.film.lacking)
        began = time.monotonic()
        if not due and began < self._next:
            return
        self._write(None, seconds=60.0 if due else NEAR)
        took = time.monotonic() - began
        self._next = time.monotonic() + max(self.every, SHARE * took)
        if due:
            self.film.console.note(f"preview: {self.output.url}/{self.key}")

    def publish(self, report: FilmReport | None = None) -> str:
        """All of it, of a film that is delivered (`report`), or of some shots of it; gives the page's key."""
        self._write(report, seconds=float("inf"))
        return self.key

    def _write(self, report: FilmReport | None, seconds: float) -> None:
        self._pictures.copy(seconds)
        quality = self.film.finishing.measured.quality()
        self.film.console.measured(quality)
        data = page_data(self.film, self._pictures, self._versions(), quality, report)
        self._keep_versions(data)
        folder = review_folder(self.film.survey.spec.key)
        self.output.write(f"{folder}/{DATA}", as_script(data))
        if not self._static:
            for name in (*SCRIPTS, STYLE):
                self.output.write(f"{folder}/{name}", files(__package__).joinpath(name).read_bytes())
            page = PAGES.get_template("farm/film/review/index.html.j2").render(scripts=SCRIPTS, style=STYLE, data=DATA)
            self.output.write(self.key, page.encode())
            self._static = True

    def _versions(self) -> tuple[ShownVersion, ...]:
        if self._older is None:
            key = f"{review_folder(self.film.survey.spec.key)}/{VERSIONS}"
            found = read_document(ReviewVersions, self.output.read(key)) if self.output.stat(key) else None
            self._older = found.shots if found else ()
        return self._older

    def _keep_versions(self, data: ReviewData) -> None:
        """Shots that are made, with all their pictures, are put down: once they are made again, they are what was before."""
        known = {(one.start, one.stop, one.version): one for one in self._versions()}
        for shot in data.shots:
            if shot.progress == "made" and all(one.still for one in shot.pieces):
                fields = {"version": shot.version, "start": shot.start, "stop": shot.stop, "pieces": shot.pieces}
                known[shot.start, shot.stop, shot.version] = ShownVersion.model_validate(fields)
        kept = tuple(known.values())[-MOST_VERSIONS:]
        if kept != self._older:
            self._older = kept
            paper = ReviewVersions(shots=kept).model_dump_json().encode()
            self.output.write(f"{review_folder(self.film.survey.spec.key)}/{VERSIONS}", paper)


def published(film: FilmRun, report: FilmReport | None, output: Store) -> str:
    """The page of a film that is delivered (`report`), or of some shots of it; gives its key."""
    return ReviewPage(film, output).publish(report)


def review_page(film: FilmRun) -> ReviewPage:
    """The page of a film that is about to be rendered."""
    return ReviewPage(film, open_store(film.survey.spec.output))


def as_script(data: ReviewData) -> bytes:
    """The data as a script of one call. ASCII alone, and no `<`: nothing in it ends a script, wherever it is put."""
    text = json.dumps(data.model_dump(mode="json"), separators=(",", ":"), allow_nan=False)
    return f"farmReview({text.replace('<', chr(92) + 'u003c')});\n".encode("ascii")
