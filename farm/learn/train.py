"""Trains a look with Ray Train, on anything from one CPU to many GPUs.

On CPUs, with a fixed seed, an interrupted training ends with the same weights as one that was not interrupted.

Ray Train places the workers, joins them (gloo on processors, NCCL on GPUs) and begins them again after a loss; each then
takes up the last whole checkpoint in the recipe's `out`. What the first worker tells comes here through a queue.
"""

import math
import os
import tempfile
import time
import traceback
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any

# Ray Train reads these where it is used. Its workers need no folder of their own, nor its metrics, which are ours.
os.environ.setdefault("RAY_CHDIR_TO_TRIAL_DIR", "0")
os.environ.setdefault("RAY_TRAIN_METRICS_ENABLED", "0")
os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.5")
os.environ.setdefault("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", "300")  # a busy machine is slow, not wrong

from farm.fleet.fleet import Fleet  # before Ray itself, for the modes it sets

# isort: split
import ray.train
from ray.exceptions import RayError, RayTaskError
from ray.train import FailureConfig, RunConfig, ScalingConfig, UserCallback
from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer
from ray.train.v2.api.exceptions import WorkerGroupError
from ray.util.queue import Empty, Queue
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.training.registry import checked
from farm.cluster.terminal import leave_terminal
from farm.fleet.calls import Cluster
from farm.fleet.vantage import TRAINER, DriverView
from farm.fleet.worker_actor import charged, prove
from farm.learn.torch_backend import TorchInWorkers
from farm.progress.lease_control import lease_on_training
from farm.progress.metrics_server import MetricsServer
from farm.progress.training_console import TrainingConsole, TrainingProgress
from farm.progress.training_metrics import TrainingMetrics
from farm.specs.place_policy import confine_recipe
from jobs.errors import BadSpec, FarmError, NodeFault, StoreFault, TrainingFailed
from jobs.ledger.lease import SYSTEM, Lease
from jobs.records.training import StepDone, TrainingFinished, Word
from jobs.spec.training_recipe import Recipe
from jobs.store import open_store
from jobs.store.retry import in_work

TELL_SECONDS = 0.2
"""Between two steps that are told of."""
LISTEN_SECONDS = 0.5
"""Longest wait for a word before the clock and the trainer are looked at again."""


class WorkerLosses(str):
    """Why workers were lost, in few words."""


Message = Word | WorkerLosses | FarmError


def train_look(
    recipe: Recipe, *, address: str | None = None, metrics_port: int = 0, take_over: bool = False
) -> TrainingFinished:
    """Train by a recipe with everything around it: metrics served, progress shown. Safe to run again: it goes on.

    Raises BadInput, JobHeld where somebody else trains there (unless it is to `take_over`), TrainingFailed where a guard
    ended it or too many workers were lost; Stopped where it was asked to stop, or taken over.
    """
    with confine_recipe(recipe, address):
        return _trained(checked(recipe), address, metrics_port, take_over)


def _trained(recipe: Recipe, address: str | None, metrics_port: int, take_over: bool) -> TrainingFinished:
    out = open_store(recipe.out)
    out.check()
    workers = math.ceil(recipe.workers.count * recipe.workers.cpus)
    progress = TrainingProgress(recipe)
    with (
        lease_on_training(out, take_over=take_over) as lease,
        MetricsServer(TrainingMetrics(progress)) as metrics,
        TrainingConsole(progress) as console,
    ):
        console.note(metrics.serve_wished(metrics_port))
        # Ray Train's processes may still write their notes while they end.
        notes = tempfile.TemporaryDirectory(prefix="farm-train-", ignore_cleanup_errors=True)
        vantage = DriverView.of_training(recipe)
        with notes as folder, Fleet(address, workers=workers, vantage=vantage) as fleet:
            told = {"recipe": recipe.model_dump(mode="json"), "places": vantage.of(TRAINER)}
            with closing(_messages(recipe, told, fleet, folder)) as messages:
                try:
                    return _finished(messages, console, lease)
                except NodeFault as fault:
                    raise vantage.judged(fault) from None


@in_work()  # the lease is renewed in the store all the while
def _finished(messages: Iterator[Message | None], console: TrainingConsole, lease: Lease) -> TrainingFinished:
    finished: TrainingFinished | None = None
    for message in messages:
        console.tick()
        lease.tick()
        if message is None:
            continue
        if isinstance(message, FarmError):
            raise message
        if isinstance(message, WorkerLosses):
            console.lost(message)
            continue
        console.hear(message)
        if isinstance(message, TrainingFinished):
            finished = message
    if finished is None:
        raise TrainingFailed("The training ended without a look; the same command resumes at the last checkpoint.")
    return finished


def scaling_of(recipe: Recipe, cluster: Cluster) -> ScalingConfig:
    """What the recipe's workers are to have. Raises BadSpec for workers that this machine can never place; a cluster may grow."""
    wish = recipe.workers
    gpus = (1.0 if cluster.most_gpus else 0.0) if wish.gpus is None else wish.gpus
    for what, each, there in (("GPUs", gpus, cluster.gpus), ("processors", wish.cpus, cluster.cpus)):
        if cluster.local and wish.count * each > there:
            raise BadSpec(
                f"workers: {wish.count} of {each:g} {what} each do not fit this machine, which has {there:g}; ask for fewer, "
                "or give --address of a cluster."
            )
    resources = {"CPU": wish.cpus} | ({"GPU": gpus} if gpus else {})
    return ScalingConfig(num_workers=wish.count, use_gpu=bool(gpus), resources_per_worker=resources)


def _messages(recipe: Recipe, told: dict[str, Any], fleet: Fleet, folder: str) -> Generator[Message | None, None, None]:
    """What workers, who are `told` so much, tell until all have ended; None where they are silent. Ends with the error where Ray Train gives up.

    Closed before that, it ends them all. Raises BadSpec for workers that can never be placed, FilmFailed where Ray's head is lost.
    """
    scaling = scaling_of(recipe, fleet.cluster)
    # Beside this process, where no spot node takes them along.
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    queue = Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})
    fitting = _fit.options(scheduling_strategy=here).remote(recipe, told, scaling, folder, queue)
    try:
        while True:
            fleet.check()
            over = bool(ray.wait([fitting], timeout=0)[0])
            try:
                yield queue.get(timeout=0 if over else LISTEN_SECONDS)
            except (Empty, RayError) as silent:
                if over:
                    break
                if isinstance(silent, RayError):  # a lost queue fails all who put something there: Ray Train soon tells
                    SYSTEM.wait(LISTEN_SECONDS)
                yield None
    finally:
        ray.cancel(fitting, force=True)
    if error := _failure(fitting):
        if isinstance(error, RayError):
            fleet.ask_head()
        what = (
            "workers were lost too often (workers.losses)"
            if isinstance(error, WorkerGroupError)
            else "Ray Train failed"
        )
        yield TrainingFailed(
            f"{recipe.name}: {what}: {_reason(error)}. Checkpoints are kept; the same command resumes."
        )


@ray.remote(num_cpus=0, max_retries=0)
def _fit(recipe: Recipe, told: dict[str, Any], scaling: ScalingConfig, folder: str, queue: Queue) -> None:
    """Let Ray Train work, in a process of its own: what it begins ends with that.

    In the driver's main thread it would take Ctrl-C for itself. In another thread it would still wait for its workers when the
    driver leaves Ray, and Ray then reads memory that it has freed: the process ends with a segmentation fault.
    """
    leave_terminal()
    DataParallelTrainer(
        _work,
        train_loop_config={**told, "queue": queue},
        backend_config=TorchInWorkers(),
        scaling_config=scaling,
        run_config=RunConfig(
            name=recipe.name,
            storage_path=folder,  # of Ray Train's own notes; checkpoints are not among them
            failure_config=FailureConfig(max_failures=recipe.workers.losses),
            callbacks=[_Losses(queue)],  # type: ignore[list-item]  # Ray Train V2 is typed as V1 here
        ),
    ).fit()


def _failure(fitting: ray.ObjectRef[None]) -> BaseException | None:
    """What Ray Train ended with, where it did not go well."""
    try:
        ray.get(fitting)
    except RayTaskError as error:
        cause: BaseException = error.cause
        return cause
    except RayError as error:
        return error
    return None


class _Losses(UserCallback):
    """Tells of lost workers; Ray Train calls it in its own process."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def after_exception(self, run_context: Any, worker_exceptions: dict[int, Exception]) -> None:
        # Where one is lost, its neighbours fail in their next exchange: the shortest word is the cause's.
        self._queue.put(WorkerLosses(min((_reason(error) for error in worker_exceptions.values()), key=len)))


def _work(told: dict[str, Any]) -> None:
    """One worker, from its start to the end of the training."""
    leave_terminal()

    from ray.train.torch import get_device  # with torch, which the driver does not load

    from actors.training.course import WorkerRank
    from actors.training.run import at_work, train

    recipe, queue, places = Recipe.model_validate(told["recipe"]), told["queue"], told["places"]
    place = ray.train.get_context()
    team, device = WorkerRank(place.get_world_rank(), place.get_world_size()), get_device()
    alone = team.size == 1 and device.type == "cpu"
    try:
        with in_work(), charged(places):
            prove(places)
            at_work(device, math.ceil(recipe.workers.cpus))
            _tell(train(recipe, team, device), queue, team.rank)
    except StoreFault:
        raise  # Ray Train begins again
    except FarmError as error:
        if isinstance(error, NodeFault) and not error.unseen and not alone:
            raise  # so is one machine's disk or GPU
        queue.put(error)
    except Exception as error:
        if isinstance(error, RuntimeError) and not alone:
            raise  # a neighbour is lost, or a GPU: it begins again too
        queue.put(TrainingFailed(f"{recipe.name}: {type(error).__name__}: {error}; {_where(error)}"))


def _tell(words: Iterator[Word], queue: Queue, rank: int) -> None:
    told = float("-inf")
    for word in words:
        now = time.monotonic()
        if rank == 0 and (not isinstance(word, StepDone) or now - told >= TELL_SECONDS):
            # Only a step makes the next one wait: the first after a checkpoint is told, however soon it comes.
            told = now if isinstance(word, StepDone) else float("-inf")
            queue.put(word)


def _where(error: Exception) -> str:
    """The line that raised an error nobody foresaw."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}, line {last.lineno}"


def _reason(error: BaseException) -> str:
    """Why workers were lost, in few words: Ray's own run over pages."""
    if isinstance(error, WorkerGroupError):
        return min(map(_reason, error.worker_failures.values()), key=len)
    error = getattr(error, "health_check_failure", error)  # Ray Train's own word for a process that ended
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or ['no message'])[0][:200]}"
