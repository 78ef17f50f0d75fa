"""Developed films through the whole farm: interlaced, R'G'B' and image sequences come out as the film developed in one go, chunk by chunk."""

from pathlib import Path
from typing import Any

import av
import pytest

from actors.media.normalise import Normaliser
from farm.film.film_run import FilmRun
from jobs.errors import BadMedia
from tests.actors.deliver.test_image_sequences import FRAMES, RATE, sequence
from tests.actors.interlaced import interlaced
from tests.farm.inline import rendered
from tests.farm.studio import spec_of
from tests.films import Recipe, fingerprint


def delivered(source: str, folder: Path, **fields: Any) -> tuple[FilmRun, list[str]]:
    """The film by `none` to ffv1 in many chunks, and its frames as they were delivered."""
    film = rendered(spec_of(source, folder, chunk_seconds=0.2, **fields))
    assert film.report().conforms
    assert film.report().seams > 0
    with av.open(str(folder / "out" / "film.mkv")) as media:
        return film, [fingerprint(frame) for frame in media.decode(video=0)]


def whole(film: FilmRun, frames: Any) -> list[str]:
    development = film.film.picture.development
    assert development is not None
    developer = Normaliser(development)
    done = [one for frame in frames for one in developer.push(frame)]
    return [fingerprint(frame) for frame in [*done, *developer.flush()]]


@pytest.mark.parametrize(("name", "codec", "hidden"), [("a.mkv", "libx264", 0), ("a.mp4", "libx264", 3)])
def test_an_interlaced_film_has_no_seam(tmp_path: Path, name: str, codec: str, hidden: int) -> None:
    source = interlaced(tmp_path / name, codec=codec, frames=40, hidden=hidden)
    with pytest.raises(BadMedia, match=r"is interlaced; set deinterlace: bwdif \(--deinterlace bwdif\)"):
        rendered(spec_of(source, tmp_path / "refused"))
    film, frames = delivered(str(source), tmp_path / "job", deinterlace="bwdif")
    assert len(frames) == 40 - hidden
    with av.open(str(source)) as media:
        assert frames == whole(film, media.decode(video=0))


def test_an_rgb_film_comes_back(tmp_path: Path) -> None:
    source = Recipe(frames=24, codec="ffv1", pix_fmt="gbrp10le", size=(80, 32)).make(tmp_path / "film.mkv")
    film, frames = delivered(str(source), tmp_path)
    with av.open(str(source)) as media:
        assert frames == whole(film, media.decode(video=0))


@pytest.mark.parametrize("form", ["gbrp10le", "gray"])
def test_an_image_sequence_is_a_film(tmp_path: Path, form: str) -> None:
    url = sequence(str(tmp_path / "shot"), "dpx", form)
    film, frames = delivered(url.partition("?")[0], tmp_path, rate="23.976")
    pictures = []
    for number in range(996, 996 + FRAMES):
        with av.open(str(tmp_path / "shot" / f"f.{number:03d}.dpx")) as media:
            pictures += list(media.decode(video=0))
    assert frames == (list(map(fingerprint, pictures)) if form == "gray" else whole(film, pictures))
    with av.open(str(tmp_path / "out" / "film.mkv")) as media:
        assert media.streams.video[0].average_rate == RATE
