"""What a spec takes along to its store: every kind of local place, sent once, and refused where no cluster could see it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from actors.looks.importing import add
from farm.film.setup import looks_of
from farm.ops.input_upload import SMALL, InputUpload
from jobs.errors import BadLook, BadMedia, BadSpec
from jobs.spec.grade import Cdl
from jobs.spec.job import JobSpec
from jobs.spec.shots import GivenShots
from jobs.store import open_store, read_small, source_identity
from jobs.store.allowed_places import FOLDERS
from tests.farm.studio import spec_of


@pytest.fixture
def place(s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store in a bucket, and nothing of this machine that a cluster shares."""
    monkeypatch.setenv(FOLDERS, "")
    return f"s3://{s3_bucket}"


def sent(spec: JobSpec) -> tuple[JobSpec, list[str]]:
    """The spec as it is submitted, and what was said while it was sent."""
    said: list[str] = []
    baggage = InputUpload(spec)
    baggage.send(said.append, lambda: None)
    return baggage.spec, said


def test_a_film_and_its_shot_list_are_sent_once(place: str, tmp_path: Path) -> None:
    film, cuts = tmp_path / "A film.mp4", tmp_path / "cuts.csv"
    film.write_bytes(b"abcd" * (SMALL // 2))
    cuts.write_text("Scene Number")
    spec = spec_of(film, place, shots={"file": str(cuts)})
    there, said = sent(spec)
    assert said[0] == f"sending 2 files, {2 * SMALL + 12:,} bytes, to {place}/store"
    assert said[-1] == "sent 100 %"
    assert there.source.startswith(f"{place}/store/film/submitted/")
    assert there.source.endswith("/A film.mp4")
    assert source_identity(there.source).ends_sha256 == source_identity(str(film)).ends_sha256
    assert isinstance(there.shots, GivenShots)
    assert read_small(there.shots.file) == b"Scene Number"
    # A copy is the same film; one that was changed lies elsewhere.
    (tmp_path / "copy").mkdir()
    shutil.copyfile(film, tmp_path / "copy/A film.mp4")
    assert sent(spec.model_copy(update={"source": f"{tmp_path}/copy/A film.mp4"})) == (there, [])
    film.write_bytes(b"abce" * (SMALL // 2))
    assert sent(spec)[0].source != there.source


def test_a_lut_is_sent_and_what_a_cdl_says_stands_in_the_spec(place: str, tmp_path: Path) -> None:
    film, lut, cdl = tmp_path / "film.mp4", tmp_path / "show.cube", tmp_path / "day.cc"
    film.write_bytes(b"film")
    lut.write_bytes(b"LUT_1D_SIZE 2\n0 0 0\n1 1 0.5\n")
    cdl.write_text("<ColorCorrection><SatNode><Saturation>0.5</Saturation></SatNode></ColorCorrection>")
    there, _ = sent(spec_of(film, place, overrides=[{"shots": 1, "grade": {"lut": str(lut), "cdl": str(cdl)}}]))
    (grade,) = (one.grade for one in there.overrides)
    assert grade
    assert grade.lut
    assert grade.lut.startswith(f"{place}/store/film/submitted/")
    assert read_small(grade.lut) == lut.read_bytes()
    assert grade.cdl == Cdl(saturation=0.5)


@pytest.mark.parametrize(
    ("named", "ends"), [("", "/reel-1"), ("/f.%04d.dpx", "/reel-1/f.%04d.dpx"), ("/f.####.dpx", "/reel-1/f.####.dpx")]
)
def test_an_image_sequence_is_sent_with_its_folder(place: str, tmp_path: Path, named: str, ends: str) -> None:
    folder = tmp_path / "reel-1"
    folder.mkdir()
    for number in range(3):
        (folder / f"f.{number:04}.dpx").write_bytes(bytes([number + 1]) * 10)
    (folder / "notes.txt").write_text("no picture")
    there, _ = sent(spec_of(f"{folder}{named}", place, rate="24"))
    assert there.source.endswith(ends)
    assert source_identity(there.source_url).bytes == source_identity(f"{folder}{named}?rate=24").bytes
    names = [key.rpartition("/")[2] for key in open_store(f"{place}/store").list("film/submitted/")]
    assert names == ["f.0000.dpx", "f.0001.dpx", "f.0002.dpx"]


def test_looks_of_this_machine_are_sent_wherever_they_are_named(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3_bucket: str
) -> None:
    """By a place, by a name in the library of this machine, by a setting of another look: there they are the same looks."""
    monkeypatch.setenv("FILM_FARM_LOOKS", str(tmp_path / "library"))
    shipped = Path(add.__code__.co_filename).parent / "style/shipped"
    shutil.copytree(shipped, tmp_path / "library/mosaic")
    blend: dict[str, Any] = {"looks": [{"name": f"{tmp_path}/library/mosaic"}, {"name": "none"}]}
    film = tmp_path / "film.mp4"
    film.write_bytes(b"x")
    spec = spec_of(
        film,
        place,
        look={"name": "mosaic"},
        overrides=[{"shots": "1", "look": {"name": "blend", "settings": blend}}],
    )
    there, _ = sent(spec)
    assert there.look.name.startswith(f"{place}/store/film/submitted/")
    assert there.overrides[0].look
    assert there.overrides[0].look.settings["looks"][0]["name"] == there.look.name
    here = [one.weights for one in looks_of(spec).values()]
    monkeypatch.setenv("FILM_FARM_LOOKS", "/nowhere")
    assert [one.weights for one in looks_of(there).values()] == here


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"store": "/work"}, r"store = '/work': a cluster cannot write there; give s3://bucket/prefix"),
        ({"output": "/out"}, r"output = '/out': a cluster cannot write there"),
        (
            {"look": {"name": "fast-style", "settings": {"weights": "/w.pth"}}},
            r"look\.settings\.weights = '/w\.pth': a file on this machine, which no cluster sees; make it part of a look",
        ),
    ],
)
def test_what_a_cluster_cannot_see_is_refused(place: str, tmp_path: Path, fields: dict[str, Any], says: str) -> None:
    (tmp_path / "film.mp4").write_bytes(b"x")
    with pytest.raises(BadSpec, match=says):
        InputUpload(spec_of(tmp_path / "film.mp4", place, **fields))


def test_what_is_not_there(place: str, tmp_path: Path) -> None:
    for source in (f"{tmp_path}/no.mp4", f"{place}/no.mp4"):
        with pytest.raises(BadMedia, match=r"no\.mp4 does not exist"):
            InputUpload(spec_of(source, place))
    with pytest.raises(BadLook, match="There is no look 'nobody'"):
        InputUpload(spec_of(f"{place}/no.mp4", place, look={"name": "nobody"}))


def test_what_a_cluster_shares_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDERS, str(tmp_path))
    (tmp_path / "film.mp4").write_bytes(b"x")
    spec = spec_of(tmp_path / "film.mp4", tmp_path)
    assert sent(spec) == (spec, [])
