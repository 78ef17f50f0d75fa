"""Watching by the store alone: the driver's own lines and exit code, and drivers that are killed."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest

from farm.ops.watch import LogTail, follow, job_at, watch
from farm.progress.console import ProgressConsole
from farm.progress.lease_control import lease_on_job
from farm.progress.plain_console import PlainConsole
from jobs.errors import BadStore
from jobs.ledger.driver_log import DriverLog
from jobs.ledger.lease import VOID_SECONDS
from jobs.ledger.ledger import Ledger
from jobs.spec.job import JobSpec
from tests.farm.inline import rendered
from tests.farm.studio import spec_of
from tests.films import Recipe
from tests.jobs.clock import FakeClock


def spec_in(folder: Path) -> JobSpec:
    film = Recipe(frames=24, size=(96, 64)).make(folder / "film.mp4")
    return spec_of(film, folder)


def watched(ledger: Ledger, terminal: bool = False) -> tuple[int, str]:
    """The exit code, and what is seen."""
    seen = StringIO()
    console = PlainConsole(file=seen, terminal=terminal, width=120)
    return watch(ledger, console), seen.getvalue()


def test_a_render_is_watched_to_its_end(tmp_path: Path) -> None:
    """What the driver showed, with the times, progress included; on a terminal progress is a bar."""
    spec, screen = spec_in(tmp_path), StringIO()
    ledger = Ledger.at(spec.store, spec.name)
    with (
        lease_on_job(ledger),
        DriverLog(ledger) as log,
        ProgressConsole(log=log, console=PlainConsole(file=screen)) as console,
    ):
        rendered(spec, console=console)
        console.finished("delivered it")
    code, seen = watched(job_at(f"{spec.store}/film"))
    assert code == 0
    said = [line[20:] for line in seen.splitlines()]
    assert said[-2:] == ["delivered it", "ended with exit code 0"]
    assert any(line.startswith(f"{spec.source}: h264 96x64") for line in said)
    assert any("survey: " in line for line in said)
    code, bar = watched(ledger, terminal=True)
    assert (code, "delivered it" in bar) == (0, True)


def test_lines_are_told_once_and_those_of_the_next_driver_follow(tmp_path: Path) -> None:
    ledger = Ledger.at(str(tmp_path), "film")
    tail = LogTail(ledger)
    assert tail.new() == []
    with DriverLog(ledger, clock=lambda: 0.0, most=150) as log:
        for number in range(5):
            log.note(f"line {number}")
        log.write()
        assert [line[20:] for line in tail.new()] == [f"line {number}" for number in range(5)]
        for number in range(5, 9):
            log.note(f"line {number}")
        log.write()  # its first lines are left out by now
        assert [line[20:] for line in tail.new()] == [f"line {number}" for number in range(5, 9)]
        assert (tail.new(), tail.exit_code) == ([], None)
    assert [line[20:] for line in tail.new()] == ["ended with exit code 0"]
    with DriverLog(ledger, clock=lambda: 60.0) as log:
        log.note("again")
        log.write()
        assert [line[20:] for line in tail.new()] == ["again"]
        assert tail.exit_code is None


def test_a_driver_that_was_killed_is_gone_when_its_lease_is_silent(tmp_path: Path) -> None:
    """By this machine's clock: the lease may be of another time."""
    spec = spec_in(tmp_path)
    ledger = Ledger.at(spec.store, spec.name)
    ledger.enter(spec)
    clock = FakeClock()
    lease = lease_on_job(ledger)
    lease.__enter__()
    ledger.store.write(
        ledger.key("lease.json"),
        lease.paper.model_copy(update={"until": 1.0, "process": ""}).model_dump_json().encode(),
    )
    tail = LogTail(ledger, clock)
    assert tail.at_work()
    clock.go(VOID_SECONDS)
    assert not tail.at_work()
    assert list(follow(tail)) == []


def test_whoever_left_no_word_is_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = spec_in(tmp_path)
    rendered(spec)
    assert watched(Ledger.at(spec.store, spec.name))[0] == 1
    assert (
        "nobody is at work on it, and its last driver left no word of its end; it is rendered."
        in capsys.readouterr().err
    )


def test_a_job_that_is_not_there(tmp_path: Path) -> None:
    for name in ("film", "Die Bäume am Weg"):
        with pytest.raises(BadStore, match=rf"There is no job '{name}' in {tmp_path}; give a job spec, or the folder"):
            job_at(f"{tmp_path}/{name}")


def test_a_job_is_found_and_told_by_the_name_that_its_user_gave_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = spec_in(tmp_path).model_copy(update={"name": "Die [red]Bäume[/red] 1/2"})
    Ledger.at(spec.store, spec.key).enter(spec)
    for name in (spec.name, spec.key):
        assert job_at(f"{spec.store}/{name}").job == spec.key
    assert watched(job_at(f"{spec.store}/{spec.key}"))[0] == 1
    assert f"The job 'Die [red]Bäume[/red] 1/2' in {spec.store}: nobody is at work on it" in capsys.readouterr().err


def test_a_board_without_a_logbook_shows_the_same(tmp_path: Path) -> None:
    shown: list[str] = []
    for kind in (
        ProgressConsole,
        lambda console: ProgressConsole(log=DriverLog(Ledger.at(str(tmp_path), "film")), console=console),
    ):
        screen = StringIO()
        with kind(console=PlainConsole(file=screen)) as console:
            console.stage("survey")
            console.finished("done")
        shown.append(screen.getvalue())
    assert shown[0] == shown[1] != ""
