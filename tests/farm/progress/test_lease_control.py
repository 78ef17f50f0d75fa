"""Who works on a job, and who may: two drivers, cancelling, stopping by SIGTERM, and a refused film that leaves no job."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray

from farm.fleet.fleet import Fleet
from farm.ops.status import statuses
from farm.progress.console import ProgressConsole
from farm.progress.lease_control import HEED_SECONDS, cancel_jobs, lease_on_job, lease_on_training
from farm.progress.plain_console import PlainConsole
from jobs.digest import sealed
from jobs.errors import BadMedia, BadSpec, BadStore, JobHeld, Stopped
from jobs.ledger.lease import NAME, RENEW_SECONDS, VOID_SECONDS, Lease, read_lease
from jobs.ledger.ledger import Ledger
from jobs.output.ownership import FOLDER
from jobs.store import open_store
from tests.farm.inline import rendered
from tests.farm.shell import Running, farm, segments
from tests.farm.studio import spec_of
from tests.films import Recipe
from tests.jobs.clock import FakeClock


@pytest.fixture(scope="module")
def ray_here() -> Iterator[str]:
    """The address of a Ray that commands may join."""
    with Fleet("local", workers=12):
        yield ray.get_runtime_context().gcs_address


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=220, size=(96, 64)).make(tmp_path_factory.mktemp("film") / "film.mp4")


def slow_job(film: Path, folder: Path, radius: int = 200) -> Path:
    """A job spec that takes a minute to render: by default every chunk of five frames is shown the whole film."""
    look = {"name": "test-window", "settings": {"radius": radius, "declared": radius}}
    spec = spec_of(film, folder, look=look, chunk_seconds=0.2, workers={"count": 1})
    (folder / "job.json").write_text(spec.model_dump_json())
    return folder / "job.json"


def holder(folder: Path) -> dict[str, Any]:
    """The lease as it lies in the store."""
    found: dict[str, Any] = json.loads((folder / "store/film" / NAME).read_text())
    return found


@pytest.mark.minutes
def test_two_drivers_and_a_cancel(film: Path, tmp_path: Path, ray_here: str) -> None:
    """The second is refused; one that takes over goes on, and the first ends; that one is stopped from elsewhere."""
    spec, place = slow_job(film, tmp_path), tmp_path / "store/film"
    with Running(tmp_path, "render", spec, "--address", ray_here) as first:
        first.until((place / "spec.json").exists)
        refused = farm("render", spec, "--address", ray_here)
        assert refused.code == 2
        assert f"is held by process {first.process.pid} on " in refused.sentence
        assert refused.sentence.endswith(
            f"stop it with `farm cancel '{place}'`, or go on in its place with --take-over."
        )
        with Running(tmp_path, "render", spec, "--address", ray_here, "--take-over") as second:
            second.until(lambda: holder(tmp_path)["pid"] == second.process.pid)
            lost = first.said()
            assert lost.code == 130
            assert f"was taken over by process {second.process.pid} on " in lost.sentence
            cancelled = farm("cancel", place)
            assert (cancelled.code, cancelled.out) == (0, ""), cancelled.err
            assert cancelled.err == (
                f"The job 'film' in {place.parent}: stopped. Finished work is kept; the same command resumes from there.\n"
            )
            stopped = second.said()
            assert stopped.code == 130
            assert "was stopped by `farm cancel` (process " in stopped.sentence
            assert first.left_running() + second.left_running() == []
    assert not (tmp_path / "out/film.mkv").exists()
    assert not (tmp_path / "out" / FOLDER).exists(), "its names are free again"


@pytest.mark.minutes
@pytest.mark.parametrize("when", ["it begins", "it renders"])
def test_sigterm_stops_as_ctrl_c_does(film: Path, tmp_path: Path, when: str) -> None:
    spec = slow_job(film, tmp_path, radius=20)
    with Running(tmp_path, "render", spec) as render:
        if when == "it begins":
            render.until((tmp_path / "store/film" / NAME).exists)
        else:
            render.until(lambda: segments(tmp_path / "store") >= 1)
        render.process.terminate()
        said = render.said()
        assert (said.code, said.sentence) == (
            130,
            "Stopped. Finished work is kept; the same command resumes from here.",
        )
        assert render.left_running() == []
    assert holder(tmp_path)["released"]


def test_each_tick_of_the_fleet_may_renew(tmp_path: Path) -> None:
    clock = FakeClock()
    ledger = Ledger.at(str(tmp_path), "film")
    with Lease(ledger.store, ledger.key(NAME), "it", clock=clock) as lease:
        console = ProgressConsole(console=PlainConsole(quiet=True), each_tick=(lease.tick,))
        clock.go(RENEW_SECONDS)
        console.tick()
        assert lease.paper.until == clock.unix + VOID_SECONDS


# cancelling


def cancelled(*places: object) -> list[str]:
    said: list[str] = []
    cancel_jobs([str(place) for place in places], said.append)
    return said


def test_cancelling_what_nobody_works_on(film: Path, tmp_path: Path) -> None:
    spec = slow_job(film, tmp_path)
    with pytest.raises(BadStore, match=rf"^{tmp_path}/nowhere: there is no such job; give a job spec, the folder"):
        cancelled(tmp_path / "nowhere")
    with pytest.raises(BadStore, match=r"The job 'film' in .* there is no such job"):
        cancelled(spec)
    with lease_on_job(Ledger.at(f"{tmp_path}/store", "film")):
        pass
    told = f"The job 'film' in {tmp_path}/store: nobody is at work on it."
    assert cancelled(spec, tmp_path / "store/film") == [told, f"{tmp_path}/store/film: nobody is at work on it."]
    spec.write_text(spec_of(film, tmp_path, name="Die Bäume").model_dump_json())
    with pytest.raises(BadStore, match=r"^The job 'Die Bäume' in .*/store: there is no such job"):
        cancelled(spec)


@pytest.mark.parametrize("name", ["Die Bäume am Weg", "Teil 1/2 [red]", "[/bold] ../x", "a" * 151])
def test_a_job_is_cancelled_and_told_by_the_name_that_its_user_gave_it(tmp_path: Path, name: str) -> None:
    """And by its folder's; whatever the name holds is plain text."""
    spec = spec_of("/films/a.mp4", tmp_path, name=name)
    ledger = Ledger.at(spec.store, spec.key)
    ledger.enter(spec)
    told = f"The job '{name}' in {spec.store}: nobody is at work on it."
    assert cancelled(*{f"{spec.store}/{name}", f"{spec.store}/{spec.key}"} - {f"{spec.store}/[/bold] ../x"})[-1] == told
    # A damaged job.json tells no name, and another job's tells none of this one.
    Ledger.at(spec.store, "other").store.write("other/job.json", ledger.store.read(ledger.key("job.json")))
    assert cancelled(f"{spec.store}/other") == [f"The job 'other' in {spec.store}: nobody is at work on it."]
    ledger.store.write(ledger.key("job.json"), b"{")
    assert cancelled(f"{spec.store}/{spec.key}") == [f"The job '{spec.key}' in {spec.store}: nobody is at work on it."]


def test_cancelling_a_training_that_does_not_answer(tmp_path: Path) -> None:
    out = open_store(str(tmp_path / "out"))
    clock = FakeClock()
    # By its own clock it has an hour left: nobody believes it.
    with Lease(out, NAME, "it", clock=FakeClock(time.time() + 3600)):
        said: list[str] = []
        cancel_jobs([out.url], said.append, clock)
        assert said[0].endswith("does not answer and is taken for dead: nobody is at work on it.")
        assert VOID_SECONDS <= clock.seconds <= VOID_SECONDS + 1


def test_cancelling_one_whose_clock_is_an_hour_behind(tmp_path: Path) -> None:
    """It is asked all the same, and is waited for as long as it renews."""
    out, clock, holder = open_store(str(tmp_path / "out")), FakeClock(), FakeClock(time.time() - 3600)
    said: list[str] = []
    lease = Lease(out, NAME, "it", clock=holder).__enter__()

    def works() -> None:
        holder.go(0.5)
        try:
            lease.tick()
        except Stopped as stopped:
            lease.__exit__(Stopped, stopped, None)

    clock.awake = works
    cancel_jobs([out.url], said.append, clock)
    assert RENEW_SECONDS - 1 <= clock.seconds <= RENEW_SECONDS + 1
    assert said == [f"{out.url}: stopped. Finished work is kept; the same command resumes from there."]


def test_cancelling_one_that_does_not_heed_it_has_an_end(tmp_path: Path) -> None:
    """A neighbour in the bucket, or a version that knows no cancelling, renews for ever; jobs beside it are told."""
    out, beside, clock = open_store(str(tmp_path / "out")), open_store(str(tmp_path / "beside")), FakeClock()
    said: list[str] = []
    lease = Lease(out, NAME, "it", clock=clock).__enter__()
    with Lease(beside, NAME, "it", clock=clock):
        pass

    def renews() -> None:
        held = read_lease(out, NAME)
        assert held
        out.replace(NAME, sealed(lease.paper.model_copy(update={"until": clock.unix})), held.version)

    clock.awake = renews
    with pytest.raises(
        JobHeld, match=r"out: process \d+ on .* still renews its lease after 60 s, so it does not heed it\. End"
    ):
        cancel_jobs([out.url, beside.url], said.append, clock)
    assert HEED_SECONDS <= clock.seconds <= HEED_SECONDS + 1
    assert said == [f"{beside.url}: nobody is at work on it."]


def test_two_trainings_in_one_place(tmp_path: Path) -> None:
    out = open_store(str(tmp_path / "out"))
    with lease_on_training(out) as first:
        says = r"^The training in .*/out is held by process .* `farm cancel '.*/out'`"
        with pytest.raises(JobHeld, match=says):
            lease_on_training(out, say=lambda _: first.renew()).__enter__()
        with lease_on_training(out, take_over=True):
            pass


# a film that is refused


def test_a_refused_film_leaves_no_job(tmp_path: Path) -> None:
    film = Recipe(frames=24, size=(96, 64)).make(tmp_path / "film.mp4")
    short = tmp_path / "short.mp4"
    short.write_bytes(film.read_bytes()[:-900])
    with pytest.raises(BadMedia):
        rendered(spec_of(short, tmp_path))
    onto_itself = spec_of(film, tmp_path, output=str(tmp_path), deliverables=[{"name": "film", "codec": "h264"}])
    with pytest.raises(BadSpec, match="would lie over the source"):
        rendered(onto_itself)
    with pytest.raises(BadStore, match="There is no job in"):
        statuses(f"{tmp_path}/store", None)
    # The name is free: another source may have it.
    film.rename(tmp_path / "same.mp4")
    assert rendered(spec_of(tmp_path / "same.mp4", tmp_path)).report().conforms


def test_a_refused_change_leaves_the_job_as_it_was(tmp_path: Path) -> None:
    film = Recipe(frames=24, size=(96, 64)).make(tmp_path / "film.mp4")
    spec = spec_of(film, tmp_path)
    rendered(spec)
    ledger = Ledger.at(spec.store, spec.name)
    before = {name: ledger.read(name) for name in ledger.names("")}
    with pytest.raises(BadSpec, match="would lie over the source"):
        rendered(spec_of(film, tmp_path, output=str(tmp_path), deliverables=[{"name": "film", "codec": "h264"}]))
    with pytest.raises(BadStore, match="was begun with source"):
        rendered(spec_of(tmp_path / "other.mp4", tmp_path))
    assert {name: ledger.read(name) for name in ledger.names("")} == before
