"""The console in both its manners, with a clock that the test turns."""

import io
import re
from fractions import Fraction

import pytest

from farm.fleet.calls import PoolSize, PoolSpec
from farm.fleet.fair_share import Quota
from farm.progress.console import ProgressConsole, duration
from farm.progress.metrics import FilmMetrics
from farm.progress.metrics_server import MetricsServer
from farm.progress.plain_console import PlainConsole
from farm.progress.progress import Progress
from jobs.film.source import Colour, Film, Picture, SourceIdentity
from jobs.plan.plan import Look, Plan, Range, Shot
from jobs.records.orders import DeviceUsage
from jobs.spec.job import LookChoice

RENDERER = PoolSpec("renderer", "builtins:object")

LOOK = Look(choice=LookChoice(name="none"))


class Clock:
    """Seconds, as the test says."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """A console, what it says, and its clock."""

    def __init__(self, *, terminal: bool = False) -> None:
        self.clock = Clock()
        self.paper = io.StringIO()
        self.progress = Progress("nosferatu", clock=self.clock)
        self.metrics = MetricsServer(FilmMetrics(self.progress))
        console = PlainConsole(file=self.paper, terminal=terminal, width=200)
        self.console = ProgressConsole(self.progress, console=console)

    @property
    def lines(self) -> list[str]:
        return self.paper.getvalue().splitlines()

    def sample(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, {"job": "nosferatu", **labels})


@pytest.fixture
def desk() -> Desk:
    return Desk()


def plan_of(*shots: int) -> Plan:
    plan = Plan(target=100)
    for frames in shots:
        plan.grow([Shot(len(plan.shots) + 1, Range(plan.frames, plan.frames + frames), LOOK)])
    return plan


def film(seconds: float) -> Film:
    colour = Colour(matrix="bt709", full_range=False, primaries=1, transfer=1, space=1, assumed=True)
    picture = Picture(
        stream=0,
        codec="h264",
        width=1280,
        height=720,
        stored="yuv420p",
        pix_fmt="yuv420p",
        depth=8,
        time_base=Fraction(1, 24000),
        rate=Fraction(24000, 1001),
        aspect=Fraction(1),
        rotation=0,
        colour=colour,
    )
    identity = SourceIdentity(bytes=1, version="1", ends_sha256="0" * 64)
    return Film(source="film.mkv", identity=identity, format="matroska", picture=picture, seconds=seconds)


def test_prose_says_how_far_how_fast_and_how_long(desk: Desk) -> None:
    console = desk.console
    console.stage("render")
    console.planned(plan_of(300, 100), whole=True)
    console.chunk(1, "split")
    console.chunk(2, "rendering")
    desk.clock.now += 10
    console.rendered(40)
    assert desk.lines[-1] == (
        "render: 40 of 400 frames (10 %), 4.0 frames/s, 2 min left, 2 shots, chunks 2 waiting 1 split 1 rendering 0 done"
    )


def test_spans_are_told_while_their_colour_is_all_that_a_film_waits_for(desk: Desk) -> None:
    console = desk.console
    console.stage("survey")
    console.planned(plan_of(300), whole=True)
    console.propagating(3)
    assert (
        desk.lines[-1]
        == "propagate: 0 of 300 frames (0 %), 1 shot, 3 spans to propagate, chunks 3 waiting 0 split 0 rendering 0 done"
    )
    assert console.brief() == "0/300, 3 spans to propagate, chunks 0/3"
    console.stage("render")
    console.chunk(1, "rendering")
    console.propagating(1)
    desk.clock.now += 10
    console.rendered(40)
    assert "1 span to propagate" in console.sentence()
    assert "span" not in console.brief()
    console.propagating(0)
    assert "span" not in console.sentence()


def test_a_line_every_five_seconds_and_at_each_stage(desk: Desk) -> None:
    desk.console.stage("survey")
    assert len(desk.lines) == 1
    for _ in range(20):
        desk.clock.now += 1
        desk.console.tick()
    assert len(desk.lines) == 5
    desk.console.stage("render")
    desk.console.stage("render")
    assert len(desk.lines) == 6


def test_prose_has_no_control_characters(desk: Desk) -> None:
    with desk.console as console:
        console.film(film(10))
        console.stage("render")
        console.planned(plan_of(300))
        console.retried("renderer", "chunk 1", ValueError("[red]odd[/red]\nand more"), 1)
        console.lost("renderer", "chunk 2", "ActorDiedError: killed", free=False)
        console.finished("Done: out/film.mp4")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", desk.paper.getvalue())
    assert "chunk 1: ValueError: [red]odd[/red] (error 1); trying again" in desk.lines
    assert "chunk 2: its renderer is lost (ActorDiedError: killed); another one takes over" in desk.lines
    assert desk.lines[-1] == "Done: out/film.mp4"
    assert "2 retries" in desk.lines[-2]


def test_a_long_line_is_not_broken(desk: Desk) -> None:
    desk.console.note("word " * 100)
    assert len(desk.lines) == 1


def test_the_films_own_time_code_is_said(desk: Desk) -> None:
    desk.console.film(film(0).model_copy(update={"timecode": "01:00:00:00"}))
    assert desk.lines == ["film.mkv: h264 1280x720, 23.976 frames/s, from time code 01:00:00:00"]


def test_the_header_gives_the_total_until_the_survey_is_over(desk: Desk) -> None:
    console = desk.console
    assert console.sentence() == "counting frames"
    console.film(film(10))
    assert "film.mkv: h264 1280x720, 23.976 frames/s, about 240 frames" in desk.lines
    console.planned(plan_of(100))
    assert console.sentence().startswith("0 of about 240 frames (0 %)")
    console.planned(plan_of(100, 131), whole=True)
    assert console.sentence().startswith("0 of 231 frames (0 %)")


def test_what_earlier_runs_did_is_done_but_is_no_pace(desk: Desk) -> None:
    console = desk.console
    console.planned(plan_of(300, 100), whole=True)
    console.resumed(300, chunks=[1, 2, 3])
    desk.clock.now += 10
    assert desk.progress.rate() is None
    assert desk.progress.seconds_left() is None
    console.rendered(50)
    assert desk.progress.done_frames == 350
    assert desk.progress.rate() == pytest.approx(5.0)
    assert desk.progress.seconds_left() == pytest.approx(10.0)
    assert "chunks 1 waiting 0 split 0 rendering 3 done" in console.sentence()


def test_chunks_known_before_the_plan_keep_their_state(desk: Desk) -> None:
    desk.console.resumed(100, chunks=[2])
    desk.console.planned(plan_of(300))
    assert desk.progress.chunks == {2: "done", 1: "waiting", 3: "waiting"}


def test_the_pace_is_the_last_minutes(desk: Desk) -> None:
    console = desk.console
    console.planned(plan_of(100_000), whole=True)
    for _ in range(120):
        desk.clock.now += 1
        console.rendered(10)
    for _ in range(60):
        desk.clock.now += 1
        console.rendered(40)
    assert desk.progress.rate() == pytest.approx(40.0)
    desk.clock.now += 30
    assert desk.progress.rate() == pytest.approx(20.0)  # nothing for half a minute


def test_waiting_for_the_first_chunk_is_no_pace(desk: Desk) -> None:
    desk.clock.now += 1000
    desk.console.chunk(1, "rendering")
    desk.clock.now += 10
    desk.console.rendered(100)
    assert desk.progress.rate() == pytest.approx(10.0)


def test_workers_that_are_starting_are_named(desk: Desk) -> None:
    desk.console.pool_resized(RENDERER, PoolSize(ready=0, warming=1, pending=1))
    assert desk.console.sentence().endswith("2 workers starting")
    desk.console.pool_resized(RENDERER, PoolSize(ready=2, warming=0, pending=0))
    assert "worker" not in desk.console.sentence()


def test_what_other_films_leave_is_said_at_once_and_then_with_the_rest(desk: Desk) -> None:
    desk.console.shared(Quota(2, "2 of 8 renderers: the-kid is more urgent"))
    assert desk.lines == ["2 of 8 renderers: the-kid is more urgent"]
    desk.console.shared(Quota(1, "1 of 8 renderers: the-kid is more urgent"))
    assert len(desk.lines) == 1
    assert desk.console.sentence().endswith("1 of 8 renderers: the-kid is more urgent")
    desk.console.shared(Quota(None))
    assert "renderers" not in desk.console.sentence()


def test_a_terminal_gets_a_bar(desk: Desk) -> None:
    desk = Desk(terminal=True)
    with desk.console as console:
        console.stage("render")
        console.planned(plan_of(300), whole=True)
        desk.clock.now += 1
        console.rendered(150)
        console.retried("renderer", "chunk 1", ValueError("odd"), 1)
    text = desk.paper.getvalue()
    assert "\x1b[" in text
    assert "━" in text
    assert "150/300" in text
    assert "chunk 1: ValueError: odd (error 1); trying again" in text


def test_the_metrics_follow(desk: Desk) -> None:
    with desk.console as console:
        console.film(film(10), look="colorize")
        console.stage("survey")
        desk.clock.now += 2
        console.stage("render")
        console.planned(plan_of(300), whole=True)
        console.resumed(100, chunks=[1])
        console.chunk(2, "split")
        console.rendered(7)
        console.worked(DeviceUsage(busy=1.5, starved={"read": 0.5}))
        console.pool_resized(RENDERER, PoolSize(ready=1, warming=1, pending=1))
        console.retried("renderer", "chunk 1", ValueError("odd"), 1)
        console.lost("renderer", "chunk 1", "gone", free=True)
        console.lost("renderer", "chunk 1", "killed", free=False)
        desk.clock.now += 3
    assert desk.sample("film_farm_job_info", source="film.mkv", look="colorize") == 1
    assert desk.sample("film_farm_frames_total") == 300
    assert desk.sample("film_farm_frames_done") == 107
    assert desk.sample("film_farm_frames_rendered_total") == 7
    assert desk.sample("film_farm_gpu_busy_seconds_total") == 1.5
    assert desk.sample("film_farm_gpu_starved_seconds_total", reason="read") == 0.5
    assert [desk.sample("film_farm_chunks", state=state) for state in ("waiting", "split", "rendering", "done")] == [
        1,
        1,
        0,
        1,
    ]
    assert [desk.sample("film_farm_workers", crew="renderer", state=state) for state in PoolSize._fields] == [1, 1, 1]
    assert [
        desk.sample("film_farm_retries_total", crew="renderer", reason=reason)
        for reason in ("error", "preemption", "loss")
    ] == [1, 1, 1]
    assert desk.sample("film_farm_stage_seconds_total", stage="survey") == pytest.approx(2)
    assert desk.sample("film_farm_stage_seconds_total", stage="render") == pytest.approx(3)


@pytest.mark.parametrize(
    ("seconds", "says"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3570, "1 h 00 min"), (11100, "3 h 05 min")]
)
def test_lengths_of_time(seconds: float, says: str) -> None:
    assert duration(seconds) == says
