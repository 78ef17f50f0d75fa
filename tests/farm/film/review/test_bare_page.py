"""The review page where something is missing: its data, or a browser's canvas. What is pressed then does nothing worse than nothing."""

from pathlib import Path

from tests.devtools import browsing
from tests.farm.film.review.test_page import browser, folder, made  # noqa: F401  # fixtures

PRESSED = "document.querySelectorAll('button:not(#help-open)').forEach(one => one.click())"
CHANGED = "['sort', 'filter', 'against', 'scrub'].forEach(name => { for (const kind of ['input', 'change']) byId(name).dispatchEvent(new Event(kind)) })"


@browser
def test_before_its_data_all_can_be_pressed_and_then_it_opens(folder: Path, tmp_path: Path) -> None:  # noqa: F811
    script = folder / "data.js"
    data = script.read_text("ascii")
    script.write_text("")
    notes = tmp_path / "notes.json"
    notes.write_text('{"kind": "review-notes", "version": 1, "film": "", "title": "", "verdicts": [], "notes": []}')
    with browsing(tmp_path) as tab:
        tab.open((folder / "index.html").as_uri())
        tab.js(f"{PRESSED}, {CHANGED}, dispatchEvent(new Event('beforeprint'))")
        tab.press("1")
        tab.choose("#import", notes)
        tab.until("byId('import').value === '' && player.speed === 0 && player.asked > 0")
        tab.js("location.hash = '#shot=2&frame=33'")
        assert tab.js("byId('said').textContent").startswith("Nothing is shown yet")
        assert tab.js("notes.verdicts.length + notes.notes.length + localStorage.getItem('')") == 0
        tab.js(data)
        tab.until("player.shown === 33")
        assert tab.js("byId('said').textContent") == "50 frames, 2 shots, 5 chunks, 3 seams: conforms"
    assert tab.complaints == []


@browser
def test_without_a_canvas_a_film_is_still_judged(folder: Path, tmp_path: Path) -> None:  # noqa: F811
    with browsing(tmp_path) as tab:
        tab.call("Page.addScriptToEvaluateOnNewDocument", source="HTMLCanvasElement.prototype.getContext = () => null")
        tab.open((folder / "index.html").as_uri() + "#shot=2&frame=33")
        tab.until("player.shown === 33")
        tab.js("figures.open = true")
        tab.press("1")
        assert tab.js("byId('approved').getAttribute('aria-pressed')") == "true"
        assert tab.js("notes.of(player.shot).verdict") == "approved"
    assert tab.complaints == []
