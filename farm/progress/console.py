"""The board: shows people how a film is getting on, and keeps its metrics. Promises a bar on a terminal and plain sentences elsewhere; decides nothing.

All of it goes to standard error: standard output belongs to the command's own answer.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Literal, Self

from rich.console import Console

from farm.fleet.calls import PoolSize, PoolSpec
from farm.fleet.fair_share import Quota
from farm.progress.bar import ProgressBar
from farm.progress.metrics import FilmMetrics
from farm.progress.pace import FramesPerSecond
from jobs.film.source import Film
from jobs.ledger.usage import MeasuredThroughput
from jobs.plan.plan import Plan
from jobs.records.orders import DeviceUsage
from jobs.store.traffic import Traffic

State = Literal["waiting", "split", "rendering", "done"]
"""What has become of a chunk."""
STATES: tuple[State, ...] = ("waiting", "split", "rendering", "done")

LINE_SECONDS = 5.0
"""Between two lines of prose."""
REFRESH_SECONDS = 0.2
"""Between two pictures of the bar."""


class ProgressConsole:
    """One film's progress; a context manager, and the fleet's watcher."""

    def __init__(
        self,
        *,
        metrics: FilmMetrics | None = None,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.metrics = metrics
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._clock = clock
        self._bar = ProgressBar(self.console, "survey")
        self._stage, self._stage_since = "", clock()
        self._shown_at = float("-inf")
        self._tempo = FramesPerSecond(clock())
        self._workers: dict[str, PoolSize] = {}
        self._share = ""
        self.frames = self.shots = self.done_frames = self.resumed_frames = self.retries = self.lost_workers = 0
        self.chunks_rendered = 0
        """By this run; one that is made again, because it was damaged, counts again."""
        self.chunks_printed = 0
        """Chunks whose lacking segments this run has struck from those of other deliverables."""
        self.spent = ""
        """What the job has cost so far, for people."""
        self.expected_frames = 0
        """By the source's header; the plan's own count where the survey has passed it or is over."""
        self.chunks: dict[int, State] = {}
        self._by_state: Counter[State] = Counter()
        self._planned_chunks = 0

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close_stage()
        self._bar.__exit__(kind, error, at)

    # what the driver tells

    def film(self, film: Film, look: str = "") -> None:
        """The source has been opened."""
        self.expected_frames = round(film.seconds * film.picture.rate)
        if self.metrics:
            self.metrics.describe(film.source, look)
        picture = film.picture
        about = f", about {self.expected_frames:,} frames" if self.expected_frames else ""
        code = f", from time code {film.timecode}" if film.timecode else ""
        what = f"{picture.codec} {picture.width}x{picture.height}, {float(picture.rate):.6g} frames/s"
        self.note(f"{film.source}: {what}{about}{code}")

    def begin_again(self, sentence: str) -> None:
        """The film begins again from what is on paper, and why: what is done is counted anew."""
        self.done_frames = self.resumed_frames = self._planned_chunks = 0
        self.note(sentence)

    def planned(self, plan: Plan, *, whole: bool = False) -> None:
        """The plan has grown; `whole`: it holds the whole film."""
        self.frames, self.shots = plan.frames, plan.shot_count
        for chunk in plan.chunks[self._planned_chunks :]:
            self._put(chunk.number, self.chunks.get(chunk.number, "waiting"))
        self._planned_chunks = len(plan.chunks)
        if whole:
            self.expected_frames = 0
        if self.metrics:
            self.metrics.planned(self.frames, self.shots)
        self._tell_chunks()

    def resumed(self, frames: int, chunks: Iterable[int] = ()) -> None:
        """Frames and chunks that an earlier run has finished: they are done, and not part of the pace."""
        self.done_frames += frames
        self.resumed_frames += frames
        for number in chunks:
            self._put(number, "done")
        if self.metrics:
            self.metrics.done(frames, by_this_run=False)
        self._tell_chunks()

    def rendered(self, frames: int) -> None:
        """Some more frames are rendered."""
        self.done_frames += frames
        self._tempo.add(frames, self._clock())
        if self.metrics:
            self.metrics.done(frames)
        self.tick()

    def worked(self, word: DeviceUsage, pace: MeasuredThroughput | None = None) -> None:
        """A renderer's generator has worked, and waited, some more; `pace`: what was rendered by it."""
        if self.metrics:
            self.metrics.worked(word, pace)

    def dissolved(self, frame: int, apart: float) -> None:
        """The seam before a frame is dissolved, and how far its two renderings lie apart."""
        if self.metrics:
            self.metrics.dissolved(frame, apart)

    def chunk(self, number: int, state: State, *, printed: bool = False) -> None:
        """A chunk has come a step further, or back. `printed`: from the segments of another deliverable."""
        self._put(number, state)
        if state == "rendering":
            self._tempo.begin(self._clock())
        self.chunks_rendered += state == "done" and not printed
        self.chunks_printed += state == "done" and printed
        self._tell_chunks()

    def quarantined(self, chunks: int, frames: int, sentence: str) -> None:
        """One more chunk is set aside: how many are, and in how many frames of the film something stands in for the look."""
        if self.metrics:
            self.metrics.quarantined(chunks, frames)
        self.note(sentence)

    def stage(self, name: str) -> None:
        """What the film is at now: survey, render, stitch, inspect."""
        if name != self._stage:
            self._close_stage()
            self._stage, self._stage_since = name, self._clock()
            self._show()

    def note(self, sentence: str) -> None:
        """A sentence for people, at once."""
        self.console.print(sentence, markup=False)

    def finished(self, sentence: str) -> None:
        """The last word on the film."""
        self._close_stage()
        self._show()
        self.note(sentence)

    # what the fleet tells

    def staffed(self, crew: PoolSpec, staff: PoolSize) -> None:
        """Workers of one crew: how many can work, load, or wait for a place."""
        self._workers[crew.name] = staff
        if self.metrics:
            self.metrics.workers(crew.name, staff)

    def retried(self, crew: str, what: str, error: BaseException, tries: int) -> None:
        """A call has raised an error and is made again."""
        self.retries += 1
        if self.metrics:
            self.metrics.retried(crew, "error")
        first = (str(error).strip().splitlines() or ["no message"])[0]
        self.note(f"{what}: {type(error).__name__}: {first} (error {tries}); trying again")

    def lost(self, crew: str, what: str, reason: str, free: bool) -> None:
        """A worker is gone, and what it was at is made again."""
        self.lost_workers += 1
        if self.metrics:
            self.metrics.retried(crew, "preemption" if free else "loss")
        self.note(f"{what}: its {crew} {'was preempted' if free else f'is lost ({reason})'}; another one takes over")

    def faulted(self, crew: str, what: str, fault: str, left_alone: bool) -> None:
        """A worker's machine is at fault, and what it was at is made elsewhere."""
        self.retries += 1
        if self.metrics:
            self.metrics.retried(crew, "node")
        left = "; the node is left alone for this film" if left_alone else ""
        self.note(f"{what}: {fault}{left}; another {crew} takes over")

    def moved(self, traffic: Traffic) -> None:
        """Bytes have passed the job's stores."""
        if self.metrics:
            self.metrics.moved(traffic)

    def shared(self, allowance: Quota) -> None:
        """Other films on the cluster leave this one more renderers, or fewer."""
        held, self._share = bool(self._share), allowance.says
        if self._share and not held:
            self.note(self._share)

    def tick(self) -> None:
        """Time passes: shows what has changed, not too often."""
        if self.metrics:
            self.metrics.eta(self.seconds_left())
        if self._clock() - self._shown_at >= (REFRESH_SECONDS if self._bar else LINE_SECONDS):
            self._show()

    @property
    def renderers_ready(self) -> int:
        """How many can work now."""
        return self._workers["renderer"].ready if "renderer" in self._workers else 0

    # what is shown

    @property
    def total_frames(self) -> int:
        """The film's frames, as well as is known: by the plan, or by the header while the survey runs."""
        return max(self.frames, self.expected_frames)

    def rate(self) -> float | None:
        """Frames a second of this run, over the last minute; None before the first."""
        return self._tempo.rate(self._clock())

    def seconds_left(self) -> float | None:
        """Until the last frame is rendered, at this pace; None where nothing is known."""
        rate = self.rate()
        return max(0, self.total_frames - self.done_frames) / rate if rate and self.total_frames else None

    @property
    def progress(self) -> str:
        """What the film is at, and how it is getting on, in one line."""
        return f"{self._stage or 'begin'}: {self.sentence()}"

    def sentence(self) -> str:
        """How the film is getting on, in one line."""
        total, done = self.total_frames, self.done_frames
        percent = f" ({min(100, 100 * done // total)} %)" if total else ""
        about = "about " if self.expected_frames > self.frames else ""
        parts = [f"{done:,} of {about}{total:,} frames{percent}" if total else "counting frames"]
        rate, left = self.rate(), self.seconds_left()
        if rate is not None:
            parts.append(f"{rate:.1f} frames/s")
        if left:
            parts.append(f"{duration(left)} left")
        if self.spent:
            parts.append(self.spent)
        if self.shots:
            parts.append(f"{self.shots:,} shot{'s' * (self.shots != 1)}")
        if self.chunks:
            parts.append("chunks " + " ".join(f"{self._by_state[state]:,} {state}" for state in STATES))
        if starting := sum(staff.warming + staff.pending for staff in self._workers.values()):
            parts.append(f"{starting} worker{'s' * (starting != 1)} starting")
        parts += [self._share] if self._share else []
        if again := self.retries + self.lost_workers:
            parts.append(f"{again} {'retry' if again == 1 else 'retries'}")
        return ", ".join(parts)

    def brief(self) -> str:
        """The same beside a bar, short enough for a terminal of 80 columns."""
        rate, left = self.rate(), self.seconds_left()
        parts = [f"{self.done_frames:,}/{self.total_frames:,}"]
        parts += [f"{rate:.1f} frames/s"] if rate is not None else []
        parts += [f"{duration(left)} left"] if left else []
        parts += [f"chunks {self._by_state['done']:,}/{len(self.chunks):,}"] if self.chunks else []
        again = self.retries + self.lost_workers
        return ", ".join(parts + ([f"{again} retried"] if again else []))

    def _show(self) -> None:
        self._shown_at = self._clock()
        if self._bar:
            total = self.total_frames or None
            done = min(self.done_frames, total or 0)
            self._bar.show(self._stage, self.brief(), done=done, total=total)
        else:
            self.console.print(self.progress, markup=False)

    def _put(self, number: int, state: State) -> None:
        if number in self.chunks:
            self._by_state[self.chunks[number]] -= 1
        self.chunks[number] = state
        self._by_state[state] += 1

    def _tell_chunks(self) -> None:
        if self.metrics:
            self.metrics.chunks({state: self._by_state[state] for state in STATES})
        self.tick()

    def _close_stage(self) -> None:
        if self._stage and self.metrics:
            self.metrics.stage(self._stage, self._clock() - self._stage_since)
        self._stage_since = self._clock()


def duration(seconds: float) -> str:
    """A length of time for people: "40 s", "12 min", "3 h 05 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
