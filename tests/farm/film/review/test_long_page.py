"""A page of two thousand shots, each with figures, pictures and findings: how soon it is there, and what keeps it from answering. Timed, so it runs with `minutes`."""

from pathlib import Path
from typing import Any

import pytest

from farm.film.film_run import FilmRun
from farm.film.review.publisher import as_script, published
from jobs.review.figures import ShownFinding
from jobs.review.shown import ReviewData, ShownPlot
from jobs.store import open_store
from tests.devtools import Tab, browsing
from tests.farm.film.review.test_page import browser, made, review_data  # noqa: F401  # a fixture

pytestmark = pytest.mark.minutes
SHOTS, LENGTH = 2000, 100
OPENS_WITHIN, LONGEST_TASK = 1000.0, 50.0
"""Milliseconds."""
TRIES = 12
"""At most, of which the best counts, figure by figure: other work on the machine makes a task longer, never shorter."""

WATCH = """(() => {
  window.tasks = [];
  new PerformanceObserver(list => tasks.push(...list.getEntries().map(entry => entry.duration))).observe({type: "longtask"});
})()"""
FRAMES = "new Promise(go => requestAnimationFrame(() => setTimeout(go, 0)))"
SCROLL = f"""(async () => {{
  for (let step = 0; step < 120; step++) {{ byId("strip").scrollLeft += 1700; await {FRAMES}; }}
  byId("strip").scrollLeft = 0;
  await {FRAMES};
}})()"""
STEP = f"""(async () => {{
  for (let step = 0; step < 60; step++) {{ go(player.frame + 1); await {FRAMES}; }}
  for (let step = 0; step < 20; step++) {{ window.step(1); await {FRAMES}; }}
}})()"""


def long_film(data: ReviewData) -> ReviewData:
    """The page's own shots and pictures again and again, with something found in each."""
    pieces = [piece for shot in data.shots for piece in shot.pieces]
    shots = []
    for number in range(SHOTS):
        start, half = LENGTH * number, LENGTH // 2
        two = [
            pieces[(number + one) % len(pieces)].model_copy(
                update={"start": at, "stop": at + half, "still_at": at + half // 2, "seconds": at / 24}
            )
            for one, at in enumerate((start, start + half))
        ]
        found = ShownFinding(kind="flicker", at=start + 7, words="flickers by 1.2 steps of 8 bits", weight=1.6)
        fields = {"number": number + 1, "start": start, "stop": start + LENGTH, "pieces": tuple(two)}
        shots.append(data.shots[0].model_copy(update={**fields, "findings": (found,)}))
    points = tuple((half * LENGTH // 2, half % 17 / 10) for half in range(2 * SHOTS))
    plots = [ShownPlot(name=name, unit="steps", limit=1.0, points=points) for name in "abcde"]
    return data.model_copy(
        update={"id": "long", "shots": tuple(shots), "frames": SHOTS * LENGTH, "plots": tuple(plots)}
    )


def tried(tab: Tab, url: str) -> dict[str, float]:
    """Milliseconds until shots, a picture and the panel are there; and the longest tasks of more than 50, while it is scrolled and frames are stepped."""
    tab.open(url)
    tab.until("player.shown === 125")
    # The last thing that opening does is to show the first frame: until then nothing is there.
    found: dict[str, Any] = {"opened": tab.js("performance.getEntriesByName('shown')[0].startTime")}
    tab.js("localStorage.clear()")
    tab.js(WATCH)
    for name, act in (("scrolled", SCROLL), ("stepped", STEP)):
        tab.js(f"{act}.then(() => {FRAMES})")
        found[name] = tab.js("Math.max(0, ...tasks.splice(0))")
    tab.js("byId('figures').open = true")
    tab.js(f"{FRAMES}.then(() => {{ tasks.length = 0; }})")
    tab.js(STEP)
    found["stepped with figures open"] = tab.js(f"{FRAMES}.then(() => Math.max(0, ...tasks.splice(0)))")
    return found


@browser
def test_it_opens_within_a_second_and_no_task_is_long(made: FilmRun, tmp_path: Path) -> None:  # noqa: F811
    published(made, made.report(), open_store(str(tmp_path / "out")))
    folder = tmp_path / "out/film.review"
    (folder / "data.js").write_bytes(as_script(long_film(review_data(folder))))
    with browsing(tmp_path) as tab:
        mark = "const shows = setInterval(() => { try { if (player.shown === 125) { performance.mark('shown'); clearInterval(shows); } } catch {} }, 5);"
        tab.call("Page.addScriptToEvaluateOnNewDocument", source=mark)
        tab.call("Emulation.setDeviceMetricsOverride", width=1600, height=1000, deviceScaleFactor=1, mobile=False)
        best: dict[str, float] = {}
        for _ in range(TRIES):
            found = tried(tab, (folder / "index.html").as_uri() + "#frame=125")
            best = {name: min(best.get(name, one), one) for name, one in found.items()}
            if (
                best["opened"] <= OPENS_WITHIN
                and max(one for name, one in best.items() if name != "opened") <= LONGEST_TASK
            ):
                return
    pytest.fail(f"at best, in milliseconds: {best}")
