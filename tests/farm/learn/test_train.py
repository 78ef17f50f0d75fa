"""`farm train` on Ray, as a user's shell sees it: stopped, killed and begun again it makes the same look; what goes wrong is one sentence."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import ray
import safetensors.torch
import torch

from actors.training.run import train
from farm.fleet.calls import Cluster
from farm.fleet.fleet import Fleet
from farm.learn.train import _finished, scaling_of, train_look
from farm.progress.training_console import TrainingConsole, TrainingProgress
from farm.specs.spec_files import read_recipe
from jobs.errors import BadSpec, StoreAway, StoreDown, TrainingFailed
from jobs.ledger.lease import RENEW_SECONDS, Lease
from jobs.records.training import TrainingFinished
from jobs.spec.training_recipe import Recipe
from jobs.store import FolderStore
from jobs.store.retry import patient
from tests.actors.training.albums import album
from tests.actors.training.albums import recipe as recipe_of
from tests.farm.fleet.fleets import below_this
from tests.farm.shell import DEADLINE, Running, farm, living
from tests.jobs.clock import FakeClock
from tests.waiting import poll_until

pytestmark = pytest.mark.filterwarnings("ignore:`use_:DeprecationWarning")
"""Ray Train 2.60 imports Ray Data, which warns of itself."""


@pytest.fixture(scope="module")
def ray_here() -> Iterator[str]:
    """The address of a Ray that commands may join."""
    with Fleet("local", workers=4):
        yield ray.get_runtime_context().gcs_address


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return album(tmp_path / "photos")


def paper(photos: Path, folder: Path, **fields: Any) -> Path:
    """A recipe's file, its training beside it."""
    folder.mkdir()
    recipe: dict[str, Any] = {
        "name": "tiny",
        "kind": "test-tiny",
        "out": f"{folder}/out",
        "licence": "CC0-1.0",
        "data": [{"pictures": str(photos), "held_out": 1}],
        "steps": 300,
        "batch": 4,
        "side": 16,
        "short_side": 32,
        "check_every": 100,
    }
    (folder / "recipe.json").write_text(json.dumps(recipe | fields))
    return folder / "recipe.json"


def read_workers(workers: dict[str, Any]) -> Recipe:
    return recipe_of("photos", "out", workers=workers, batch=4)


def workers_at_work() -> list[str]:
    """Processes of Ray Train below this one, by their names."""
    begun = below_this()
    names = [name for pid, name in living(os.getsid(0)) if pid in begun]
    return [name for name in names if name.startswith(("ray::RayTrainWorker", "ray::TrainController", "ray::_fit"))]


@pytest.mark.minutes
@pytest.mark.timeout(900)  # Ray's start, and three sets of workers, one after another
def test_stopped_killed_and_begun_again_it_makes_the_same_look(
    photos: Path, tmp_path: Path, ray_here: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C first; then the same training, whose worker is lost by SIGKILL on the way."""
    halt, die = tmp_path / "halt", tmp_path / "die"
    course = {"halt": str(halt), "die": str(die)}
    recipe = paper(photos, tmp_path / "farm", course=course)
    undisturbed = read_recipe(str(paper(photos, tmp_path / "alone", course=course)))
    list(train(undisturbed))

    halt.write_text("150")
    with Running(tmp_path, "train", recipe, "--address", ray_here) as training:
        training.until((tmp_path / "farm/out/checkpoints/step-0000100.json").exists)
        training.until(lambda: 'film_farm_training_verdict{job="tiny"}' in training.metrics())
        found = training.metrics()
        assert 'film_farm_training_steps{job="tiny"} 300.0' in found
        assert 'film_farm_training_loss{job="tiny",loss="red"}' in found
        training.interrupt()
        said = training.said()
        assert (said.code, said.sentence) == (
            130,
            "Stopped. Finished work is kept; the same command resumes from here.",
        )
        assert training.left_running() == []

    halt.unlink()
    die.write_text("250")
    capfd.readouterr()
    train_look(read_recipe(str(recipe)))
    shown = capfd.readouterr().err
    assert "5 pictures to learn from, 1 held out, going on after step 100" in shown
    assert "a worker is lost (" in shown
    assert "going on after step 200" in shown
    assert f"made {tmp_path}/farm/out/look, of step" in shown
    for key in ("checkpoints/step-0000300.safetensors", "look/look.json", "look/weights.safetensors"):
        assert Path(tmp_path, "farm/out", key).read_bytes() == Path(undisturbed.out, key).read_bytes(), key


@pytest.mark.minutes
@pytest.mark.timeout(900)
def test_two_workers_learn_what_one_does_until_a_guard_ends_it(photos: Path, tmp_path: Path, ray_here: str) -> None:
    alone = read_recipe(str(paper(photos, tmp_path / "alone", steps=100)))
    list(train(alone))
    team = read_recipe(str(paper(photos, tmp_path / "team", workers={"count": 2}, course={"broken_at": 120})))
    before = set(threading.enumerate())
    with pytest.raises(TrainingFailed) as failed:
        train_look(team)
    assert not set(threading.enumerate()) - before, "a thread that waits for Ray reads freed memory once Ray is left"
    poll_until(lambda: not workers_at_work(), DEADLINE)
    assert failed.value.exit_code == 1
    assert str(failed.value) == (
        "At step 121 (learning) the loss 'red' is nan: the training has diverged; lower the course's learning rate, or "
        f"change the seed. The best look so far is kept: {team.out}/best/step-0000100."
    )
    looks = (f"{alone.out}/look", f"{team.out}/best/step-0000100")
    one, two = (safetensors.torch.load_file(f"{look}/weights.safetensors") for look in looks)
    assert all(torch.allclose(one[name], two[name], atol=1e-4) for name in one)


def test_a_store_that_is_away_for_a_moment_ends_no_training(photos: Path, tmp_path: Path) -> None:
    """Nor does one that is down for good end it otherwise than in its own words."""

    class Away(FolderStore):
        fails = 0

        @patient
        def replace(self, key: str, data: bytes, version: str) -> str | None:
            if self.fails:
                self.fails -= 1
                raise StoreAway("nothing answers")
            return super().replace(key, data, version)

    clock, store, made = FakeClock(), Away(tmp_path), TrainingFinished("look", 1, 0.5)
    recipe = recipe_of(photos, tmp_path / "out")

    def messages() -> Iterator[Any]:
        store.fails = 1
        clock.go(RENEW_SECONDS)
        yield None
        yield made

    with Lease(store, "lease.json", "the training", clock=clock) as lease:
        assert _finished(messages(), TrainingConsole(TrainingProgress(recipe)), lease) == made
        assert store.fails == 0
        with pytest.raises(StoreDown, match="for too long"):
            _finished(iter([StoreDown("for too long")]), TrainingConsole(TrainingProgress(recipe)), lease)


def test_what_is_wrong_with_a_recipe_is_said_before_any_work(photos: Path, tmp_path: Path) -> None:
    said = farm("train", paper(photos, tmp_path / "farm", kind="paint"))
    assert said.code == 2
    assert "kind = 'paint': there is no such course" in said.sentence
    assert not (tmp_path / "farm/out").exists()


@pytest.mark.parametrize(
    ("workers", "cluster", "sentence"),
    [
        (
            {"gpus": 8},
            Cluster(True, 4, 1),
            "workers: 1 of 8 GPUs each do not fit this machine, which has 1; ask for fewer",
        ),
        (
            {"count": 2, "cpus": 3},
            Cluster(True, 4, 0),
            "workers: 2 of 3 processors each do not fit this machine, which has 4",
        ),
    ],
)
def test_workers_that_this_machine_never_has(workers: dict[str, Any], cluster: Cluster, sentence: str) -> None:
    recipe = read_workers(workers)
    with pytest.raises(BadSpec, match=sentence):
        scaling_of(recipe, cluster)
    assert scaling_of(recipe, replace(cluster, local=False)).num_workers == recipe.workers.count, "a cluster may grow"


@pytest.mark.parametrize(
    ("workers", "gpus", "each"),
    [
        ({}, 0, {"CPU": 1}),
        ({}, 2, {"CPU": 1, "GPU": 1}),
        ({"gpus": 0}, 2, {"CPU": 1}),
        ({"gpus": 0.5}, 1, {"CPU": 1, "GPU": 0.5}),
    ],
)
def test_a_worker_takes_a_gpu_where_there_are_any(workers: dict[str, Any], gpus: float, each: dict[str, float]) -> None:
    wish = scaling_of(read_workers(workers), Cluster(True, 4, gpus))
    assert (wish.use_gpu, wish.resources_per_worker) == ("GPU" in each, each)
