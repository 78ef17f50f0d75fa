"""axe finds nothing serious on the review page, in either colour scheme, on a screen and on a telephone, whatever is open; nor on a stream's page."""

from pathlib import Path

import pytest

from farm.film.film_run import FilmRun
from farm.film.review.publisher import as_script, published
from jobs.review.figures import ShownFinding
from jobs.review.shown import ShownShot, ShownStill, ShownVersion
from jobs.store import open_store
from tests.axe import axe, faults
from tests.devtools import Tab, browsing
from tests.farm.film.review.test_page import made, review_data  # noqa: F401  # a fixture
from tests.farm.inline import rendered
from tests.farm.studio import spec_of
from tests.films import Recipe


@pytest.fixture
def page(made: FilmRun, tmp_path: Path) -> Path:  # noqa: F811
    """With everything that there can be on it."""
    published(made, made.report(), open_store(str(tmp_path / "out")))
    folder = tmp_path / "out/film.review"
    data = review_data(folder)
    kinds = ("flicker", "warp", "stills")
    findings = tuple(
        ShownFinding.model_validate({"kind": kind, "at": 3, "words": "words", "weight": 2.0}) for kind in kinds
    )
    first: ShownShot = data.shots[0]
    older = ShownVersion(version="earlier", start=first.start, stop=first.stop, pieces=first.pieces)
    still = ShownStill(name="a.png", frame=5, file=first.pieces[0].still)
    shots = (
        first.model_copy(
            update={
                "findings": findings,
                "warnings": ("It was set aside.",),
                "locked": True,
                "older": (older,),
                "painted": (still,),
            }
        ),
        data.shots[1].model_copy(update={"progress": "waiting", "pieces": ()}),
    )
    (folder / "data.js").write_bytes(as_script(data.model_copy(update={"shots": shots, "conforms": False})))
    return folder / "index.html"


def sized(tab: Tab, width: int, height: int) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700}
    tab.call("Emulation.setDeviceMetricsOverride", **size)


@axe
def test_nothing_serious_on_the_review_page(page: Path, tmp_path: Path) -> None:
    with browsing(tmp_path) as tab:
        tab.open(page.as_uri() + "#shot=1&frame=3")
        tab.until("player.shown === 3")
        for key in ("2", "i", "ArrowRight", "o", "3", "x"):
            tab.press(key)
        tab.js("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        for theme in ("dark", "light"):
            tab.js(f"document.documentElement.dataset.theme = '{theme}'")
            for size in ((1280, 900), (390, 844)):
                sized(tab, *size)
                assert faults(tab) == [], (theme, size)
        tab.press("?")
        assert faults(tab) == []
        tab.js("byId('help').close()")
        tab.press("ArrowDown")  # a shot that is not made yet
        assert faults(tab) == []


@axe
def test_nothing_serious_on_the_page_of_a_stream(tmp_path: Path) -> None:
    source = Recipe(frames=40, cuts=(20,), sound="aac").make(tmp_path / "film.mp4")
    stream = {"name": "view", "codec": "h264", "container": "hls"}
    rendered(spec_of(source, tmp_path, chunk_seconds=0.5, deliverables=[stream]))
    with browsing(tmp_path) as tab:
        tab.open((tmp_path / "out/view/index.html").as_uri())
        for scheme in ("dark", "light"):
            tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            assert faults(tab) == [], scheme
