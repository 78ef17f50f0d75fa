"""Prometheus metrics of one training, read from its progress at each scrape.

The label `job` is the look's name:

    film_farm_training_steps                 steps of the whole training
    film_farm_training_step                  steps done, those of earlier runs included
    film_farm_training_pictures_per_second   crops learnt from, over the last minute
    film_farm_training_loss{loss}            each loss of the last step told, the first worker's
    film_farm_training_figure{figure}        each held-out figure of the last checkpoint
    film_farm_training_verdict               of the last checkpoint: lower is better
    film_farm_training_best_verdict          of the best checkpoint of this run
    film_farm_training_restarts_total        times that workers were lost, and began again from a checkpoint
    film_farm_last_progress_timestamp_seconds    Unix time of the last step, or of the start
"""

from collections.abc import Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from farm.progress.metrics_server import Families
from farm.progress.training_console import TrainingProgress


class TrainingMetrics(Collector):
    """A collector of one training's progress."""

    def __init__(self, progress: TrainingProgress) -> None:
        self._progress = progress
        self._families = Families(progress.recipe.name, progress.began)

    def collect(self) -> Iterator[Metric]:
        progress, last, gauge = self._progress, self._progress.last, self._families.gauge
        yield gauge("last_progress_timestamp_seconds", "Unix time of the last progress.", progress.last_progress)
        yield gauge("training_steps", "Steps of the whole training.", progress.recipe.steps)
        yield gauge("training_step", "Steps done, those of earlier runs included.", progress.step)
        rate = progress.pictures_per_second
        yield gauge("training_pictures_per_second", "Crops learnt from, over the last minute.", rate)
        yield gauge("training_loss", "Each loss of the last step told.", progress.losses.items(), "loss")
        figures = last.figures.items() if last else ()
        yield gauge("training_figure", "Each held-out figure of the last checkpoint.", figures, "figure")
        verdict = last.verdict if last else None
        yield gauge("training_verdict", "Of the last checkpoint: lower is better.", verdict)
        yield gauge("training_best_verdict", "Of the best checkpoint of this run.", progress.best_verdict)
        restarts = "Times that workers were lost and began again."
        yield self._families.counter("training_restarts", restarts, progress.restarts)
