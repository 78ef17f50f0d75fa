"""The vault's paper: that a conform report says all that is known of a deliverable, can be read back, and is the same when the film is made again; pictures and film alike."""

import hashlib
import subprocess
from pathlib import Path

import av
import pytest

from farm.film.film_run import FilmRun
from farm.film.report import file_reports
from jobs.records.report import ConformReport
from jobs.store import open_store
from tests.farm.inline import rendered
from tests.farm.studio import same, spec_of
from tests.films import Recipe

DELIVERABLES = [{"name": "film", "codec": "ffv1"}, {"name": "pictures", "codec": "dpx"}]


def made(source: Path, folder: Path) -> FilmRun:
    """A film of 24 frames in a few chunks, as a file and as pictures, with its reports."""
    film = rendered(spec_of(source, folder, deliverables=DELIVERABLES, drop="unsupported", chunk_seconds=0.5))
    file_reports(film, open_store(f"{folder}/out"))
    return film


def report_of(folder: Path, file: str) -> ConformReport:
    return ConformReport.model_validate_json((folder / f"out/{file}.conform.json").read_bytes())


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=24, sound="aac").make(tmp_path_factory.mktemp("film") / "film.mp4")


def test_a_report_says_what_a_film_is_made_of_and_that_it_conforms(source: Path, tmp_path: Path) -> None:
    film = made(source, tmp_path)
    report = report_of(tmp_path, "film.mkv")
    assert report.proof.conforms
    assert report.proof.sha256 == hashlib.sha256((tmp_path / "out/film.mkv").read_bytes()).hexdigest()
    assert report.film == film.film
    assert [one.choice.name for one in report.looks] == ["none"]
    assert (report.plan.encoding.codec, [one.fate for one in report.plan.fates]) == ("ffv1", ["picture", "copied"])
    with av.open(str(source)) as media:
        payloads = [bytes(one) for one in media.demux(audio=0) if one.size]
    assert [(one.stream, one.packets) for one in report.proof.streams] == [(1, len(payloads))]
    assert report.proof.streams[0].sha256 == hashlib.sha256(b"".join(payloads)).hexdigest()
    assert report.chunks == len(film.chunks) > 1
    joined = b"".join(bytes.fromhex(one.media.sha256) for one in film.segments_of(report.plan))
    assert report.segments_sha256 == hashlib.sha256(joined).hexdigest()


def test_a_folder_of_pictures_is_delivered_with_its_manifest_and_report(source: Path, tmp_path: Path) -> None:
    made(source, tmp_path)
    out = tmp_path / "out"
    report = report_of(tmp_path, "pictures")
    assert (report.proof.frames, report.proof.packets) == (24, 0)
    assert [one.fate for one in report.plan.fates] == ["picture", "dropped"]
    assert report.proof.sha256 == hashlib.sha256((out / "pictures.sha256").read_bytes()).hexdigest()
    assert len(list((out / "pictures").iterdir())) == 24
    for manifest in ("film.mkv.sha256", "pictures.sha256"):
        assert subprocess.run(["sha256sum", "-c", "--quiet", manifest], cwd=out, check=False).returncode == 0


def test_the_same_film_made_again_has_the_same_report(source: Path, tmp_path: Path) -> None:
    for folder in ("one", "other"):
        made(source, tmp_path / folder)
    same(tmp_path / "one/out/film.mkv", tmp_path / "other/out/film.mkv")
    one, other = (report_of(tmp_path / folder, "film.mkv") for folder in ("one", "other"))
    # The spec names its store and output.
    assert one.model_copy(update={"spec": ""}) == other.model_copy(update={"spec": ""})
