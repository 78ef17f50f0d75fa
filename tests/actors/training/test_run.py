"""The loop: a training that was killed ends as the one that never was, bit for bit; the best look is chosen; a team is as good as one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor

from actors.looks.package import open_package
from actors.training.checkpoints import Checkpoints
from actors.training.course import WorkerRank
from actors.training.dataset.pictures import gather
from actors.training.registry import checked
from actors.training.run import train
from jobs.errors import BadInput, BadSpec, StoreDown, TrainingFailed
from jobs.records.training import CheckpointSaved, StepDone, TrainingFinished, TrainingStarted, Word
from jobs.spec.training_recipe import Recipe
from jobs.store.retry import in_work
from tests.actors.training.albums import album, photo, recipe, write
from tests.proxy import FaultyProxy, Rule
from tests.s3 import MotoServer

LAST = "checkpoints/step-0000060.safetensors"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return album(tmp_path / "photos")


def ran(asked: Recipe) -> list[Word]:
    return list(train(asked))


def finished(words: Sequence[Word]) -> TrainingFinished:
    assert isinstance(words[-1], TrainingFinished)
    return words[-1]


def state_of(asked: Recipe, key: str = LAST) -> dict[str, Tensor]:
    return safetensors.torch.load_file(Path(asked.out, key))


def start(asked: Recipe, folder: Path, *team: object) -> subprocess.Popen[str]:
    paper = folder / f"{Path(asked.out).name}.json"
    paper.write_text(asked.model_dump_json())
    command = [sys.executable, "-m", "tests.actors.training.worker", str(paper), *map(str, team)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_it_learns_and_tells(photos: Path, tmp_path: Path) -> None:
    words = ran(recipe(photos, tmp_path / "out"))
    assert words[0] == TrainingStarted(0, learnt=5, held_out=1)
    steps = [word for word in words if isinstance(word, StepDone)]
    assert [word.step for word in steps] == list(range(1, 61))
    assert steps[-1].losses["red"] < 0.25 * steps[0].losses["red"]
    kept = [word for word in words if isinstance(word, CheckpointSaved)]
    assert [word.step for word in kept] == [20, 40, 60]
    best = min(kept, key=lambda word: word.verdict)
    assert finished(words) == TrainingFinished(str(tmp_path / "out/look"), best.step, best.verdict)


def test_lessons_are_made_while_the_step_before_is_learnt(photos: Path, tmp_path: Path) -> None:
    words = ran(recipe(photos, tmp_path / "out", steps=20, check_every=10, course={"ahead": True}))
    assert finished(words).step in (10, 20)


def test_what_it_leaves(photos: Path, tmp_path: Path) -> None:
    asked = recipe(photos, tmp_path / "out", about="red from the rest")
    words = ran(asked)
    step = finished(words).step
    verdicts = {word.step: word.verdict for word in words if isinstance(word, CheckpointSaved)}
    best = {step, min((20, 40), key=lambda one: verdicts[one])}
    left = {path.relative_to(asked.out).as_posix() for path in Path(asked.out).rglob("*") if path.is_file()}
    steps = [f"step-{n:07d}" for n in (20, 40, 60)]
    assert left == (
        {"training.json", "figures.json", "look/look.json", "look/weights.safetensors"}
        | {f"best/step-{one:07d}/{name}" for one in best for name in ("look.json", "weights.safetensors")}
        | {f"checkpoints/{name}.json" for name in steps}
        | {f"checkpoints/{name}.safetensors" for name in steps[1:]}
        | {f"sheets/{name}.png" for name in steps}
    )
    figures = json.loads(Path(asked.out, "figures.json").read_text())
    assert [one["step"] for one in figures] == [20, 40, 60]
    assert all(one["losses"]["red"] > 0 for one in figures)
    paper = open_package(f"{asked.out}/look").paper
    assert (paper.name, paper.kind, paper.about, paper.licence) == ("tiny", "none", "red from the rest", "CC0-1.0")
    assert paper.training is not None
    assert (paper.training.steps, paper.training.data) == (step, ("photos: 5 pictures, 1 held out; licence not told",))
    assert paper.figures["verdict"] == paper.figures["error"]


def test_the_look_is_that_of_the_best_step(photos: Path, tmp_path: Path) -> None:
    asked = recipe(photos, tmp_path / "out", check_every=5, course={"spoilt_at": 40})
    words = ran(asked)
    kept = [word for word in words if isinstance(word, CheckpointSaved)]
    best = min(kept, key=lambda word: word.verdict)
    assert finished(words).step == best.step == 40
    assert [word.best for word in kept] == [
        word.verdict < min((one.verdict for one in kept[:n]), default=np.inf) for n, word in enumerate(kept)
    ]
    assert open_package(f"{asked.out}/look").paper.figures["error"] == best.figures["error"]


def test_killed_at_random_moments_it_ends_the_same(photos: Path, tmp_path: Path) -> None:
    """SIGKILL, twice, wherever it happens to be; then the same command to the end."""
    undisturbed, killed = (recipe(photos, tmp_path / name, steps=400, check_every=25) for name in ("whole", "killed"))
    ran(undisturbed)
    moments = np.random.default_rng(1926).integers((30, 150), (150, 350))
    for moment in moments:
        with start(killed, tmp_path) as worker:
            assert worker.stdout is not None
            reached = next(step for line in worker.stdout if (step := int(line)) >= moment)
            worker.kill()
        assert worker.returncode == -9
        assert reached < killed.steps
    words = ran(killed)
    assert isinstance(words[0], TrainingStarted)
    assert 0 < words[0].step < 400
    for key in ("checkpoints/step-0000400.safetensors", "look/weights.safetensors", "look/look.json", "figures.json"):
        assert Path(killed.out, key).read_bytes() == Path(undisturbed.out, key).read_bytes(), key


def test_two_workers_learn_what_one_does(photos: Path, tmp_path: Path) -> None:
    alone = recipe(photos, tmp_path / "alone")
    team = recipe(photos, tmp_path / "team", workers={"count": 2})
    ran(alone)
    both = [start(team, tmp_path, rank, 2, tmp_path / "meeting") for rank in range(2)]
    assert [worker.communicate()[0].split()[-1] for worker in both] == ["60", "60"]
    one, two = state_of(alone), state_of(team)
    assert all(torch.allclose(one[name], two[name], atol=1e-5) for name in one)
    start_state = state_of(alone, "checkpoints/step-0000040.safetensors")
    assert not torch.allclose(start_state["0.weight"], two["0.weight"], atol=1e-4)


def test_a_worker_that_sees_another_place_than_the_first_is_refused(photos: Path, tmp_path: Path) -> None:
    """As where `out` is a folder of each machine's own: it would learn from the beginning what the others know."""
    asked = recipe(photos, tmp_path / "out", workers={"count": 2}, steps=20, check_every=10)
    ran(asked)
    elsewhere = checked(asked.model_copy(update={"out": str(tmp_path / "elsewhere")}))
    alone = Checkpoints(elsewhere, gather(elsewhere))
    with pytest.raises(BadSpec, match=r"A worker does not see .*/elsewhere/training\.json, which the first one has"):
        alone.join()
    alone.begin()
    with start(asked, tmp_path, 0, 2, tmp_path / "meeting") as first:
        with start(elsewhere, tmp_path, 1, 2, tmp_path / "meeting") as other:
            said = other.communicate()[1]
        first.kill()
    assert other.returncode  # 1, or -6 where gloo's threads are surprised by the end
    assert f"A worker does not see {elsewhere.out}/checkpoints/step-0000020.safetensors, which the first" in said


def test_workers_share_the_rows_of_a_batch() -> None:
    assert WorkerRank().rows(6) == range(6)
    assert [list(WorkerRank(rank, 3).rows(6)) for rank in range(3)] == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize("damage", ["cut", "torn out", "no paper", "no state"])
def test_a_checkpoint_that_is_not_whole_is_passed_over(photos: Path, tmp_path: Path, damage: str) -> None:
    asked = recipe(photos, tmp_path / "out")
    ran(asked)
    state, paper = Path(asked.out, LAST), Path(asked.out, LAST).with_suffix(".json")
    whole = state.read_bytes()
    if damage == "cut":
        state.write_bytes(whole[: len(whole) // 2])
    elif damage == "torn out":
        paper.write_bytes(paper.read_bytes()[:40])
    else:
        (state if damage == "no state" else paper).unlink()
    words = ran(asked)
    assert isinstance(words[0], TrainingStarted)
    assert words[0].step == 40
    assert state.read_bytes() == whole


def test_the_best_look_outlives_a_last_state_that_is_broken(photos: Path, tmp_path: Path) -> None:
    asked = recipe(photos, tmp_path / "out")
    ran(asked)
    Path(asked.out, LAST).unlink()
    known = Checkpoints(asked, gather(asked))
    assert known.last()[0] == 40
    assert known.best is not None
    assert open_package(f"{asked.out}/best/step-{known.best.step:07d}").file("weights.safetensors").is_file()


def test_what_another_driver_has_made_stays(photos: Path, tmp_path: Path) -> None:
    """One that is further on with the same training."""
    asked = recipe(photos, tmp_path / "out")
    ran(asked)
    ahead = [Path(asked.out, "checkpoints/step-0000090.safetensors"), Path(asked.out, "best/step-0000090/look.json")]
    for path in ahead:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"its own")
    Path(asked.out, LAST).unlink()
    ran(asked)
    assert [path.read_bytes() for path in ahead] == [b"its own"] * 2
    assert Path(asked.out, "checkpoints/step-0000040.safetensors").is_file()


def test_what_is_finished_is_not_trained_again(photos: Path, tmp_path: Path) -> None:
    asked = recipe(photos, tmp_path / "out")
    first = finished(ran(asked))
    Path(asked.out, "look/look.json").unlink()
    assert ran(asked) == [TrainingStarted(60, 5, 1), first]
    assert open_package(first.place).paper.name == "tiny"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"steps": 80}, "another steps"),
        ({"seed": 7, "batch": 8}, "another seed, batch"),
        ({"course": {"rate": 0.1}}, "another course"),
    ],
)
def test_another_recipe_is_refused(photos: Path, tmp_path: Path, changed: dict[str, object], named: str) -> None:
    ran(recipe(photos, tmp_path / "out"))
    with pytest.raises(BadSpec, match=f"{named};"):
        ran(recipe(photos, tmp_path / "out", **changed))


def test_a_recipe_that_its_course_refuses_has_begun_nothing(photos: Path, tmp_path: Path) -> None:
    data = [{"pictures": str(photos), "role": role, "held_out": int(role == "source")} for role in ("source", "target")]
    with pytest.raises(BadInput, match="no held-out pictures of the role 'target'"):
        ran(recipe(photos, tmp_path / "out", kind="unpaired", side=24, data=data))
    assert not list(Path(tmp_path, "out").rglob("*.json"))


def test_what_does_not_change_what_is_learnt_may_change(photos: Path, tmp_path: Path) -> None:
    ran(recipe(photos, tmp_path / "out"))
    moved = photos.rename(tmp_path / "elsewhere")
    words = ran(recipe(moved, tmp_path / "out", about="new words", licence="CC-BY-4.0", check_every=30))
    assert isinstance(words[0], TrainingStarted)
    assert words[0].step == 60


def test_other_pictures_are_refused(photos: Path, tmp_path: Path) -> None:
    ran(recipe(photos, tmp_path / "out"))
    write(photos / "p3.png", photo(99))
    with pytest.raises(BadSpec, match="pictures are not those"):
        ran(recipe(photos, tmp_path / "out"))


@pytest.mark.parametrize(
    ("course", "sentence"),
    [
        ({"broken_at": 45}, r"At step 46 \(learning\) the loss 'red' is nan: the training has diverged"),
        ({"pale": 0.05}, "At step 20 the colours have collapsed"),
    ],
)
def test_a_guard_ends_it_and_the_best_is_kept(
    photos: Path, tmp_path: Path, course: dict[str, object], sentence: str
) -> None:
    asked = recipe(photos, tmp_path / "out", course=course)
    with pytest.raises(TrainingFailed, match=sentence) as failed:
        ran(asked)
    assert Path(asked.out, "best").exists() == ("broken_at" in course)
    if "broken_at" in course:
        place = str(failed.value).partition("The best look so far is kept: ")[2].removesuffix(".")
        assert open_package(place).paper.figures["verdict"] > 0
    assert not Path(asked.out, "look").exists()


def test_each_worker_of_a_team_tells_where_the_best_is_kept(photos: Path, tmp_path: Path) -> None:
    asked = recipe(photos, tmp_path / "out", workers={"count": 2}, course={"broken_at": 25})
    workers = [start(asked, tmp_path, rank, 2, tmp_path / "meeting") for rank in range(2)]
    for worker in workers:
        _, said = worker.communicate()
        assert "At step 26 (learning) the loss 'red' is nan" in said
        assert f"The best look so far is kept: {asked.out}/best/step-0000020." in said


def test_a_store_that_is_down_ends_a_training_that_goes_on(
    photos: Path, s3_server: MotoServer, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FILM_FARM_STORE_PATIENCE", "0.1")
    with FaultyProxy(s3_server, Rule("ExpiredToken", "PUT|POST", "step-0000020")) as proxy:
        for name, value in proxy.env.items():
            monkeypatch.setenv(name, value)
        remote = recipe(photos, f"s3://{s3_bucket}/tiny", steps=20, check_every=10)
        with in_work(), pytest.raises(StoreDown, match="the same command resumes"):
            ran(remote)
        proxy.rules.clear()
        words = ran(remote)
    assert words[0] == TrainingStarted(10, learnt=5, held_out=1)
    assert finished(words).place == f"s3://{s3_bucket}/tiny/look"


def test_a_training_in_a_bucket(photos: Path, tmp_path: Path, s3_bucket: str) -> None:
    places = (tmp_path / "out", f"s3://{s3_bucket}/runs/tiny")
    local, remote = (recipe(photos, place, steps=20) for place in places)
    ran(local)
    assert finished(ran(remote)).place == f"s3://{s3_bucket}/runs/tiny/look"
    assert isinstance(again := ran(remote)[0], TrainingStarted)
    assert again.step == 20
    package = open_package(f"s3://{s3_bucket}/runs/tiny/look")
    assert package.paper == open_package(f"{local.out}/look").paper
