"""The review page: read as a browser reads it, and once by a real one."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import cv2
import numpy as np
import pytest

from actors.looks import fit
from farm.film import review_page
from farm.film.film_run import FilmRun
from farm.film.survey_run import SurveyRun
from jobs.film.source import Film
from jobs.ledger.ledger import Ledger, still_name
from jobs.plan.plan import Chunk, Look, Plan, Range, Shot
from jobs.records.deliverables import DeliverablePlan
from jobs.records.orders import Encoding, segment_digests
from jobs.records.report import FilmReport
from jobs.spec.job import LookChoice
from jobs.store import open_store
from tests.browser import CHROMIUM, browse
from tests.farm.inline import rendered
from tests.farm.studio import spec_of
from tests.films import Recipe

NASTY = "<script>alert('a & b')</script>"


class Page(HTMLParser):
    """A page's elements, the places it names, and its text."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.page = page
        self.tags: list[str] = []
        self.places: dict[str, list[str]] = {"img": [], "a": [], "video": [], "other": []}
        self.text: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), "no scripts"
            if name in ("src", "href", "srcset", "poster", "action", "data") and value:
                self.places[tag if tag in self.places else "other"].append(unquote(value))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())

    def missing(self) -> list[str]:
        """Places that lead nowhere from where the page lies."""
        places = [place for some in self.places.values() for place in some]
        return [place for place in places if not (self.page.parent / place).is_file()]


@dataclass
class Shown:
    """As much of a production as the page is made of: any paper, and no rendering."""

    film: Film
    deliverables: tuple[DeliverablePlan, ...]
    ledger: Ledger
    chunks: list[Chunk]
    scout: SurveyRun

    def publish(self, report: FilmReport, folder: Path) -> Page:
        key = review_page.publish(self, report, open_store(str(folder)))  # type: ignore[arg-type]
        return Page(folder / key)

    def names(self, chunk: Chunk, encoding: Encoding) -> dict[Range, str]:
        return segment_digests(self.film, self.chunks, chunk, encoding)

    def still(self, chunk: Chunk) -> str:
        (name,) = self.names(chunk, self.deliverables[0].encoding).values()
        return self.ledger.key(still_name(name))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> FilmRun:
    """A film of two shots and five chunks, rendered and inspected; the page is made by the tests."""
    folder = tmp_path_factory.mktemp("made")
    film = Recipe(frames=50, cuts=(20,), sound="aac").make(folder / "A film (1).mp4")
    return rendered(
        spec_of(film, folder, look={"name": "test-negative"}, chunk_seconds=0.5, deliverables=[{"codec": "ffv1"}])
    )


@pytest.fixture
def output(made: FilmRun, tmp_path: Path) -> Path:
    """Where a studio would find the deliverable and its page."""
    return Path(shutil.copytree(made.scout.spec.output, tmp_path / "out"))


def shown(made: FilmRun, *looks: Look, ledger: Ledger | None = None) -> Shown:
    """Ten frames in each look."""
    plan = Plan(10)
    plan.grow(Shot(n, Range(10 * n - 10, 10 * n), look) for n, look in enumerate(looks, 1))
    return Shown(made.film, tuple(made.deliverables), ledger or made.ledger, plan.chunks, made.scout)


def test_the_page_shows_every_chunk(made: FilmRun, output: Path) -> None:
    key = review_page.publish(made, made.report(), open_store(str(output)))
    page = Page(output / key)
    assert key == "film.review/index.html"
    assert page.places["img"] == [f"chunk-0000{number}.jpg" for number in range(1, 6)]
    assert page.missing() == []
    assert page.places["video"] == ["../A film (1).mkv"]
    assert "50 frames, 2 shots, 5 chunks, 3 seams: conforms" in page.words
    assert "Shot 1: frames 0 to 19 (00:00:00:00 to 00:00:00:19)" in page.words
    assert "Shot 2: frames 20 to 49 (00:00:00:20 to 00:00:02:01)" in page.words
    assert "chunk 5, frame 45 (00:00:01:21); test-negative" in page.words
    assert "stream 1 audio aac copied" in page.words


def test_its_stills_are_the_film_before_and_after(made: FilmRun, output: Path) -> None:
    review_page.publish(made, made.report(), open_store(str(output)))
    for path in sorted((output / "film.review").glob("*.jpg")):
        picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        before, after = np.split(picture.astype(np.int64), 2, axis=1)
        # The look is the negative: side by side they add up to white.
        assert abs((before + after).mean() - 255) < 6


def test_every_place_is_relative_and_nothing_comes_from_a_network(made: FilmRun, output: Path) -> None:
    page = Page(output / review_page.publish(made, made.report(), open_store(str(output))))
    places = [place for some in page.places.values() for place in some]
    assert places
    assert not [place for place in places if re.match(r"[a-z]+:|/", place)]
    assert page.places["other"] == []
    assert not {"script", "iframe", "link", "object", "embed", "base"} & set(page.tags)
    assert "url(" not in page.page.read_text()


def test_the_page_can_be_moved(made: FilmRun, output: Path, tmp_path: Path) -> None:
    review_page.publish(made, made.report(), open_store(str(output)))
    elsewhere = output.rename(tmp_path / "another name")
    assert Page(elsewhere / "film.review/index.html").missing() == []


def test_names_and_findings_are_text_never_markup(made: FilmRun, tmp_path: Path) -> None:
    look = Look(choice=LookChoice(name=NASTY, settings={NASTY: NASTY}))
    (proof,) = made.report().deliverables
    fates = (proof.fates[0].model_copy(update={"detail": NASTY, "codec": NASTY}),)
    proof = proof.model_copy(update={"file": f"{NASTY}.mkv", "findings": (NASTY,), "timing": NASTY, "fates": fates})
    report = made.report().model_copy(update={"name": NASTY, "conforms": False, "deliverables": (proof,)})
    page = shown(made, look).publish(report, tmp_path)
    assert "script" not in page.tags
    # Title, heading, file, codec, detail, timing, finding, look, its setting and the setting's value.
    assert page.words.count(NASTY) == 10
    assert page.places["a"] == [f"../{NASTY}.mkv"]
    assert "does not conform" in page.words


def test_a_still_that_is_gone_is_not_named(made: FilmRun, tmp_path: Path) -> None:
    look, other = fit(LookChoice(name="none")), fit(LookChoice(name="test-window"))
    film = shown(made, look, other, ledger=Ledger.at(f"{tmp_path}/store", "film"))
    film.ledger.store.write(film.still(film.chunks[1]), b"a picture")
    page = film.publish(made.report(), tmp_path / "out")
    assert page.places["img"] == ["chunk-00002.jpg"]
    assert "chunk 1, frame 5 (00:00:00:05)" in page.words
    assert not (tmp_path / "out/film.review/chunk-00001.jpg").exists()


def test_made_again_it_is_the_same_page(made: FilmRun, output: Path) -> None:
    key = review_page.publish(made, made.report(), open_store(str(output)))
    before = (output / key).read_bytes()
    review_page.publish(made, made.report(), open_store(str(output)))
    assert (output / key).read_bytes() == before


PROBE = """<script>addEventListener("load", () => {
  for (const one of document.images) { one.setAttribute("data-width", one.naturalWidth) }
  document.body.setAttribute("data-loaded", document.images.length)
})</script>"""
"""Writes into the page what a browser made of its pictures."""


OWNED = "document.documentElement.dataset.owned=1"
ATTACKS = [
    f"<script>{OWNED}</script>",
    f"<img src=x onerror={OWNED}>",
    f'" onerror="{OWNED}" x="',
    f"' onload='{OWNED}' x='",
    f"</style></title><svg onload={OWNED}>",
    f"javascript:{OWNED}",
    f"{{{{ '<script>{OWNED}</script>' | safe }}}}",
]
"""Whichever runs marks the page."""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_runs_nothing_of_what_a_store_says(made: FilmRun, tmp_path: Path) -> None:
    (proof,) = made.report().deliverables
    looks = [Look(choice=LookChoice(name=text, settings={text: text})) for text in ATTACKS]
    proofs = tuple(
        proof.model_copy(update={"file": f"{text}.mkv", "findings": (text,), "timing": text}) for text in ATTACKS
    )
    report = made.report().model_copy(update={"name": "".join(ATTACKS), "conforms": False, "deliverables": proofs})
    page = shown(made, *looks).publish(report, tmp_path)
    assert page.missing()
    dom = browse(tmp_path, "--dump-dom", page.page.as_uri())
    assert "does not conform" in dom
    assert 'data-owned="1"' not in dom.partition("<head>")[0]
    probe = page.page.with_name("probe.html")
    probe.write_text(page.page.read_text() + ATTACKS[0])
    assert 'data-owned="1"' in browse(tmp_path, "--dump-dom", probe.as_uri()).partition("<head>")[0]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_shows_the_page(made: FilmRun, output: Path, tmp_path: Path) -> None:
    page = output / review_page.publish(made, made.report(), open_store(str(output)))
    probe = page.with_name("probe.html")
    probe.write_text(page.read_text().replace(' loading="lazy"', "") + PROBE)
    dom = browse(tmp_path, "--dump-dom", probe.as_uri())
    assert 'data-loaded="5"' in dom
    # Film and result side by side, each of the film's own width.
    assert re.findall(r'data-width="(\d+)"', dom) == ["384"] * 5
    browse(tmp_path, f"--screenshot={tmp_path}/page.png", "--window-size=1100,2400", page.as_uri())
    picture = cv2.imread(str(tmp_path / "page.png"))
    assert picture is not None
    assert picture.shape == (2400, 1100, 3)
    # Dark paper, and pictures on it.
    assert np.median(picture) < 64
    assert picture.max() > 200
