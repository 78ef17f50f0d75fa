"""Chroma siting: read from every source that says it, kept by every deliverable that can say it, told where none can, and reckoned with."""

import subprocess
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from actors.encode.segment_writer import encoding_for
from actors.media.chroma_siting import siting_of
from actors.picture.compose import compose
from actors.picture.domain import Domain
from actors.picture.frame_batches import batches_of
from actors.survey.surveyor import Surveyor
from jobs.film.source import Siting
from jobs.spec.codecs import Codec, Container
from jobs.spec.formats import Deliverable
from tests.actors.reels import reel
from tests.films import Recipe

SMALL = Recipe(frames=8, size=(64, 48), gop=4)
X265 = replace(SMALL, codec="libx265", pix_fmt="yuv420p10le")


def film_sited(path: Path, siting: str, recipe: Recipe = SMALL) -> Path:
    """A film that says where its chroma lies."""
    return replace(recipe, options={**recipe.options, "chroma_sample_location": siting}).make(path)


def said(path: Path) -> str:
    """What the ffprobe program reads."""
    asked = ["-select_streams", "v:0", "-show_entries", "stream=chroma_location", "-of", "csv=p=0"]
    return subprocess.run(
        ["ffprobe", "-v", "error", *asked, path], capture_output=True, check=True, text=True
    ).stdout.split()[0]


@pytest.mark.parametrize("siting", ["left", "center", "topleft", "top"])
@pytest.mark.parametrize("name", ["h264.mp4", "h264.ts", "hevc.mkv", "ffv1.mkv"])
def test_it_is_read_from_the_source(tmp_path: Path, name: str, siting: str) -> None:
    recipe = {"hevc": X265, "ffv1": replace(SMALL, codec="ffv1")}.get(name.partition(".")[0], SMALL)
    source = film_sited(tmp_path / name, siting, recipe)
    assert said(source) == siting == Surveyor(str(source)).film().picture.siting


@pytest.mark.parametrize("siting", ["topleft", "center"])
@pytest.mark.parametrize(
    ("codec", "container"),
    [("h264", "mp4"), ("h264", "mov"), ("h264", "mkv"), ("hevc", "mp4"), ("hevc", "mkv"), ("ffv1", "mkv")],
)
def test_a_deliverable_that_can_say_it_says_it(tmp_path: Path, codec: str, container: str, siting: str) -> None:
    source = film_sited(tmp_path / "a.mp4", siting)
    depth = {} if codec == "ffv1" else {"preset": "ultrafast", "depth": 8}
    wish = Deliverable.model_validate({"codec": codec, "container": container, **depth})
    film = reel(source, tmp_path, wish, (3,))
    assert film.inspect(film.stitch()).findings == ()
    assert said(film.path) == siting
    assert "chroma lies" not in film.plan.fates[0].detail


def test_one_that_says_it_otherwise_is_found(tmp_path: Path) -> None:
    film = reel(
        film_sited(tmp_path / "a.mp4", "topleft"), tmp_path, Deliverable(codec=Codec.FFV1, container=Container.MKV)
    )
    facts = film.stitch()
    options = {**film.plan.encoding.options, "chroma_sample_location": "center"}
    encoding = film.plan.encoding.model_copy(update={"options": options})
    film.plan = film.plan.model_copy(update={"encoding": encoding})
    assert "its chroma siting is topleft and not center" in " ".join(film.inspect(facts).findings)


def test_one_that_cannot_say_it_has_it_told(tmp_path: Path) -> None:
    source = film_sited(tmp_path / "a.mp4", "topleft")
    plan = reel(source, tmp_path, Deliverable(codec=Codec.FFV1, container=Container.MP4)).plan
    assert "ffv1 in mp4 does not say where chroma lies (topleft)" in plan.fates[0].detail
    # ProRes has chroma of its own for each row, so it is brought to its place.
    other = reel(source, tmp_path, Deliverable(codec=Codec.PRORES)).plan
    assert "chroma lies" not in other.fates[0].detail


@pytest.mark.parametrize("siting", ["", "left"])
def test_what_everyone_takes_it_for_changes_no_digest(tmp_path: Path, siting: Siting) -> None:
    film = Surveyor(str(SMALL.make(tmp_path / "a.mp4"))).film()
    assert film.picture.siting == "left"
    film = film.model_copy(update={"picture": film.picture.model_copy(update={"siting": siting})})
    assert "siting" not in film.picture.named()
    for codec in (Codec.H264, Codec.FFV1):
        assert "chroma_sample_location" not in encoding_for(film, Deliverable(codec=codec), True).options
    elsewhere = film.picture.model_copy(update={"siting": "topleft"})
    assert elsewhere.named()["siting"] == "topleft"


@pytest.mark.parametrize("siting", ["left", "center", "topleft", "top"])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_ramp_of_chroma_stays_in_its_place(tmp_path: Path, siting: Siting, rotation: int) -> None:
    film = Surveyor(str(replace(SMALL, pix_fmt="yuv420p10le").make(tmp_path / "a.mp4"))).film()
    picture = film.picture.model_copy(update={"siting": siting, "rotation": rotation})
    film = film.model_copy(update={"picture": picture})
    right, below = 0.5 * (siting in ("center", "top")), 0.5 * (siting in ("left", "center", ""))
    frame = av.VideoFrame(64, 48, "yuv420p10le")
    x, y = np.meshgrid(np.arange(32) * 2 + right, np.arange(24) * 2 + below)
    for plane, values in zip(frame.planes, (np.full((48, 64), 512), 384 + 2 * x + 4 * y, 512 + 0 * x), strict=True):
        np.frombuffer(memoryview(plane), np.uint16).reshape(plane.height, -1)[:, : plane.width] = np.rint(values)
    # In a look's eyes, and so in any deliverable with all its chroma.
    ((_, batch),) = batches_of([frame], picture, 1, torch.device("cpu"))
    seen = np.rot90(batch.rgb()[0].numpy(), -rotation // 90, (1, 2))
    blue = (seen[2] - seen[1])[8:40, 8:56]
    across, down = np.polyfit(np.arange(48), blue.mean(0), 1)[0], np.polyfit(np.arange(32), blue.mean(1), 1)[0]
    assert down / across == pytest.approx(2, rel=0.02)
    # The ramp's value in the middle, in pixels across: a quarter of a pixel aside would be .25.
    middle = (384 - 512) / 2 + np.arange(8, 56).mean() + 2 * np.arange(8, 40).mean()
    assert blue.mean() / across == pytest.approx(middle, abs=0.1)
    # In a deliverable with chroma for every row.
    encoding = encoding_for(film, Deliverable(codec=Codec.PRORES), True)
    (out,) = compose([frame], torch.zeros(1, 1, 48, 64), Domain.LUMA, film.picture, encoding)
    made = np.frombuffer(memoryview(out.planes[1]), np.uint16).reshape(48, -1)[:, :32]
    wanted = 384 + 4 * np.arange(32)[None] + 4 * np.arange(48)[:, None]
    assert np.abs(made - wanted.astype(int))[8:40, 4:28].max() <= 0.5


def test_a_codec_that_matroska_does_not_know_says_nothing(tmp_path: Path) -> None:
    recipe = Recipe(4, (256, 128), codec="dnxhd", pix_fmt="yuv422p", options={"profile": "dnxhr_sq"})
    with av.open(str(recipe.make(tmp_path / "a.mov"))) as media:
        assert siting_of(media.streams.video[0]) == ""
