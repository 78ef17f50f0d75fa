"""The review page: what it is told of a film, and as a real Chromium shows it from disk."""

from __future__ import annotations

import hashlib
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import av
import cv2
import numpy as np
import pytest

from actors.shot_lists.cut_lists import given_cuts
from farm.film.film_run import FilmRun
from farm.film.review.measured import MeasuredFilm
from farm.film.review.publisher import ReviewPage, as_script, published
from jobs.document import read_document
from jobs.ledger.ledger import clip_name, figures_name, still_name
from jobs.review.figures import PieceFigures, ShownFinding
from jobs.review.shown import ReviewData, ShownPiece, ShownShot
from jobs.stills.listing import StillFile
from jobs.store import open_store
from tests.browser import CHROMIUM
from tests.devtools import Tab, browsing
from tests.farm.inline import rendered
from tests.farm.studio import spec_of
from tests.films import Recipe, read_number
from tests.paper import film_of, picture_of

SIZE = (192, 112)
browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


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


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> FilmRun:
    """A film of two shots and five chunks in the negative, which adds up to white with the source."""
    folder = tmp_path_factory.mktemp("made")
    film = Recipe(frames=50, cuts=(20,), sound="aac", size=SIZE).make(folder / "A film (1).mp4")
    deliverables = [{"codec": "ffv1"}]
    return rendered(spec_of(film, folder, look={"name": "test-negative"}, chunk_seconds=0.5, deliverables=deliverables))


@pytest.fixture
def folder(made: FilmRun, tmp_path: Path) -> Path:
    """The page's folder, beside the deliverable, somewhere else than where it was made."""
    published(made, made.report(), open_store(made.survey.spec.output))
    return Path(shutil.copytree(made.survey.spec.output, tmp_path / "moved #1")) / "film.review"


def review_data(folder: Path) -> ReviewData:
    """What a page is told."""
    text = (folder / "data.js").read_text("ascii")
    data = read_document(ReviewData, text.removeprefix("farmReview(").removesuffix(");\n").encode())
    assert data
    return data


def numbers(picture: np.ndarray[Any, Any]) -> tuple[int, int]:
    """The frame numbers in the source's and in the result's half of a picture, BGR."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    halves = [cv2.resize(half, SIZE, interpolation=cv2.INTER_AREA) for half in np.split(grey, 2, axis=1)]
    before, after = (
        read_number(av.VideoFrame.from_ndarray(np.ascontiguousarray(one, np.uint8), format="gray"))
        for one in (halves[0], 255 - halves[1])
    )
    return before, after


def test_it_is_told_of_every_shot(folder: Path) -> None:
    data = review_data(folder)
    assert data.said == "50 frames, 2 shots, 5 chunks, 3 seams: conforms"
    assert (data.whole, data.conforms, data.frames, data.rate) == (True, True, 50, (24000, 1001))
    assert [(one.number, one.start, one.stop, one.progress) for one in data.shots] == [
        (1, 0, 20, "made"),
        (2, 20, 50, "made"),
    ]
    assert [one.findings for one in data.shots] == [(), ()]
    pieces = [piece for shot in data.shots for piece in shot.pieces]
    assert [(one.start, one.still_at, one.stop) for one in pieces[:2]] == [(0, 5, 10), (10, 15, 20)]
    assert all((folder / place).is_file() for one in pieces for place in (one.still, one.clip))
    assert Page(folder / "index.html").missing() == []
    (delivered,) = data.deliverables
    assert (folder / delivered.place).is_file()
    assert [fate.fate for fate in delivered.fates] == ["picture", "copied"]


def test_stills_and_clips_hold_each_frame_of_both(folder: Path) -> None:
    for piece in (piece for shot in review_data(folder).shots for piece in shot.pieces):
        still = cv2.imread(str(folder / piece.still))
        assert still is not None
        assert numbers(still) == (piece.still_at, piece.still_at)
        with av.open(str(folder / piece.clip)) as clip:
            rate = clip.streams.video[0].average_rate
            assert rate == SOURCE_RATE
            frames = list(clip.decode(video=0))
        found = [numbers(frame.to_ndarray(format="bgr24")) for frame in frames]
        assert found == [(number, number) for number in range(piece.start, piece.stop)]
        assert [float(frame.time) for frame in frames] == pytest.approx([n / rate for n in range(len(frames))])


SOURCE_RATE = Recipe().rate


def test_without_a_still_or_a_clip_it_names_none(made: FilmRun, tmp_path: Path) -> None:
    ledger, output = made.ledger, open_store(str(tmp_path))
    (first,) = made.names(made.chunks[0], made.deliverables[0].encoding).values()
    kept = {name: ledger.read(name) for name in (still_name(first), clip_name(first))}
    for name in kept:
        ledger.store.delete(ledger.key(name))
    published(made, made.report(), output)
    for name, data in kept.items():
        ledger.store.write(ledger.key(name), data or b"")
    (bare, whole), folder = review_data(tmp_path / "film.review").shots[0].pieces, tmp_path / "film.review"
    assert (bare.still, bare.clip) == ("", "")
    assert (folder / whole.still).is_file()
    # Once they are there the same page, published again, has them, and is byte for byte the same from then on.
    published(made, made.report(), output)
    again = (folder / "data.js").read_bytes()
    assert review_data(folder).shots[0].pieces[0].clip
    published(made, made.report(), output)
    assert (folder / "data.js").read_bytes() == again


def test_it_grows_while_the_film_is_rendered(made: FilmRun, tmp_path: Path) -> None:
    page = ReviewPage(made, open_store(str(tmp_path)), every=0.0)
    made.states[5].missing = {"a segment"}
    page.grow()
    made.states[5].missing = set()
    data = review_data(tmp_path / "film.review")
    assert (data.whole, data.said[:15]) == (False, "4 of 5 chunks s")
    assert [(one.progress, len(one.pieces)) for one in data.shots] == [("made", 2), ("rendering", 2)]
    page.publish(made.report())
    assert [(one.progress, len(one.pieces)) for one in review_data(tmp_path / "film.review").shots] == [
        ("made", 2),
        ("made", 3),
    ]


def test_a_painted_still_lies_beside_what_became_of_it(made: FilmRun, tmp_path: Path) -> None:
    stills, survey = tmp_path / "stills", made.survey
    stills.mkdir()
    file = stills / "shot0002.f000030.png"
    file.write_bytes(b"as it was painted")
    still = StillFile(name=file.name, frame=30, sha256=hashlib.sha256(file.read_bytes()).hexdigest(), bytes=17)
    kept = survey.spec, survey.stills
    survey.spec, survey.stills = survey.spec.model_copy(update={"stills": str(stills)}), (still,)
    try:
        for output in ("a", "b"):
            published(made, made.report(), open_store(f"{tmp_path}/{output}"))
            file.write_bytes(b"as it is painted now")
    finally:
        survey.spec, survey.stills = kept
    first, later = (review_data(tmp_path / output / "film.review").shots for output in ("a", "b"))
    (shown,) = first[1].painted
    assert (tmp_path / "a/film.review" / shown.file).read_bytes() == b"as it was painted"
    # What was painted since is not what became of it.
    assert ([one.file for one in later[1].painted], first[0].painted) == ([""], ())


def test_what_was_measured_is_shown_by_the_specs_bounds(made: FilmRun, tmp_path: Path) -> None:
    ledger, output = made.ledger, open_store(str(tmp_path))
    (segment,) = made.names(made.chunks[3], made.deliverables[0].encoding).values()
    clean = ledger.paper(figures_name(segment), PieceFigures)
    assert clean
    ledger.keep_paper(
        figures_name(segment), clean.model_copy(update={"flicker": 3.0, "flicker_at": 33}), only_if_absent=False
    )
    made.finishing.measured = MeasuredFilm(made)  # as in a later run
    published(made, made.report(), output)
    ledger.keep_paper(figures_name(segment), clean, only_if_absent=False)
    made.finishing.measured = MeasuredFilm(made)
    first, second = review_data(tmp_path / "film.review").shots
    assert (first.findings, [(one.kind, one.at, one.weight) for one in second.findings]) == ((), [("flicker", 33, 4.0)])


OWNED = "document.documentElement.dataset.owned=1"
ATTACKS = "".join(
    [
        f"<script>{OWNED}</script>",
        f"<img src=x onerror={OWNED}>",
        f'" onerror="{OWNED}" x=\'',
        f"</style></title></script><svg onload={OWNED}>",
        f"javascript:{OWNED}",
        f"`);{OWNED}//\u2028{OWNED}",
    ]
)
"""Whichever runs marks the page."""


def poisoned(value: Any, name: str = "") -> Any:
    """A document's values with an attack in each text that comes from outside."""
    match value:
        case dict():
            return {key: poisoned(each, key) for key, each in value.items()}
        case list():
            return [poisoned(each, name) for each in value]
        case str() if name not in ("id", "version", "progress", "still", "clip", "kind", "fate"):
            return ATTACKS
    return value


@browser
def test_a_person_reviews_a_film_from_disk(folder: Path, tmp_path: Path) -> None:
    with browsing(tmp_path) as tab:
        tab.open((folder / "index.html").as_uri() + "#shot=2&frame=33")
        pictures_follow(tab, tmp_path)
        keys_and_links(tab)
        verdicts_and_notes(tab, folder)
        figures_over_the_film(tab)
        sizes_and_cuts(tab, folder, tmp_path)
        everything_hostile(tab, folder)
        two_thousand_shots(tab, folder)
    assert tab.complaints == []
    assert [url for url in tab.requests if not url.startswith((folder.as_uri(), "blob:"))] == []


def shown(tab: Tab, tmp_path: Path, mode: str) -> tuple[int, int]:
    """The frame numbers in the picture as it is on the screen, in one of the page's views: left, and right."""
    tab.js(f"view('{mode}')")
    tab.screenshot(tmp_path / "page.png", 1280, 860)
    page = cv2.imread(str(tmp_path / "page.png"))
    assert page is not None
    box = tab.js(
        "(() => { const {x, y, width, height} = byId('stage').getBoundingClientRect(); return [x, y, width, height] })()"
    )
    x, y, width, height = map(round, box)
    halves = np.split(page[y : y + height, x : x + width - width % 2], 2, axis=1)
    return numbers(np.hstack([_fitted(half) for half in halves]))


def _fitted(half: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The picture as it lies in the middle of its box."""
    height, width = half.shape[:2]
    scale = min(width / SIZE[0], height / SIZE[1])
    wide, high = round(SIZE[0] * scale), round(SIZE[1] * scale)
    top, left = (height - high) // 2, (width - wide) // 2
    return half[top : top + high, left : left + wide]


def pictures_follow(tab: Tab, tmp_path: Path) -> None:
    """A deep link, the still, the video and the wipe: both sides show the frame that is asked for."""
    tab.until("player.shown === 33")
    assert shown(tab, tmp_path, "side") == (33, 33)
    assert tab.js("byId('code').textContent + byId('frame').textContent") == "00:00:01:09frame 33"
    tab.press("ArrowRight")
    tab.press("ArrowRight")
    tab.until("player.shown === 35")  # it has a still
    assert tab.js("stage.right.picture.tagName") == "IMG"
    assert shown(tab, tmp_path, "side") == (35, 35)
    for frame in (0, 47, 31, 30):  # across pieces and shots, at once
        tab.js(f"void player.go({frame})")
    tab.until("player.shown === 30")
    assert tab.js("stage.right.picture.tagName") == "VIDEO"
    assert shown(tab, tmp_path, "side") == (30, 30)
    tab.press("w")
    x, y, width, height = tab.js(
        "(() => { const b = byId('stage').getBoundingClientRect(); return [b.x, b.y, b.width, b.height] })()"
    )
    tab.drag((x + width / 2, y + height / 2), (x + width / 4, y + height / 2))
    assert tab.js("stage.line") == pytest.approx(0.25, abs=0.02)
    tab.screenshot(tmp_path / "page.png", 1280, 860)
    page = cv2.imread(str(tmp_path / "page.png"))
    assert page is not None
    row = page[round(y + 0.8 * height), round(x) : round(x + width)].astype(int)
    # In the negative, left of the line the picture is the source's, and right of it is not.
    assert abs(row[round(width * 0.22)] - row[round(width * 0.30)]).max() > 60
    tab.press("l")
    tab.until("player.speed === 0 && player.frame === 49")  # plays on over the seams, to the shot's end and the film's


def keys_and_links(tab: Tab) -> None:
    """Shots are opened by keys, by links and in the strip; what is on screen is told to a screen reader."""
    tab.press("ArrowUp")
    tab.until("player.shown === 15")
    assert tab.js("location.hash") == "#shot=1&frame=15"
    assert tab.js("byId('picture').getAttribute('aria-label')") == "Shot 1, frame 15, 00:00:00:15: source and result"
    assert tab.js("document.activeElement.tagName") != "BUTTON"
    tab.js("location.hash = '#frame=44'")
    tab.until("player.shown === 44")
    assert tab.js("byId(byId('strip').getAttribute('aria-activedescendant')).textContent").split(" ")[:2] == [
        "Shot",
        "2",
    ]
    tab.js("byId('cell-1').click()")
    tab.until("player.shown === 15")
    unnamed = "[...document.querySelectorAll('button, input, select, textarea')].filter(one => !one.closest('label') && !one.textContent.trim() && !one.ariaLabel).length"
    assert tab.js(unnamed) == 0


def verdicts_and_notes(tab: Tab, folder: Path) -> None:
    """Approve, reject, note a range; they are there when the page is opened again, written to a file, and read from one."""
    tab.press("1")
    tab.press("ArrowDown")
    tab.until("player.shown === 35")
    tab.press("2")
    tab.js(
        "(box => { box.value = 0.8; box.dispatchEvent(new Event('change')) })"
        "([...document.querySelectorAll('.wishes label')].find(one => one.textContent.includes('saturation')).control)"
    )
    tab.press("i")
    tab.press("ArrowRight")
    tab.until("player.shown === 36")
    tab.press("o")
    tab.press("n")
    tab.type("the sky, <b>please</b>")
    tab.press("Enter")
    version = review_data(folder).shots[1].version
    written = json.loads(tab.js("notes.text()"))
    assert [(one["start"], one["stop"], one["verdict"]) for one in written["verdicts"]] == [
        (0, 20, "approved"),
        (20, 50, "rejected"),
    ]
    assert written["verdicts"][1]["controls"] == {"saturation": 0.8}
    (note,) = written["notes"]
    assert (note["start"], note["stop"], note["version"]) == (35, 37, version)
    assert "rejected, 1 note" in tab.js("byId('cell-2').textContent")
    assert '"the sky, <b>please</b>"' in tab.js("notes.csv(film.data)")
    tab.open((folder / "index.html").as_uri() + "#shot=2")
    tab.until("player.shown === 35")
    assert json.loads(tab.js("notes.text()")) == written
    assert tab.js(
        "document.querySelector('.notes li b') === null && document.querySelector('.notes').textContent.includes('<b>please</b>')"
    )
    for bad, words in (
        ("{}", "no file of notes"),
        ('{"kind":"review-notes","version":1,"film":"another","title":"B"}', "another job, B"),
    ):
        assert words in tab.js(f"(() => {{ try {{ notes.take({bad}) }} catch (error) {{ return error.message }} }})()")
    saved = folder / "saved.json"
    saved.write_text(json.dumps(written))
    tab.js("byId('export').click(), localStorage.clear()")
    tab.open((folder / "index.html").as_uri() + "#shot=2")
    tab.until("player.shown === 35 && notes.verdicts.length === 0")
    tab.choose("#import", saved)
    tab.until("byId('said').textContent === 'Loaded: 1 note and 2 verdicts.'")
    assert json.loads(tab.js("notes.text()")) == written


def sizes_and_cuts(tab: Tab, folder: Path, tmp_path: Path) -> None:
    """Dark and light, large and small, zoomed; shots divided, joined, nudged."""
    tab.js("document.documentElement.dataset.theme = 'light'")
    tab.screenshot(tmp_path / "light.png", 1280, 860)
    tab.js("document.documentElement.dataset.theme = 'dark'")
    tab.screenshot(tmp_path / "dark.png", 400, 800)
    assert tab.js("document.documentElement.scrollWidth") <= 400
    assert tab.js("byId('film').getBoundingClientRect().top >= byId('panel').getBoundingClientRect().bottom")
    light, dark = (cv2.imread(str(tmp_path / name)) for name in ("light.png", "dark.png"))
    assert light is not None
    assert dark is not None
    assert np.median(light) > 160 > 90 > np.median(dark)
    tab.press("z")
    assert tab.js("stage.zoom") == 1
    tab.press("f")
    tab.js("cuts.split(10), cuts.nudge(20, 2), cuts.split(40), cuts.join(40)")
    rows = tab.js("cuts.csv(film.data)").splitlines()
    assert [row.split(",")[1:5:3] for row in rows[1:]] == [["1", "10"], ["11", "22"], ["23", "50"]]
    (tmp_path / "cuts.csv").write_text("\n".join(rows))
    assert given_cuts(str(tmp_path / "cuts.csv"), film_of(picture_of("yuv420p")), np.arange(50)) == [10, 22]
    tab.js("cuts.undo()")


def everything_hostile(tab: Tab, folder: Path) -> None:
    """Texts from outside do nothing, in any field."""
    data = poisoned(review_data(folder).model_dump(mode="json"))
    shot = data["shots"][0]
    shot["warnings"], shot["looks"][0]["settings"] = [ATTACKS], [[ATTACKS, ATTACKS], ["__proto__", 1]]
    shot["findings"] = [{"kind": "seam", "at": 3, "words": ATTACKS, "weight": 2.0}]
    shot["painted"] = [{"name": ATTACKS, "frame": 3, "file": ""}]
    shot["older"] = [{"version": ATTACKS, "start": 0, "stop": 20, "pieces": shot["pieces"]}]
    data["deliverables"][0]["findings"] = [ATTACKS]
    hostile = ReviewData.model_validate(data)
    script = as_script(hostile)
    assert b"<" not in script
    (folder / "data.js").write_bytes(script)
    tab.open((folder / "index.html").as_uri() + "#shot=1&frame=<img src=x>")
    tab.until("player.shown !== undefined")
    tab.js(
        "notes.judge(player.shot, 'rejected'), notes.write(0, 9, '1', film.data.title), dispatchEvent(new Event('beforeprint'))"
    )
    assert tab.js("document.title").startswith("<script>")
    assert (
        tab.js("document.querySelectorAll('svg, iframe, [src=x], [onerror], [onload], [href^=javascript]').length") == 0
    )
    assert tab.js("document.documentElement.dataset.owned ?? null") is None
    assert "%3Cimg" in tab.js("document.querySelector('#deliverables a').href")


def figures_over_the_film(tab: Tab) -> None:
    """A curve for each figure; a click on one goes to the frame, and a word says where it is highest."""
    names = "[...document.querySelectorAll('#plots canvas')].map(one => one.getAttribute('aria-label').split(':')[0])"
    assert tab.js(names) == ["Flicker", "Jumps at seams", "Wavering along motion", "Beyond the gamut", "Colourfulness"]
    tab.js("byId('figures').open = true")
    tab.until("document.querySelector('#plots canvas').clientWidth > 100")
    click = "(x => { const one = document.querySelector('#plots figure:last-child canvas'), box = one.getBoundingClientRect(); one.dispatchEvent(new MouseEvent('click', {clientX: box.left + x * box.width, bubbles: true})) })"
    tab.js(f"{click}(0.41)")  # near the point of the piece that begins at frame 20 of 50
    tab.until("player.frame === 20")
    tab.js(f"{click}(0.5)")
    tab.until("player.frame === 25")
    tab.js("document.querySelector('#plots figure:last-child .link').click()")
    tab.until("player.frame === plots.plots.at(-1).points.reduce((one, other) => other[1] > one[1] ? other : one)[0]")
    tab.js("byId('figures').open = false")


def two_thousand_shots(tab: Tab, folder: Path) -> None:
    """A long film: of its strip only what is in sight is there, wherever it is scrolled to."""
    piece = {"seconds": 0.0, "still": "", "clip": ""}
    shots = [
        ShownShot(
            number=n + 1,
            start=100 * n,
            stop=100 * n + 100,
            progress="made",
            version="v",
            looks=(),
            pieces=(ShownPiece.model_validate(piece | {"start": 100 * n, "stop": 100 * n + 100, "still_at": 100 * n}),),
        )
        for n in range(2000)
    ]
    jump = ShownFinding(kind="seam", at=140_050, words="colour jumps", weight=3.0)
    shots[1400] = shots[1400].model_copy(update={"findings": (jump,)})
    (folder / "data.js").write_bytes(
        as_script(review_data(folder).model_copy(update={"shots": tuple(shots), "id": "long"}))
    )
    tab.open((folder / "index.html").as_uri() + "#shot=1999")
    tab.until("document.querySelector('#cell-1999[aria-selected=true]') !== null")
    assert tab.js("byId('count').textContent") == "2000 of 2000 shots"
    tab.js("byId('strip').scrollLeft = 100000")
    tab.until("document.querySelector('#cell-570') !== null")
    assert tab.js("byId('cells').childElementCount") < 30
    # What deserves a look most is the first of all, and a click on what was found goes to its frame.
    tab.js("byId('sort').value = 'look', listShots(), byId('strip').scrollLeft = 0")
    tab.until("document.querySelector('#cells [aria-posinset=\"1\"]')?.id === 'cell-1401'")
    assert "jump" in tab.js("byId('cell-1401').textContent")
    tab.js("byId('cell-1401').click()")
    tab.js("document.querySelector('#panel .findings .link').click()")
    tab.until("player.frame === 140050")
