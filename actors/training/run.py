"""The training loop: step after step, checkpoints on the way, a look at the end.

The same recipe gives the same weights however often it is interrupted.
"""

from collections import Counter
from collections.abc import Generator as Yields
from collections.abc import Iterator

import torch

from actors.picture.device import settled
from actors.picture.prefetch import Prefetch
from actors.training.checkpoints import Checkpoints
from actors.training.course import Course, Lesson, WorkerRank
from actors.training.dataset.pictures import gather
from actors.training.guards import TrainingGuards
from actors.training.readings import Readings, steps_between
from actors.training.registry import checked, find, settings_of
from jobs.errors import TrainingFailed
from jobs.records.training import CheckpointSaved, StepDone, TrainingFinished, TrainingStarted, Word
from jobs.spec.training_recipe import Recipe

CPU = torch.device("cpu")

LESSONS_AHEAD = 2
"""Lessons that lie ready at most: one to begin with at once, one for when the next is late."""


def at_work(device: torch.device, threads: int) -> None:
    """Set this process up for training: repeatable kernels, its own GPU, so many threads."""
    settled(device.type == "cuda", trains=True)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    torch.set_num_threads(threads)


def train(recipe: Recipe, team: WorkerRank = WorkerRank(), device: torch.device = CPU) -> Iterator[Word]:  # noqa: B008  a named tuple
    """Train as this worker of the team, from the last whole checkpoint on, and tell of each step.

    Every worker takes up the same checkpoint; the first one alone measures and writes. Raises BadInput before the first
    step, TrainingFailed where a guard ends it.
    """
    recipe = checked(recipe)
    gathered = gather(recipe)
    checkpoints = Checkpoints(recipe, gathered)
    if team.rank == 0:
        checkpoints.store.check()
    course = find(recipe.kind)(recipe, settings_of(recipe), gathered.library, team, device)
    if team.rank == 0:
        checkpoints.begin()  # not before the course has taken the recipe: one that is refused has begun nothing
    step = _taken_up(checkpoints, course, team, device)
    shelves = gathered.library.values()
    yield TrainingStarted(step, sum(len(one.learnt) for one in shelves), sum(len(one.held_out) for one in shelves))
    try:
        yield from _learn(recipe, course, checkpoints, step, team, device)
    except TrainingFailed as failed:
        if team.rank:
            checkpoints.catch_up()
        kept = f"The best look so far is kept: {checkpoints.best_look}." if checkpoints.best else ""
        raise TrainingFailed(f"{failed} {kept}".strip()) from None
    if team.rank == 0:
        package, best = checkpoints.finish()
        yield TrainingFinished(package.place, best.step, best.verdict)


def _taken_up(checkpoints: Checkpoints, course: Course, team: WorkerRank, device: torch.device) -> int:
    """The step to go on from, restored. The first worker's word goes: a checkpoint may appear while others look."""
    step, state = checkpoints.last() if team.rank == 0 else (0, {})
    if team.size > 1:
        said = torch.tensor([step], device=device)
        torch.distributed.broadcast(said, 0)
        step = int(said.item())
        if team.rank:
            checkpoints.join()
            state = checkpoints.at(step)
    if state:
        course.restore(state)
    return step


def _learn(
    recipe: Recipe, course: Course, checkpoints: Checkpoints, start: int, team: WorkerRank, device: torch.device
) -> Iterator[Word]:
    guards, readings = TrainingGuards(recipe.steps), Readings(steps_between(device))
    sums: Counter[str] = Counter()
    since = start
    coming = _lessons(course, range(start, recipe.steps), device, torch.get_num_threads())
    with Prefetch(coming, LESSONS_AHEAD) as lessons:
        for step, lesson in enumerate(lessons, start):
            readings.add(step + 1, course.phase(step), course.learn(step, lesson))
            checked = (step + 1) % recipe.check_every == 0 or step + 1 == recipe.steps
            # Before a checkpoint always: what has diverged is never kept.
            for one in readings.read() if checked or readings.due else ():
                guards.after_step(one.step, one.phase, one.said)
                sums.update(one.said.losses)
                yield StepDone(one.step, one.phase, one.said.losses)
            if checked and team.rank == 0:
                means = {name: total / (step + 1 - since) for name, total in sums.items()}
                yield _checked(course, checkpoints, guards, step + 1, means)
            if checked:
                sums, since = Counter(), step + 1


def _lessons(course: Course, steps: range, device: torch.device, threads: int) -> "Yields[Lesson, None, None]":
    """What each of the steps learns from, drawn and worn in the thread that asks, while the step before is learnt."""
    torch.set_num_threads(threads)  # a new thread would take as many as there are cores
    for step in steps:
        lesson = course.lesson(step)
        # From pinned memory a copy to the GPU goes on beside its work.
        yield tuple(one.pin_memory() for one in lesson) if device.type == "cuda" else lesson


def _checked(
    course: Course, checkpoints: Checkpoints, guards: TrainingGuards, step: int, losses: dict[str, float]
) -> CheckpointSaved:
    found = course.examine()
    guards.after_check(step, found)
    made = checkpoints.keep(step, course, found, losses)
    return CheckpointSaved(step, made.figures, made.verdict, checkpoints.best == made)
