"""The training console in both its manners, with a clock that the test turns."""

import io

import pytest

from farm.progress.metrics_server import MetricsServer
from farm.progress.plain_console import PlainConsole
from farm.progress.training_console import TrainingConsole, TrainingProgress
from farm.progress.training_metrics import TrainingMetrics
from jobs.records.training import CheckpointSaved, StepDone, TrainingFinished, TrainingStarted
from jobs.spec.training_recipe import Recipe

RECIPE = Recipe.model_validate(
    {
        "name": "warm",
        "kind": "colorize",
        "out": "out",
        "licence": "MIT",
        "data": [{"pictures": "photos"}],
        "steps": 1000,
        "batch": 8,
    }
)


class Desk:
    """A console, what it says, its numbers, and its clock."""

    def __init__(self, *, terminal: bool = False) -> None:
        self.now = 1000.0
        self.paper = io.StringIO()
        self.progress = TrainingProgress(RECIPE, clock=lambda: self.now)
        self.metrics = MetricsServer(TrainingMetrics(self.progress))
        console = PlainConsole(file=self.paper, terminal=terminal, width=200)
        self.console = TrainingConsole(self.progress, console=console)

    @property
    def lines(self) -> list[str]:
        return self.paper.getvalue().splitlines()

    def sample(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"film_farm_training_{name}", {"job": "warm", **labels})

    def learn(self, step: int, seconds: float = 1.0) -> None:
        self.now += seconds
        self.console.hear(StepDone(step, "learning", {"pixels": 0.5, "deep": 0.25}))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_training_in_sentences(desk: Desk) -> None:
    desk.console.hear(TrainingStarted(0, 5000, 65))
    for step in range(10, 101, 10):
        desk.learn(step)
    desk.console.hear(CheckpointSaved(100, {"dE00": 11.5, "CF": 20}, 11.5, best=True))
    desk.learn(110, 5)
    desk.console.hear(CheckpointSaved(200, {"dE00": 11.75, "CF": 22}, 11.75, best=False))
    desk.console.hear(TrainingFinished("out/look", 100, 11.5))
    assert desk.lines == [
        "5,000 pictures to learn from, 65 held out",
        "learning: 50 of 1,000 steps (5 %), 80.0 pictures/s, 95 s left, pixels 0.5, deep 0.25".replace("95 s", "2 min"),
        "learning: 100 of 1,000 steps (10 %), 80.0 pictures/s, 2 min left, pixels 0.5, deep 0.25",
        "checkpoint 100: verdict 11.5, the best so far; dE00 11.5, CF 20",
        "learning: 110 of 1,000 steps (11 %), 58.7 pictures/s, 2 min left, pixels 0.5, deep 0.25, verdict 11.5",
        "checkpoint 200: verdict 11.75; dE00 11.75, CF 22",
        "made out/look, of step 100 (verdict 11.5)",
    ]


def test_steps_of_an_earlier_run_are_not_part_of_the_pace(desk: Desk) -> None:
    desk.console.hear(TrainingStarted(500, 5000, 65))
    desk.learn(510)
    assert desk.progress.rate() == 80
    assert desk.progress.seconds_left() == 49
    assert desk.lines == ["5,000 pictures to learn from, 65 held out, going on after step 500"]


def test_lost_workers_begin_again(desk: Desk) -> None:
    desk.console.hear(TrainingStarted(0, 10, 1))
    desk.learn(300)
    desk.console.lost("ActorDiedError: killed")
    desk.now += 60
    desk.console.tick()
    desk.console.hear(TrainingStarted(200, 10, 1))
    desk.learn(210)
    assert desk.progress.rate() == 80
    assert desk.lines[1:3] == [
        "a worker is lost (ActorDiedError: killed); all begin again from the last checkpoint",
        "starting: 300 of 1,000 steps (30 %), 39.3 pictures/s, 2 min left, pixels 0.5, deep 0.25",
    ]
    assert desk.sample("restarts_total") == 1


def test_a_bar_on_a_terminal() -> None:
    desk = Desk(terminal=True)
    with desk.console:
        desk.console.hear(TrainingStarted(0, 10, 1))
        desk.learn(250)
    assert "250/1,000, 2000 pictures/s, 3 s left, pixels 0.5" in desk.paper.getvalue()


def test_prometheus_hears_it_all(desk: Desk) -> None:
    assert (desk.sample("steps"), desk.sample("step"), desk.sample("restarts_total")) == (1000, 0, 0)
    desk.console.hear(TrainingStarted(100, 10, 1))
    assert desk.sample("step") == 100
    desk.learn(110)
    desk.console.hear(CheckpointSaved(110, {"dE00": 11.5}, 11.5, best=True))
    desk.console.hear(CheckpointSaved(120, {"dE00": 11.75}, 11.75, best=False))
    assert (desk.sample("step"), desk.sample("pictures_per_second")) == (110, 80)
    assert (desk.sample("loss", loss="pixels"), desk.sample("loss", loss="deep")) == (0.5, 0.25)
    assert desk.sample("figure", figure="dE00") == 11.75
    assert (desk.sample("verdict"), desk.sample("best_verdict")) == (11.75, 11.5)
