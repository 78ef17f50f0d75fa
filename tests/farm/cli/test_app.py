"""The command line's contract, as a user's shell sees it: exit codes, JSON on stdout alone, one sentence for what is wrong.

One Ray serves all commands here, as a cluster would (`--address`); a user's own is tested in test_cli_stops.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
import ray

from actors.looks.package import LookDocument, write_package
from farm.fleet.fleet import Fleet
from jobs.store import open_store
from tests.farm.shell import Said, farm
from tests.farm.studio import same
from tests.films import Recipe, remux


@pytest.fixture(scope="module")
def ray_here() -> Iterator[str]:
    """The address of a Ray that commands may join."""
    with Fleet("local", workers=12):
        yield ray.get_runtime_context().gcs_address


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 frames in two shots, with sound."""
    return Recipe(frames=60, cuts=(20,), open_gop=True, sound="aac").make(
        tmp_path_factory.mktemp("film") / "A film.mp4"
    )


@pytest.fixture(scope="module")
def rendered(film: Path, ray_here: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `farm render FILM` has left its deliverable."""
    out = tmp_path_factory.mktemp("rendered") / "out"
    wish = (
        "--look",
        "none",
        "--out",
        out,
        "--codec",
        "ffv1",
        "--container",
        "mkv",
        "--chunk-seconds",
        1,
        "--workers",
        2,
    )
    said = farm("render", film, *wish, "--address", ray_here)
    assert (said.code, said.out) == (0, ""), said.err
    return out


def nothing_delivered(folder: Path) -> bool:
    """No file outside the store, but claims of names."""
    aside = {"store", ".film-farm"}
    return not [
        path for path in folder.rglob("*") if path.is_file() and not aside & set(path.relative_to(folder).parts)
    ]


def test_a_film_is_rendered(film: Path, rendered: Path) -> None:
    same(rendered / "A film.mkv", film)
    report = json.loads((rendered / "A film.report.json").read_text())
    assert {"frames", "chunks", "seams", "retries", "conforms"} <= set(report)
    assert (report["frames"], report["shots"], report["chunks"], report["seams"]) == (60, 2, 3, 1)
    assert (report["conforms"], report["retries"]) == (True, 0)
    assert (rendered / "A film.review/index.html").is_file()
    lists = {f"A film.shots.{form}" for form in ("edl", "otio", "csv")}
    assert {"A film.mkv", "A film.report.json", "A film.review", "store", *lists} <= {
        path.name for path in rendered.iterdir()
    }
    assert "00:00:00:20 00:00:02:12" in (rendered / "A film.shots.edl").read_text()


def test_the_status_of_a_delivered_film(rendered: Path) -> None:
    (found,) = farm("status", rendered / "store", "--json").json
    assert (found["name"], found["state"], found["frames_done"]) == ("A film", "delivered", 60)


def test_a_doctor_asks_a_cluster_and_tries_its_store(rendered: Path, ray_here: str) -> None:
    before = sorted(rendered.rglob("*"))
    found = {line["what"]: line for line in farm("doctor", rendered / "store", "--address", ray_here, "--json").json}
    assert {line["verdict"] for line in found.values()} <= {"ok", "note"}
    assert f"the head at {ray_here} answers: Ray {ray.__version__} and Python " in found["ray"]["found"]
    assert sorted(rendered.rglob("*")) == before


@pytest.mark.minutes
def test_looking_at_a_delivered_film_leaves_it_delivered(film: Path, rendered: Path, ray_here: str) -> None:
    before = farm("status", rendered / "store", "--json").json
    said = farm("plan", film, "--look", "test-window", "--out", rendered, "--address", ray_here)
    assert said.code == 0, said.err
    assert farm("status", rendered / "store", "--json").json == before


def test_a_spec_is_rendered_to_every_deliverable(film: Path, ray_here: str, tmp_path: Path) -> None:
    spec = tmp_path / "job.yaml"
    spec.write_text(f"""
        name: the job
        source: {film}
        store: work/store   # relative to where the command is given
        output: work/out
        look: {{name: test-window, settings: {{radius: 2, declared: 2}}}}
        overrides: [{{shots: "2", look: {{name: test-negative}}}}, {{frames: [00:00:00:20, 00:00:02:12], look: {{name: test-negative}}}}]
        shots: {{detect: adaptive}}
        chunk_seconds: 0.5
        workers: {{count: 2, cpus: 1}}
        deliverables:
          - {{name: master, codec: ffv1}}
          - {{name: view, codec: h264, preset: ultrafast}}
    """)
    out = tmp_path / "work/out"
    some = farm("render", "job.yaml", "--shots", 2, "--address", ray_here, cwd=tmp_path)
    assert (some.code, some.out) == (0, ""), some.err
    assert "still missing, so nothing is delivered yet: " in some.err
    assert f"review page {out}/the job.review/index.html#shot=2" in some.err
    assert {path.name for path in out.iterdir()} == {".film-farm", "the job.review"}
    said = farm("render", "job.yaml", "--priority", 7, "--address", ray_here, cwd=tmp_path)
    assert (said.code, said.out) == (0, ""), said.err
    assert json.loads((tmp_path / "work/store/the job/spec.json").read_text())["priority"] == 7
    assert {"master.mkv", "view.mp4", "the job.report.json", "the job.review", "the job.shots.otio"} <= {
        path.name for path in out.iterdir()
    }
    report = json.loads((out / "the job.report.json").read_text())
    assert [one["file"] for one in report["deliverables"]] == ["master.mkv", "view.mp4"]
    assert (report["conforms"], report["chunks"], report["seams"]) == (True, 6, 4)
    assert 0 < report["chunks_rendered"] < 6


def test_a_plan_is_json_and_leaves_nothing(film: Path, ray_here: str, tmp_path: Path) -> None:
    said = farm(
        "plan", film, "--look", "test-window", "--chunk-seconds", 1, "--workers", "1,3", "--gpu-hour", "3.60",
        "--currency", "USD", "--json", "--address", ray_here, cwd=tmp_path
    )  # fmt: skip
    plan = said.json
    assert {"frames", "shots", "chunks", "seams", "extra_frames_percent"} <= set(plan)
    assert (plan["frames"], plan["shots"], plan["chunks"], plan["seams"]) == (60, 2, 3, 1)
    assert plan["extra_frames_percent"] == pytest.approx(100 * 10 / 60, abs=0.01)
    assert plan["shot_names"] == [["00:00:00:00", "00:00:00:20"], ["00:00:00:20", "00:00:02:12"]]
    assert [(one["file"], one["container"], one["dropped"]) for one in plan["deliverables"]] == [
        ("A film.mp4", "mp4", [])
    ]
    assert plan["again"]["sentence"].startswith("To be rendered: 3 chunks of 2 shots")
    assert [(row["fleet"], row["currency"]) for row in plan["fleets"]] == [("1", "USD"), ("3", "USD")]
    assert plan["fleets"][0]["wall_seconds"] > 0
    assert [(one["look"], one["frames"]) for one in plan["basis"]] == [("test-window", 0)]
    assert "survey" in said.err
    assert list(tmp_path.iterdir()) == []
    refused = farm("plan", film, "--fleet", "l4", cwd=tmp_path)
    assert (refused.code, "--fleet l4: write kinds of hardware" in refused.sentence) == (2, True)


@pytest.mark.minutes
def test_shots_are_listed_and_a_list_gives_the_same_shots(
    film: Path, rendered: Path, ray_here: str, tmp_path: Path
) -> None:
    said = farm("shots", film, "--to", "cuts.otio", "--address", ray_here, cwd=tmp_path)
    assert (said.code, said.out) == (0, ""), said.err
    assert said.err.endswith(f"Made {tmp_path}/cuts.otio\n")
    listed = (tmp_path / "cuts.otio").read_text()
    assert "none" in listed
    (tmp_path / "job.json").write_text(
        json.dumps(
            {"name": "a", "source": str(film), "store": "work", "output": "out", "shots": {"file": "cuts.otio"}}
            | {"look": {"name": "none"}}
        )
    )
    plan = farm("plan", "job.json", "--json", "--address", ray_here, cwd=tmp_path).json
    assert plan["shot_list"] == [[1, 0, 20, "none"], [2, 20, 60, "none"]]
    # What is handed over with the deliverables says the same, and which chunks each shot has besides.
    assert len((rendered / "A film.shots.otio").read_text().splitlines()) == len(listed.splitlines())


def test_a_stream_that_does_not_fit_is_refused_by_the_plan(ray_here: str, tmp_path: Path) -> None:
    source = Recipe(frames=12, sound="flac").make(tmp_path / "film.mkv")
    said = farm("plan", source, "--look", "none", "--codec", "prores", "--container", "mxf", "--address", ray_here)
    assert "stream 1 (audio, flac) does not fit into mxf" in said.sentence
    assert said.code == 2


@pytest.mark.minutes
def test_a_film_is_inspected(film: Path, tmp_path: Path) -> None:
    inspection = farm("inspect", film).json
    assert inspection["refused"] == ""
    found = inspection["film"]
    assert (found["picture"]["width"], found["picture"]["rate"], found["picture"]["codec"]) == (
        192,
        "24000/1001",
        "h264",
    )
    assert [one["codec"] for one in found["others"]] == ["aac"]
    other = farm("inspect", film, Recipe(frames=59).make(tmp_path / "other.mkv"))
    assert (other.code, json.loads(other.out)["same"]) == (1, False)


def test_looks_and_schema_are_json() -> None:
    looks = {one["name"]: one for one in farm("looks", "--json").json}
    assert looks["colorize"]["defaults"]["strength"] == 1.0
    assert farm("schema", "--report").json["title"] == "ConformReport"
    schema = farm("schema").json
    assert (schema["title"], schema["additionalProperties"]) == ("JobSpec", False)
    assert {"name", "source", "store", "output"} <= set(schema["required"])
    assert "A film: colourise" not in json.dumps(schema)


WRONG_OPTIONS: list[tuple[tuple[object, ...], str]] = [
    (("FILM",), "--out is missing: name a folder"),
    (("job.yaml", "--look", "none"), "job.yaml is a job spec: write its look"),
    (("job.yaml", "--codec", "ffv1"), "job.yaml is a job spec: write its look"),
    (("job.yaml", "--out", "."), "job.yaml is a job spec: write its look"),
    (("job.yaml",), "chunk_secs is not a field of the spec"),
    (("broken.json",), "broken.json, line 1: Expecting property name"),
    (("gone.yaml",), "gone.yaml does not exist"),
    (
        ("FILM", "--out", "OUT", "--chunk-seconds", 0),
        "chunk_seconds = 0.0: input should be greater than or equal to 0.2",
    ),
    (("FILM", "--out", "OUT", "--set", "strength"), "--set strength: write NAME=VALUE"),
    (("FILM", "--out", "OUT", "--drop", "3,sound"), "drop = [3, 'sound']: allowed are nothing, unsupported, or a list"),
    (
        ("FILM", "--out", "OUT", "--codec", "prores", "--profile", "444"),
        "prores has no profile '444'; its profiles are",
    ),
    (("FILM", "--out", "OUT", "--codec", "dnxhr", "--container", "mkv"), "dnxhr does not go into mkv"),
    (("FILM", "--out", "OUT", "--deinterlace", "yes"), "deinterlace = 'yes': input should be 'none' or 'bwdif'"),
    (("FILM", "--out", "OUT", "--depth", 9), "deliverable 1, depth = 9: input should be 8, 10, 12 or 16"),
    (("FILM", "--out", "OUT", "--rate", "fast"), "rate = 'fast': a rate reads 24, 23.976"),
    (("job.yaml", "--rate", 24), "job.yaml is a job spec: write its look"),
]


WRONG_PLACES: list[tuple[tuple[object, ...], str]] = [
    (("gone.mp4", "--out", "OUT"), "gone.mp4 does not exist; check the path"),
    (("FILM", "--out", "OUT", "--look", "sepia"), "There is no look 'sepia'; installed are:"),
    (("FILM", "--out", "OUT", "--look", "./gone"), "gone: it has no look.json; check the place"),
    (("FILM", "--out", "FILM/below"), "Not a directory; choose a folder that you can read and write"),
    (("FILM", "--out", "s3://some-bucket/out"), "no AWS credentials were found; set AWS_ACCESS_KEY_ID"),
]


def render(film: Path, folder: Path, *arguments: object) -> Said:
    """`farm render`, in a folder where FILM and OUT are places of the test's own."""
    for name, text in (("job.yaml", "chunk_secs: 3"), ("broken.json", "{name: film}")):
        (folder / name).write_text(text)
    words = [str(one).replace("FILM", str(film)).replace("OUT", str(folder / "out")) for one in arguments]
    return farm("render", *words, cwd=folder)


@pytest.mark.parametrize(("arguments", "words"), [*WRONG_OPTIONS, *WRONG_PLACES], ids=lambda one: str(one)[:40])
def test_what_is_wrong_before_any_work(film: Path, tmp_path: Path, arguments: tuple[object, ...], words: str) -> None:
    said = render(film, tmp_path, *arguments)
    assert words in said.sentence
    assert (said.code, said.err) == (2, f"farm: {said.sentence}\n")
    assert nothing_delivered(tmp_path / "out")


def test_a_bucket_that_is_not_there(film: Path, s3_bucket: str, tmp_path: Path) -> None:
    said = render(film, tmp_path, "FILM", "--out", "s3://no-such-bucket-here/out")
    assert "there is no such bucket; create it or correct its name" in said.sentence
    assert said.code == 2
    assert list(open_store(f"s3://{s3_bucket}/").list("")) == []


def test_a_wrong_word_is_bad_input() -> None:
    port = ["train", "a.yaml", "--metrics-port", "65536"]
    for words in (["rendre"], ["render", "a.mp4", "--codec", "vp9"], ["render"], port):
        said = farm(*words)
        assert (said.code, said.out) == (2, "")
        assert "Traceback" not in said.err


def _text(path: Path, film: Path) -> None:
    path.write_text("This is no film.\n" * 100)


def _sound(path: Path, film: Path) -> None:
    with av.open(str(film)) as old, av.open(str(path), "w") as new:
        stream = new.add_stream_from_template(old.streams.audio[0])
        for packet in old.demux(old.streams.audio[0]):
            if packet.size:
                packet.stream = stream
                new.mux(packet)


def _truncated(path: Path, film: Path) -> None:
    whole = remux(film, path, movflags="faststart").read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])


def _headless(path: Path, film: Path) -> None:
    # An mp4's header lies at its end: a copy that broke off has none.
    path.write_bytes(film.read_bytes()[: film.stat().st_size // 2])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_text, "is not a video that the farm reads"),
        (_sound, "has no video stream"),
        (_truncated, "is truncated: it ends inside its mdat box"),
        (_headless, "its moov index is missing"),
    ],
)
def test_a_source_that_is_no_film(film: Path, ray_here: str, tmp_path: Path, make: Any, words: str) -> None:
    make(tmp_path / "source.mp4", film)
    said = render(film, tmp_path, "source.mp4", "--look", "none", "--out", "OUT", "--address", ray_here)
    assert words in said.sentence
    assert said.code == 2
    assert nothing_delivered(tmp_path / "out")


@pytest.mark.minutes
def test_weights_that_are_none(film: Path, ray_here: str, tmp_path: Path) -> None:
    paper = LookDocument(name="broken", kind="colorize", domain="chroma", licence="MIT", files={})
    write_package(str(tmp_path / "broken"), paper, {"weights.safetensors": b"these are no weights"})
    said = render(film, tmp_path, "FILM", "--out", "OUT", "--look", "./broken", "--address", ray_here)
    assert f"{tmp_path}/broken/weights.safetensors is not a whole safetensors file" in said.sentence
    assert said.code == 2
    assert nothing_delivered(tmp_path / "out")


def test_never_over_the_source(ray_here: str, tmp_path: Path) -> None:
    source = Recipe(frames=12, codec="ffv1").make(tmp_path / "film.mkv")
    before = source.read_bytes()
    wish = ("--look", "none", "--codec", "ffv1", "--out", tmp_path)
    said = render(source, tmp_path, "FILM", *wish, "--address", ray_here)
    assert "film.mkv would lie over the source; choose another folder" in said.sentence
    assert (said.code, source.read_bytes()) == (2, before)
    assert not (tmp_path / "film.report.json").exists()


@pytest.mark.minutes
def test_a_film_that_fails(film: Path, ray_here: str, tmp_path: Path) -> None:
    said = render(film, tmp_path, "FILM", "--out", "OUT", "--look", "test-broken", "--address", ray_here)
    assert "no numbers" in said.sentence
    assert said.code == 1
    assert nothing_delivered(tmp_path / "out")


def test_a_film_is_measured_against_its_source(film: Path, rendered: Path, tmp_path: Path) -> None:
    delivered = next(rendered.glob("*.mkv"))
    said = farm("qc", delivered, "--against", film)
    assert (said.code, said.out) == (0, "")
    assert f"60 frames against {film}; warnings: 0, failures: 0" in said.err
    said = farm("qc", delivered, "--against", film, "--json")
    found = json.loads(said.out)
    assert (said.code, said.err, [one["frames"] for one in found["quality"]["shots"]]) == (0, "", [[0, 20], [20, 60]])
    longer = Recipe(frames=61, cuts=(20,)).make(tmp_path / "longer.mp4")
    said = farm("qc", delivered, "--against", longer)
    assert (said.code, "fails: the film has 60 frames and its source 61" in said.err) == (1, True)
    assert farm("qc", delivered, "--bounds", tmp_path / "no.yaml").code == 2
