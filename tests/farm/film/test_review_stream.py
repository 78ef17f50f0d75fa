"""A review stream through the real driver: it and the preview's page are there before the film is whole, and a real browser plays it, early and late."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from farm.film.film_run import FilmRun
from farm.film.review.publisher import published
from farm.fleet.calls import Call
from farm.progress.console import ProgressConsole
from farm.progress.plain_console import PlainConsole
from jobs.records.orders import SegmentRecord
from jobs.store import open_store
from tests.browser import CHROMIUM, served, told
from tests.farm.film.review.test_page import review_data
from tests.farm.inline import InlineFleet, rendered
from tests.farm.studio import spec_of
from tests.films import Recipe, read_number

VIEW = {"name": "a view", "codec": "h264", "container": "hls", "crf": 40, "preset": "ultrafast"}
FILM = {"name": "film", "codec": "ffv1"}


class Looking(InlineFleet):
    """A fleet that notes what lies in the output when each segment is finished."""

    def __init__(self, output: Path) -> None:
        super().__init__()
        self.output = output
        self.rendered: list[int] = []
        self.page_after: int | None = None

    def run(self, calls: Iterable[Call], then: Any) -> Iterator[tuple[Call, Any]]:
        for call, found in super().run(calls, then):
            yield call, found
            if isinstance(found, SegmentRecord):
                self.rendered.append(found.frames.start)
            if self.page_after is None and (self.output / "film.review/index.html").exists():
                self.page_after = len(self.rendered)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[FilmRun, Looking, str]:
    """Twelve seconds in 24 chunks, the preview first; what the fleet saw, and what the console said."""
    folder = tmp_path_factory.mktemp("made")
    film = Recipe(frames=288, size=(64, 48), sound="aac").make(folder / "a.mp4")
    spec = spec_of(film, folder, deliverables=[FILM, VIEW], chunk_seconds=0.5, order="preview", preview_every=8)
    said, fleet = StringIO(), Looking(Path(spec.output))
    return rendered(spec, fleet, ProgressConsole(console=PlainConsole(file=said, width=400))), fleet, said.getvalue()


def test_the_preview_comes_first_and_has_a_page(made: tuple[FilmRun, Looking, str]) -> None:
    film, fleet, said = made
    early = [one.core.start for one in film.chunks if (one.number - 1) % 8 == 0 or one is film.chunks[-1]]
    starts = list(dict.fromkeys(fleet.rendered))
    assert starts == [*early, *(one.core.start for one in film.chunks if one.core.start not in early)]
    assert fleet.page_after == 2 * len(early)  # a segment for each deliverable, and not one of the others
    output = film.survey.spec.output
    assert f"preview: {output}/film.review/index.html" in said
    assert f"a view can be watched while it grows: {output}/a view/index.html" in said
    data = review_data(Path(output, "film.review"))
    assert sum(len(shot.pieces) for shot in data.shots) == len(early)
    assert (data.said.startswith(f"{len(early)} of {len(film.chunks)} chunks"), data.whole) == (True, False)
    published(film, film.report(), open_store(output))
    last = review_data(Path(output, "film.review"))
    assert {one.file: one.place for one in last.deliverables} == {
        "film.mkv": "../film.mkv",
        "a view": "../a view/index.html",
    }


WATCH = """<script>
const shot = video => {  // the picture that is shown, as grey
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const paper = canvas.getContext("2d");
  paper.drawImage(video, 0, 0);
  return [...paper.getImageData(0, 0, canvas.width, canvas.height).data].filter((_, n) => n % 4 == 1);
};
(async () => {
  const video = document.querySelector("video"), says = document.querySelector("output"), found = {};
  const come = async is => { while (!is()) await new Promise(go => setTimeout(go, 50)); };
  video.muted = true;
  await come(() => video.readyState >= 2 || says.textContent.includes("cannot"));
  found.first = shot(video);
  await video.play();
  await come(() => video.currentTime > 0.3);
  video.pause();
  found.frames = video.getVideoPlaybackQuality().totalVideoFrames;
  found.sofar = says.textContent;
  await fetch("grow");
  await come(() => video.duration > 11.9);
  let shown = 0;
  const note = (_, frame) => { shown = frame.mediaTime; video.requestVideoFrameCallback(note); };
  video.requestVideoFrameCallback(note);
  video.currentTime = 11.52;  // frame 276
  await come(() => shown > 11.4);
  found.late = shot(video);
  found.says = says.textContent;
  found.duration = video.duration;
  tell(JSON.stringify(found));
})();
</script>"""
"""Watches the beginning, waits until there is more, and goes to a late time."""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_plays_it_while_it_grows(made: tuple[FilmRun, Looking, str], tmp_path: Path) -> None:
    film, _, _ = made
    output = Path(shutil.copytree(film.survey.spec.output, tmp_path / "out"))
    playlist = output / "a view/stream.m3u8"
    whole = playlist.read_text()
    begun = whole[: whole.index("#EXTINF", whole.index("#EXTINF") + 1)]  # as it was after the first fragment
    playlist.write_text(begun)
    page = output / "a view/watch.html"
    page.write_text((output / "a view/index.html").read_text() + WATCH)

    def asked(path: str) -> None:
        if path.endswith("/grow"):
            playlist.write_text(whole)

    with served(output, asked) as url:
        found = json.loads(told(tmp_path, page, url=f"{url}/a%20view"))
    assert found["sofar"] == "So far 00:00:04; it grows while the film is rendered."
    assert found["says"] == "All of the film: 00:00:12"
    assert found["frames"] >= 5
    assert found["duration"] == pytest.approx(12, abs=0.1)  # the sound may end a little later
    # Each frame of the film carries its number in its picture.
    assert [number(found["first"]), number(found["late"])] == [0, 276]


def number(grey: list[int]) -> int:
    """The number in a picture of 64 by 48 samples."""
    return read_number(av.VideoFrame.from_ndarray(np.array(grey, np.uint8).reshape(48, 64), format="gray"))
