"""Training metrics: a training's progress for Prometheus, served by its driver. Promises exact, immediate numbers; knows no Ray and starts no work.

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

from farm.progress.metrics_server import MetricsServer
from jobs.records.training import CheckpointSaved, StepDone


class TrainingMetrics(MetricsServer):
    """One training's numbers."""

    def __init__(self, job: str, steps: int) -> None:
        super().__init__(job)
        self._steps = self._gauge("training_steps", "Steps of the whole training.")
        self._steps.labels(job).set(steps)
        self._step = self._gauge("training_step", "Steps done, those of earlier runs included.")
        self._step.labels(job)
        self._pace = self._gauge("training_pictures_per_second", "Crops learnt from, over the last minute.")
        self._losses = self._gauge("training_loss", "Each loss of the last step told.", "loss")
        self._figures = self._gauge("training_figure", "Each held-out figure of the last checkpoint.", "figure")
        self._verdict = self._gauge("training_verdict", "Of the last checkpoint: lower is better.")
        self._best = self._gauge("training_best_verdict", "Of the best checkpoint of this run.")
        self._restarts = self._counter("training_restarts", "Times that workers were lost and began again.")
        self._restarts.labels(job)

    def began(self, step: int) -> None:
        """Workers go on after so many steps."""
        self._step.labels(self.job).set(step)

    def learnt(self, word: StepDone, pictures_per_second: float | None) -> None:
        """A step is done."""
        self._step.labels(self.job).set(word.step)
        for name, value in word.losses.items():
            self._losses.labels(self.job, name).set(value)
        if pictures_per_second is not None:
            self._pace.labels(self.job).set(pictures_per_second)
        self._progress.labels(self.job).set_to_current_time()

    def kept(self, word: CheckpointSaved) -> None:
        """A checkpoint is kept."""
        for name, value in word.figures.items():
            self._figures.labels(self.job, name).set(value)
        self._verdict.labels(self.job).set(word.verdict)
        if word.best:
            self._best.labels(self.job).set(word.verdict)

    def restarted(self) -> None:
        """Workers were lost."""
        self._restarts.labels(self.job).inc()
