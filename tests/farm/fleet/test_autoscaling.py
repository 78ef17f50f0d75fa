"""A film on a cluster that grows and shrinks, for real: from no GPU node to several and back to none, while a driver and two nodes are lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.farm.autoscaling import HEAD_ID, Autoscaling
from tests.farm.shell import Running
from tests.films import Recipe

GPU_NODES = {"gpu": ({"CPU": 1.0, "GPU": 1.0}, 2)}


def job(folder: Path) -> Path:
    """A film of ten shots in a look that renders nothing until the gate is there."""
    spec = {
        "version": 1,
        "name": "film",
        "source": str(Recipe(frames=120, cuts=range(12, 120, 12), sound="aac").make(folder / "film.mp4")),
        "store": str(folder / "store"),
        "output": str(folder / "out"),
        "look": {"name": "test-slow", "settings": {"gate": str(folder / "gate")}},
        "chunk_seconds": 0.6,
        "deliverables": [{"name": "film", "codec": "ffv1"}],
    }
    (folder / "job.json").write_text(json.dumps(spec))
    return folder / "job.json"


def pools_on(cluster: Autoscaling) -> tuple[set[str], set[str]]:
    """The nodes where renderers are, and those where anyone else is."""
    workers = cluster.workers()
    return {node for name, node in workers if name == "renderer"}, {
        node for name, node in workers if name != "renderer"
    }


@pytest.mark.minutes
@pytest.mark.timeout(900)
def test_a_film_brings_up_gpu_nodes_and_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Autoscaling(tmp_path, GPU_NODES, head_cpus=4) as cluster:
        assert cluster.nodes() == {}
        for name, value in cluster.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("FARM_NODES", json.dumps([{"CPU": 1, "GPU": 1, "most": 2}]))
        command = ("render", job(tmp_path), "--address", cluster.address)
        elsewhere = set[str]()

        def at_work() -> bool:
            """Every GPU node has its renderer."""
            renderers, others = pools_on(cluster)
            elsewhere.update(others)
            return len(renderers) == 2 == len(cluster.nodes())

        with Running(tmp_path, *command) as killed:
            killed.until(at_work)
            killed.kill()
        cluster.until(lambda: not cluster.workers())  # no renderer outlives its driver

        with Running(tmp_path, *command) as render:
            render.until(at_work)
            first, second = cluster.nodes()
            cluster.kill(first)
            render.until(lambda: "its renderer is lost" in render.so_far())
            cluster.preempt(second, notice=1)
            render.until(lambda: "its renderer was preempted" in render.so_far())
            (tmp_path / "gate").touch()
            said = render.said()
            elsewhere |= pools_on(cluster)[1]
        assert (said.code, said.err.count("its renderer is lost")) == (0, 1), said.err
        assert elsewhere == {HEAD_ID}, "whoever needs no GPU is on the node without"
        cluster.until(lambda: not cluster.nodes())
    report = json.loads((tmp_path / "out/film.report.json").read_text())
    assert (report["conforms"], report["frames"]) == (True, 120)
