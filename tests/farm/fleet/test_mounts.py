"""A film on a cluster whose nodes do not all see its store, for real: two Ray nodes on this machine, one of them with mounts of its own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.records.evaluation import Evaluation
from tests.actors.evaluation.pictures import kept, patches
from tests.farm.head import RayHead
from tests.farm.mounts import RayNode, need_mounts
from tests.farm.shell import Running, Said, farm
from tests.farm.studio import spec_of
from tests.films import Recipe

FRAMES = 24


@pytest.fixture
def head(monkeypatch: pytest.MonkeyPatch) -> Iterator[RayHead]:
    """A cluster whose head has one GPU, and room for all others of a film."""
    need_mounts()
    with RayHead({}, cpus=16, gpus=1) as head:
        monkeypatch.setenv("RAY_AUTH_MODE", "token")
        monkeypatch.setenv("RAY_AUTH_TOKEN", head.token)
        yield head


def job(folder: Path, **fields: Any) -> tuple[Path, Path]:
    """A film of two shots, seen by all nodes, and its job: store and output in a folder that is not."""
    shared = folder / "shared"
    shared.mkdir()
    film = Recipe(frames=FRAMES, cuts=[12], sound="flac").make(folder / "film.mkv")
    look = {"name": "test-slow", "settings": {"gate": str(folder / "gate")}}
    # Two renderers of a GPU each: one can only be placed on the head's node, the other on the second.
    workers = {"count": 2, "gpus": 1, "cpus": 1}
    spec = spec_of(film, shared, look=look, chunk_seconds=0.5, workers=workers, **fields)
    (folder / "job.json").write_text(spec.model_dump_json())
    return folder / "job.json", film


def decoded(film: Path) -> str:
    """Every picture and sound of a film, by ffmpeg."""
    command = ["ffmpeg", "-v", "error", "-i", str(film), "-map", "0", "-f", "streamhash", "-hash", "md5", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def delivered(said: Said, folder: Path, film: Path) -> None:
    """The film was delivered whole, and nothing was charged to it."""
    assert said.code == 0, said.err
    if shutil.which("ffmpeg"):
        assert decoded(folder / "shared/out/film.mkv") == decoded(film)
    report = json.loads((folder / "shared/out/film.report.json").read_text())
    assert (report["conforms"], report["frames"]) == (True, FRAMES)
    assert not (folder / "shared/store/film/damaged").exists(), "nothing was set aside"
    assert not (folder / "shared/store/film/quarantine").exists()


def blamed(said: Said, folder: Path) -> list[str]:
    """What was said of nodes; nothing else went wrong, and nothing false was said."""
    shared = folder / "shared"
    lines = [line for line in said.err.splitlines() if "Ray node " in line]
    for false in ("another run", "Another run", "trying again", "is lost", "was deleted", "is gone"):
        assert false not in said.err, said.err
    assert lines, said.err
    assert all(
        re.search(r": node [0-9.]+ \(.+\), Ray node [0-9a-f]{12}: ", line) and str(shared) in line for line in lines
    ), said.err
    return lines


@pytest.mark.minutes
@pytest.mark.timeout(900)
def test_a_node_without_the_mount_is_named_and_the_others_deliver(head: RayHead, tmp_path: Path) -> None:
    path, film = job(tmp_path)
    with RayNode(head, gpus=1, hides=tmp_path / "shared") as node:
        with Running(tmp_path, "render", path, "--address", head.address) as render:
            render.until(lambda: "left alone" in render.so_far())
            (tmp_path / "gate").touch()
            said = render.said()
        assert node.files(tmp_path / "shared") == [], "it took no work"
    delivered(said, tmp_path, film)
    (line,) = blamed(said, tmp_path)
    assert "mount" in line
    assert "left alone" in line


@pytest.mark.minutes
@pytest.mark.timeout(900)
def test_a_node_that_loses_its_mount_amid_the_work(head: RayHead, tmp_path: Path) -> None:
    path, film = job(tmp_path)
    with RayNode(head, gpus=1) as node:
        with Running(tmp_path, "render", path, "--address", head.address) as render:
            render.until(lambda: any((tmp_path / f"gate.{pid}").exists() for pid, _ in node.living()))
            node.hide(tmp_path / "shared")
            (tmp_path / "gate").touch()
            said = render.said()
        found = [path for path in node.files(tmp_path / "shared") if "/records/" in path]
    delivered(said, tmp_path, film)
    # What it was at was read: that its folder is an empty one of its own now, which takes what is written, is no finding.
    assert any(line.startswith("chunk ") for line in blamed(said, tmp_path))
    assert not found


@pytest.mark.minutes
@pytest.mark.timeout(900)
def test_trainings_and_evaluations_name_the_node_too(head: RayHead, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    for number in range(10):
        kept(shared / f"photos/{number:02}.png", patches(number))
    recipe = {"name": "tiny", "kind": "test-tiny", "out": f"{shared}/trained", "licence": "CC0-1.0", "steps": 4}
    recipe |= {"data": [{"pictures": f"{shared}/photos", "held_out": 1}], "batch": 4, "side": 16, "short_side": 32}
    recipe["workers"] = {"cpus": 20, "gpus": 0}  # as many as the second node alone has
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    with RayNode(head, gpus=1, hides=shared) as node:
        said = farm("train", tmp_path / "recipe.json", "--address", head.address)
        assert said.code == 1
        assert re.match(
            rf"on node [0-9.]+ \(.+\), Ray node [0-9a-f]{{12}}: {shared}/trained is not the place that the driver sees",
            said.sentence,
        )
        # Two evaluators of a GPU each, held until the one that sees no photographs has said so.
        asked = (
            "--on",
            shared / "photos",
            "--out",
            shared / "judged",
            "--workers",
            2,
            "--set",
            f"gate={tmp_path}/gate",
        )
        with Running(tmp_path, "evaluate", "test-slow", *asked, "--address", head.address) as judging:
            judging.until(lambda: "left alone" in judging.so_far())
            (tmp_path / "gate").touch()
            said = judging.said()
        assert node.files(shared) == []
    assert said.code == 0, said.err
    assert len(blamed(said, tmp_path)) == 1
    assert Evaluation.model_validate_json((shared / "judged/evaluation.json").read_text()).pictures == 10
    assert not list(shared.rglob("marks")), "nothing of it is left"
