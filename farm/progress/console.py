"""Shows a film's progress: a bar on a terminal, plain sentences elsewhere, and the same in the job's log.

All of it goes to standard error: standard output belongs to the command's own answer.
"""

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Literal, Self

from farm.fleet.calls import PoolSize, PoolSpec
from farm.fleet.fair_share import Quota
from farm.progress.plain_console import PlainConsole, ProgressBar
from farm.progress.progress import STATUSES, ChunkStatus, Progress
from jobs.errors import number_of
from jobs.film.source import Film
from jobs.ledger.driver_log import DriverLog
from jobs.ledger.usage import MeasuredThroughput
from jobs.plan.plan import Plan
from jobs.records.orders import DeviceUsage
from jobs.records.quality import FilmQuality
from jobs.store.traffic import Traffic

LINE_SECONDS = 5.0
"""Between two lines of prose."""
REFRESH_SECONDS = 0.2
"""Between two pictures of the bar."""


class ProgressConsole:
    """Whom the driver and the fleet tell of one film: counts it in its progress and shows that. A context manager."""

    def __init__(
        self,
        progress: Progress | None = None,
        *,
        console: PlainConsole | None = None,
        log: DriverLog | None = None,
        each_tick: Sequence[Callable[[], None]] = (),
    ) -> None:
        """`log`: closed by its owner. `each_tick`: called at each tick of the fleet, which what they raise ends."""
        self.progress = progress or Progress()
        self.console = console or PlainConsole()
        self._log, self._each_tick = log, each_tick
        self._bar = ProgressBar(self.console, "start")
        self._shown_at = float("-inf")
        self._logged = ""

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.progress.close_stage()
        self._bar.__exit__(kind, error, at)

    # what the driver tells

    def film(self, film: Film, look: str = "") -> None:
        """The source has been opened."""
        self.progress.opened(film, look)
        picture, expected = film.picture, self.progress.expected_frames
        about = f", about {expected:,} frames" if expected else ""
        code = f", from time code {film.timecode}" if film.timecode else ""
        what = f"{picture.codec} {picture.width}x{picture.height}, {float(picture.rate):.6g} frames/s"
        self.note(f"{film.source}: {what}{about}{code}")

    def begin_again(self, sentence: str) -> None:
        """The film begins again from what is on paper, and why."""
        self.progress.begin_again()
        self.note(sentence)

    def planned(self, plan: Plan, *, whole: bool = False) -> None:
        """The plan has grown; `whole`: it holds the whole film."""
        self.progress.planned(plan, whole=whole)
        self._refresh()

    def resumed(self, frames: int, chunks: Iterable[int] = ()) -> None:
        """Frames and chunks that an earlier run has finished."""
        self.progress.resumed(frames, chunks)
        self._refresh()

    def propagating(self, spans: int) -> None:
        """So many spans are still to be propagated; the first renderer waits for some of them."""
        self.progress.spans_to_come = spans
        if spans and self.progress.stage == "survey":
            self.stage("propagate")
        self._refresh()

    def rendered(self, frames: int) -> None:
        """Some more frames are rendered."""
        self.progress.rendered(frames)
        self._refresh()

    def worked(self, device: DeviceUsage, throughput: MeasuredThroughput | None = None) -> None:
        """A renderer's device has worked, and waited, some more."""
        self.progress.worked(device, throughput)

    def dissolved(self, frame: int, apart: float) -> None:
        """The seam before a frame is dissolved, and how far its two renderings lie apart."""
        self.progress.dissolved(frame, apart)

    def measured(self, quality: FilmQuality) -> None:
        """What quality control has measured so far."""
        self.progress.measured(quality)

    def chunk(self, number: int, status: ChunkStatus, *, printed: bool = False) -> None:
        """A chunk has come a step further, or back. `printed`: from the segments of another deliverable."""
        self.progress.chunk(number, status, printed=printed)
        self._refresh()

    def quarantined(self, chunks: int, frames: int, sentence: str) -> None:
        """One more chunk is set aside: how many are, and in how many frames of the film something stands in for the look."""
        self.progress.quarantined_chunks, self.progress.stand_in_frames = chunks, frames
        self.note(sentence)

    def stage(self, name: str) -> None:
        """What the film is at now: survey, propagate, render, stitch, inspect."""
        if name != self.progress.stage:
            self.progress.enter_stage(name)
            self._show()

    def note(self, sentence: str) -> None:
        """A sentence for people, at once."""
        self.console.note(sentence)
        if self._log:
            self._log.note(sentence)

    def finished(self, sentence: str) -> None:
        """The last word on the film."""
        self.progress.close_stage()
        self._show()
        self.note(sentence)

    # what the fleet tells

    def pool_resized(self, pool: PoolSpec, size: PoolSize) -> None:
        """Workers of one pool: how many can work, load, or wait for a place."""
        self.progress.pool_resized(pool, size)

    def retried(self, pool: str, what: str, error: BaseException, tries: int) -> None:
        """A call has raised an error and is made again."""
        self.progress.retried(pool, "error")
        first = (str(error).strip().splitlines() or ["no message"])[0]
        self.note(f"{what}: {type(error).__name__}: {first} (error {tries}); trying again")

    def lost(self, pool: str, what: str, reason: str, free: bool) -> None:
        """A worker is gone, and what it was at is made again."""
        why: Literal["preemption", "loss"] = "preemption" if free else "loss"
        self.progress.retried(pool, why)
        self.note(f"{what}: its {pool} {'was preempted' if free else f'is lost ({reason})'}; another one takes over")

    def faulted(self, pool: str, what: str, fault: str, left_alone: bool) -> None:
        """A worker's machine is at fault, and what it was at is made elsewhere."""
        self.progress.retried(pool, "node")
        left = "; the node is left alone for this film" if left_alone else ""
        self.note(f"{what}: {fault}{left}; another {pool} takes over")

    def moved(self, traffic: Traffic) -> None:
        """Bytes have passed the job's stores."""
        self.progress.moved(traffic)

    def shared(self, allowance: Quota) -> None:
        """Other films on the cluster leave this one more renderers, or fewer."""
        before, self.progress.share = self.progress.share, allowance.says
        if allowance.says and not before:
            self.note(allowance.says)

    def tick(self) -> None:
        """At least once a second while the fleet works."""
        self._refresh()
        for call in self._each_tick:
            call()

    # what is shown

    def line(self) -> str:
        """What the film is at, and how it is getting on."""
        return f"{self.progress.stage or 'begin'}: {self.sentence()}"

    def sentence(self) -> str:
        """How the film is getting on, in one line."""
        progress = self.progress
        total, done = progress.total_frames, progress.done_frames
        percent = f" ({min(100, 100 * done // total)} %)" if total else ""
        about = "about " if progress.expected_frames > progress.frames else ""
        parts = [f"{done:,} of {about}{number_of(total, 'frame')}{percent}" if total else "counting frames"]
        parts += self._speed()
        if progress.prices:
            parts.append(f"{progress.cost:,.2f} {progress.prices.currency}")
        if progress.shots:
            parts.append(number_of(progress.shots, "shot"))
        parts += self._spans()
        if progress.chunks:
            parts.append("chunks " + " ".join(f"{progress.by_status[status]:,} {status}" for status in STATUSES))
        if starting := sum(size.warming + size.pending for size in progress.workers.values()):
            parts.append(f"{number_of(starting, 'worker')} starting")
        parts += [progress.share] if progress.share else []
        if again := progress.retries + progress.lost_workers:
            parts.append(f"{again} {'retry' if again == 1 else 'retries'}")
        return ", ".join(parts)

    def brief(self) -> str:
        """The same beside a bar, short enough for a terminal of 80 columns."""
        progress = self.progress
        parts = [f"{progress.done_frames:,}/{progress.total_frames:,}", *(self._speed() or self._spans())]
        parts += [f"chunks {progress.by_status['done']:,}/{len(progress.chunks):,}"] if progress.chunks else []
        again = progress.retries + progress.lost_workers
        return ", ".join(parts + ([f"{again} retried"] if again else []))

    def _speed(self) -> list[str]:
        rate, left = self.progress.rate(), self.progress.seconds_left()
        return ([f"{rate:.1f} frames/s"] if rate is not None else []) + ([f"{duration(left)} left"] if left else [])

    def _spans(self) -> list[str]:
        spans = self.progress.spans_to_come
        return [f"{number_of(spans, 'span')} to propagate"] if spans else []

    def _refresh(self) -> None:
        """Show what has changed, not too often."""
        if self.progress.clock() - self._shown_at >= (REFRESH_SECONDS if self._bar else LINE_SECONDS):
            self._show()
        if self._log and self._log.due:
            if (line := self.line()) != self._logged:
                self._logged = line
                self._log.note(line)
            self._log.write()

    def _show(self) -> None:
        progress = self.progress
        self._shown_at = progress.clock()
        if self._bar:
            total = progress.total_frames or None
            self._bar.show(progress.stage, self.brief(), done=min(progress.done_frames, total or 0), total=total)
        else:
            self.console.note(self.line())


def duration(seconds: float) -> str:
    """A length of time for people: "40 s", "12 min", "3 h 05 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
