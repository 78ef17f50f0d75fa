"""Every pair of codec and container that the farm delivers plays, in libav and, where it can, in Chromium, with the film's colours."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.errors import BadSpec
from jobs.spec.codecs import CONTAINERS, PROFILES, Codec, Container
from jobs.spec.formats import Deliverable
from jobs.spec.parser import parse_spec
from tests.browser import CHROMIUM, told
from tests.farm.inline import rendered
from tests.patches import FRAMES, PATCHES, SIZE, Paint, patch_film, patches_of

PAINTS = {
    "bt709": Paint(),
    "bt601 full": Paint(matrix=6, full=True),
    "bt2020 10 bit": Paint(matrix=9, depth=10),
    "bt709 full 10 bit": Paint(full=True, depth=10),
}
OFF = 6 / 255
"""Farthest that a patch's middle may be from its colour, after lossy encoding in 8 bit."""


def orders() -> list[dict[str, Any]]:
    """A deliverable for every codec, container, profile and depth, each with a name of its own."""
    every: list[dict[str, Any]] = [
        {"codec": codec.value, "container": wrapping, **({"profile": profile} if profile else {})}
        for codec in Codec
        for wrapping, profile in product(CONTAINERS[codec], PROFILES.get(codec, ("",)))
        if wrapping != "hls"  # tests/farm/film/test_review_stream.py
    ]
    every += [
        {"codec": codec, "container": wrapping, "depth": 10}
        for codec in ("h264", "hevc")
        for wrapping in ("mp4", "mkv")
    ]
    every += [{"codec": codec, "depth": 16} for codec in ("png", "tiff", "dpx")]
    every += [{"codec": "h264", "container": "mp4", "height": 128}]
    return [{"name": "-".join(map(str, one.values())), "preset": "veryfast", **one} for one in every]


@pytest.fixture(scope="module", params=list(PAINTS.values()), ids=list(PAINTS))
def delivered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with every deliverable of a film of patches."""
    folder = tmp_path_factory.mktemp("patches")
    source = patch_film(folder / "patches.mkv", request.param)
    wanted = orders()
    for first in range(0, len(wanted), 16):
        spec = parse_spec(
            {
                "name": f"job{first}",
                "source": str(source),
                "store": str(folder / "store"),
                "output": str(folder / "out"),
                "look": {"name": "none"},
                "deliverables": wanted[first : first + 16],
            },
            "test",
        )
        film = rendered(spec)
        assert film.report().conforms, film.report()
    return folder / "out"


def test_libav_shows_the_films_colours(delivered: Path) -> None:
    wrong = {}
    for one in orders():
        first, number = _first_file(delivered, one)
        off = np.abs(patches_of(first, number) - _expected(one)).max()
        if off > OFF:
            wrong[one["name"]] = round(float(off) * 255, 1)
    assert not wrong


def _expected(one: dict[str, Any]) -> Any:
    if one["codec"] != "exr":
        return PATCHES
    # Linear light by the inverse of BT.709's curve.
    return np.where(PATCHES < 0.081, PATCHES / 4.5, ((PATCHES + 0.099) / 1.099) ** (1 / 0.45))


def _first_file(delivered: Path, one: dict[str, Any]) -> tuple[Path, int]:
    """The film, or the sixth picture of a folder, and the number of the frame to look at in it."""
    folder = delivered / one["name"]
    if folder.is_dir():
        pictures = sorted(path for path in folder.iterdir() if path.suffix == f".{one['codec']}"[:5])
        assert len(pictures) == FRAMES
        return pictures[5], 0
    (path,) = delivered.glob(f"{one['name']}.m*[4vkf]")
    return path, 5


PAGE = """<body><script>
const films = %s, said = {};
function say(film, what) {
  if (film in said) return;
  said[film] = what;
  if (Object.keys(said).length == films.length) tell(JSON.stringify(said));
}
for (const film of films) {
  const video = document.createElement('video');
  video.muted = true; video.preload = 'auto';
  video.onerror = () => say(film, null);
  video.onloadeddata = () => { video.currentTime = 0.22; };
  video.onseeked = function look() {
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth; canvas.height = video.videoHeight;
    const paper = canvas.getContext('2d'), patches = [];
    paper.drawImage(video, 0, 0);
    // A film that was sought but not yet painted leaves the canvas clear.
    if (!paper.getImageData(0, 0, 1, 1).data[3]) { setTimeout(look, 20); return; }
    for (let n = 0; n < 6; n++) {
      const x = (1 + 2 * (n %% 3)) * canvas.width / 6, y = (1 + 2 * Math.floor(n / 3)) * canvas.height / 4;
      patches.push(Array.from(paper.getImageData(x, y, 1, 1).data.slice(0, 3)));
    }
    say(film, {size: [canvas.width, canvas.height], seconds: video.duration, patches});
  };
  video.src = film;
  document.body.appendChild(video);
}
</script></body>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_shows_the_films_colours(delivered: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    films = {path.name: path for path in sorted(delivered.glob("*.m*[4vk]"))}
    page = delivered / "playback.html"
    page.write_text(PAGE % json.dumps(list(films)))
    said = json.loads(told(tmp_path, page))
    page.unlink()
    plays = {name for name, shown in said.items() if shown}
    # What Chromium's own decoders play everywhere; HEVC only where the hardware does.
    assert plays >= {name for name in films if name.startswith("h264")}
    wide = "bt2020" in request.node.callspec.id
    for name in sorted(plays):
        assert said[name]["size"] == ([192, 128] if name.endswith("128.mp4") else list(SIZE)), name
        assert said[name]["seconds"] == pytest.approx(FRAMES / 24, abs=0.05), name
        if not wide:  # a page's canvas has BT.709's primaries: wide colours are brought to it, not shown as they are
            assert np.abs(np.array(said[name]["patches"]) / 255 - PATCHES).max() <= OFF + 2 / 255, name


@pytest.mark.parametrize(("codec", "container"), [(one, two) for one in Codec for two in Container])
def test_a_pair_is_delivered_or_refused_with_its_reason(codec: Codec, container: Container) -> None:
    fields = {**LEAST, "deliverables": [{"codec": codec.value, "container": container.value}]}
    if container is Container.AUTO or container.value in CONTAINERS[codec]:
        (one,) = parse_spec(fields, "test").deliverables
        assert one == Deliverable(codec=codec, container=container)
        assert one.wrappings
    else:
        with pytest.raises(BadSpec, match=f"{codec} does not go into {container}; it goes into"):
            parse_spec(fields, "test")


LEAST = {"name": "film", "source": "film.mp4", "store": "store", "output": "out"}
