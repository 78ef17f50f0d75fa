"""The opening of a film: what could only fail later is refused before any work, in one sentence."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from farm.film.setup import check_places, decide_deliverables, looks_of, open_film, preflight
from farm.fleet.calls import Cluster
from farm.ops.status import statuses
from jobs.errors import BadInput, BadLook, BadMedia, BadSpec, BadStore
from jobs.ledger.ledger import Ledger
from jobs.records.deliverables import Decided
from jobs.spec.job import JobSpec
from tests.farm.inline import InlineFleet, quiet, rendered
from tests.farm.studio import job_of, spec_of
from tests.films import Recipe


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=12, sound="aac").make(tmp_path_factory.mktemp("film") / "film.mp4")


def opened(spec: JobSpec, fleet: InlineFleet | None = None) -> Any:
    job = job_of(spec)
    job.ledger.enter(spec)
    return open_film(job, fleet=fleet or InlineFleet(), console=quiet())  # type: ignore[arg-type]


def decided(spec: JobSpec, fleet: InlineFleet | None = None) -> Any:
    fleet = fleet or InlineFleet()
    return decide_deliverables(opened(spec, fleet), fleet)  # type: ignore[arg-type]


def test_every_look_that_is_named_is_fitted() -> None:
    overrides = [
        {"shots": "2", "look": {"name": "test-window", "settings": {"radius": 1}}},
        {"frames": [0, 5], "look": {"name": "none"}},
    ]
    looks = looks_of(spec_of("/films/a.mp4", "/work", overrides=overrides))
    # The defaults are filled in, so that a default that changes changes the digest.
    assert [look.choice.settings for look in looks.values()] == [{}, {"radius": 1, "declared": 5}]
    assert [look.support.context for look in looks.values()] == [0, 5]


@pytest.mark.parametrize(
    ("look", "words"),
    [
        ({"name": "sepia"}, "There is no look 'sepia'; installed are: .*none"),
        ({"name": "none", "settings": {"strength": 1}}, "strength = 1: there is no such field"),
        ({"name": "fast-style", "settings": {"weights": "/nowhere/a.safetensors"}}, "/nowhere/a.safetensors cannot be read"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", ["look", "override"])
def test_a_wrong_look_is_refused_wherever_it_is_named(look: dict[str, Any], words: str, where: str) -> None:
    fields = {"look": look} if where == "look" else {"overrides": [{"shots": "9", "look": look}]}
    with pytest.raises(BadLook, match=words):
        looks_of(spec_of("/films/a.mp4", "/work", **fields))


def test_the_survey_is_put_on_paper(film: Path, tmp_path: Path) -> None:
    spec, fleet = spec_of(film, tmp_path), InlineFleet()
    survey = opened(spec, fleet)
    assert (survey.film.picture.codec, survey.film.source) == ("h264", str(film))
    assert Ledger.at(spec.store, "film").film(spec.reading) == survey.film
    assert set(fleet.pools) == {"surveyor", "splitter", "renderer", "dissolver", "printer", "finisher"}


def test_a_source_that_changed_is_another_film(film: Path, tmp_path: Path) -> None:
    source = tmp_path / "film.mp4"
    source.write_bytes(film.read_bytes())
    spec = spec_of(source, tmp_path)
    first = opened(spec)
    os.utime(source, (1, 1))
    with pytest.raises(
        BadMedia, match="has changed since the job 'film' began; put the old file back, or set name: film-2"
    ):
        opened(spec)
    assert Ledger.at(spec.store, "film").film(spec.reading) == first.film


def test_another_stream_of_the_source_is_surveyed_anew(tmp_path: Path) -> None:
    source = tmp_path / "two.mkv"
    lengths = (14, 20)
    with av.open(str(source), "w") as out:
        streams = [out.add_stream("ffv1", rate=24) for _ in lengths]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 128, 32, "yuv420p"
        for stream, frames in zip(streams, lengths, strict=True):
            for number in range(frames):
                frame = Recipe(size=(128, 32)).frame(number)
                frame.pts, frame.time_base = number, Fraction(1, 24)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    for video in (0, 1, 0):
        spec = spec_of(source, tmp_path, video=video, drop=["video"])
        report = rendered(spec).report()
        assert (report.conforms, report.frames) == (True, lengths[video])
        (found,) = statuses(spec.store, "film")
        assert (found.frames, found.frames_done) == (lengths[video], lengths[video])


def test_a_sequence_of_another_rate_is_another_film(tmp_path: Path) -> None:
    for number in range(2):
        cv2.imwrite(f"{tmp_path}/f.{number:04d}.png", np.full((64, 96, 3), 40 * number, np.uint8))
    opened(spec_of(f"{tmp_path}/f.####.png", tmp_path, rate=24))
    with pytest.raises(BadStore, match=r"was begun with rate 24, not 25; set name: .*-2"):
        opened(spec_of(f"{tmp_path}/f.####.png", tmp_path, rate=25))


def test_deliverables_are_decided_and_put_on_paper(film: Path, tmp_path: Path) -> None:
    spec = spec_of(film, tmp_path, deliverables=[{"name": "a", "codec": "ffv1"}, {"name": "b"}])
    plans = decided(spec)
    assert [one.file for one in plans] == ["a.mkv", "b.mp4"]
    assert Ledger.at(spec.store, "film").paper("deliverables.json", Decided) == Decided(deliverables=plans)
    # What a job delivers may change from run to run.
    plans = decided(spec_of(film, tmp_path))
    assert [one.file for one in plans] == ["film.mkv"]
    assert Ledger.at(spec.store, "film").paper("deliverables.json", Decided) == Decided(deliverables=plans)


class WithGpu(InlineFleet):
    """A fleet on a machine with a GPU."""

    cluster = Cluster(local=True, cpus=2.0, gpus=1.0)


NVENC = [{"name": "a", "encoder": "nvenc"}]


@pytest.mark.parametrize(
    ("gpu", "fields", "why"),
    [
        (False, {}, "the renderers have none"),
        (True, {"workers": {"gpus": 0}}, "the renderers have none"),
        (True, {"overrides": [{"shots": "1", "look": {"name": "test-drift"}}]}, "the look 'test-drift' dissolves its seams"),
    ],
)  # fmt: skip
def test_a_gpus_encoder_is_refused_where_a_worker_without_one_encodes(
    film: Path, tmp_path: Path, gpu: bool, fields: dict[str, Any], why: str
) -> None:
    spec = spec_of(film, tmp_path, deliverables=NVENC, **fields)
    with pytest.raises(
        BadSpec, match=f"the deliverable a is to be encoded by a GPU .*{why}.*; set its encoder to software"
    ):
        decided(spec, WithGpu() if gpu else InlineFleet())


def test_a_gpus_encoder_is_planned_where_every_worker_has_one(film: Path, tmp_path: Path) -> None:
    (plan,) = decided(spec_of(film, tmp_path, deliverables=NVENC), WithGpu())
    assert plan.encoding.encoder == "h264_nvenc"


@pytest.mark.parametrize("way", ["same", "symlink", "hardlink", "other spelling"])
def test_nothing_is_delivered_over_the_source(film: Path, tmp_path: Path, way: str) -> None:
    home = tmp_path / "films"
    home.mkdir()
    source = home / "film.mkv"
    source.write_bytes(Recipe(frames=12, codec="ffv1").make(tmp_path / "film.mkv").read_bytes())
    output = home
    if way == "symlink":
        output = tmp_path / "alias"
        output.symlink_to(home)
    elif way == "hardlink":
        output = tmp_path / "other"
        output.mkdir()
        (output / "film.mkv").hardlink_to(source)
    elif way == "other spelling":
        output = Path(f"{home}/../films")
    before = source.read_bytes()
    with pytest.raises(BadSpec, match=r"the deliverable film\.mkv would lie over the source; choose another folder"):
        decided(spec_of(source, tmp_path / "work", output=str(output)))
    assert source.read_bytes() == before


@pytest.mark.parametrize("place", ["shots/f.%04d.png", "shots/f.####.png", "shots", "shots?rate=24"])
def test_no_pictures_are_delivered_among_the_sources_own(tmp_path: Path, place: str) -> None:
    shots = tmp_path / "shots"
    shots.mkdir()
    for number in range(1, 7):
        cv2.imwrite(f"{shots}/f.{number:04d}.png", np.full((64, 96, 3), 40 * number, np.uint8))
    source, wish = f"{tmp_path}/{place}", {"rate": 24, "deliverables": [{"codec": "png", "name": "shots"}]}
    with pytest.raises(BadSpec, match="the deliverable shots would lie over the source; choose another folder"):
        decided(spec_of(source, tmp_path / "work", output=str(tmp_path), **wish))
    assert [one.file for one in decided(spec_of(source, tmp_path / "work", **wish))] == ["shots"]


def test_beside_the_source_is_allowed(film: Path, tmp_path: Path) -> None:
    source = tmp_path / "film.mp4"
    source.write_bytes(film.read_bytes())
    assert [one.file for one in decided(spec_of(source, tmp_path / "work", output=str(tmp_path)))] == ["film.mkv"]


def test_places_are_proven_and_left_clean(film: Path, tmp_path: Path) -> None:
    check_places(spec_of(film, tmp_path))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("wrong", ["store", "output"])
def test_a_place_that_cannot_be_written_is_refused(film: Path, tmp_path: Path, wrong: str) -> None:
    (tmp_path / "file").write_text("no folder")
    place = {wrong: f"{tmp_path}/file/below"}
    with pytest.raises(BadStore, match=r"Cannot write .*/file/below/.*Not a directory; choose a folder"):
        check_places(spec_of(film, tmp_path, **place))


def test_places_in_s3(film: Path, s3_bucket: str) -> None:
    check_places(spec_of(film, f"s3://{s3_bucket}/work"))
    with pytest.raises(BadStore, match="there is no such bucket; create it or correct its name"):
        check_places(spec_of(film, "s3://no-such-bucket-here/work"))


def test_without_credentials_there_is_no_s3(film: Path) -> None:
    with pytest.raises(BadStore, match="no AWS credentials were found; set AWS_ACCESS_KEY_ID"):
        check_places(spec_of(film, "s3://some-bucket/work"))


@pytest.mark.parametrize("wrong", ["output", "weights", "shots", "source"])
def test_what_is_refused_leaves_nothing_to_be_taken_for_a_film(film: Path, tmp_path: Path, wrong: str) -> None:
    file = tmp_path / "file"
    file.write_text("neither a folder nor a film, weights or cuts")
    fields: dict[str, dict[str, Any]] = {
        "output": {"output": f"{file}/below"},
        "weights": {"look": {"name": "colorize", "settings": {"weights": str(file)}}},
        "shots": {"shots": {"file": str(file)}},
        "source": {},
    }
    spec = spec_of(file if wrong == "source" else film, tmp_path, **fields[wrong])
    with pytest.raises(BadInput) as refused:
        _opened_and_rendered(spec)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


def _opened_and_rendered(spec: JobSpec) -> None:
    preflight(spec)
    rendered(spec)
