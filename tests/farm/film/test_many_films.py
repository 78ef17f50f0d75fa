"""Two films on one cluster, for real: a more urgent one comes later and has its renderers at the next chunk's end; the office that shares out may die."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import ray

from farm.cluster.local_ray import QUIETLY
from farm.film.driver import render_film
from farm.film.film_run import FilmRun
from farm.fleet.calls import Cluster, PoolSize, PoolSpec, RetryPolicy
from farm.fleet.fair_share import Quota, SharingJob
from farm.fleet.fair_share_client import DEAF_SECONDS, OFFICE, FairShareClient
from farm.fleet.fleet import Fleet
from farm.fleet.worker_pool import WorkerPool
from farm.progress.console import ProgressConsole
from farm.progress.plain_console import PlainConsole
from jobs.spec.job import JobSpec
from tests.farm.inline import shot_list
from tests.farm.studio import job_of, same, spec_of
from tests.films import Recipe
from tests.waiting import hang, poll_until

DEADLINE = 300.0
"""Seconds after which something has gone wrong, on the busiest machine."""


class Diary(ProgressConsole):
    """A console that remembers its renderers, and what it was told of others."""

    def __init__(self) -> None:
        self.said = StringIO()
        super().__init__(console=PlainConsole(file=self.said, width=200))
        self.renderers = PoolSize(0, 0, 0)
        self.allowed: list[Quota] = []

    def split(self, chunks: int) -> bool:
        """So many chunks are there to be rendered, or are being rendered."""
        return len(self.progress.chunks) == chunks and "waiting" not in self.progress.chunks.values()

    def pool_resized(self, pool: PoolSpec, size: PoolSize) -> None:
        super().pool_resized(pool, size)
        if pool.name == "renderer":
            self.renderers = size

    def shared(self, allowance: Quota) -> None:
        super().shared(allowance)
        self.allowed.append(allowance)


@dataclass(frozen=True)
class Film:
    """A film on its way, in a thread of its own."""

    diary: Diary
    work: Future[FilmRun]


class Small(Fleet):
    """A fleet whose side pool is one of each: what this machine has cores for."""

    @property
    def cluster(self) -> Cluster:
        cluster = super().cluster
        return replace(cluster, cpus=3.0, kinds=tuple(replace(kind, cpus=3.0) for kind in cluster.kinds))


class Deaf:
    """An office that never answers."""

    def claim(self, *claimed: object) -> None:
        hang()


@pytest.fixture(scope="module")
def three_gpus() -> Iterator[None]:
    """A Ray with three GPUs, by their name alone, which films find running: a cluster to them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_OVERRIDE_RESOURCES", '{"GPU": 3}')
        patch.setenv("FARM_REHEARSE_GPUS", "1")
        with Fleet("local", workers=8):
            yield


def carry(spec: JobSpec, diary: Diary) -> FilmRun:
    job = SharingJob(spec.store, spec.name, spec.priority)
    with Small(watcher=diary, job=job) as fleet:
        return render_film(job_of(spec), fleet=fleet, console=diary)


def until(what: Callable[[], object], *films: Film) -> None:
    """Wait for something that these films bring about while all of them are at work."""

    def happened() -> bool:
        found = bool(what())
        assert found or not any(film.work.done() for film in films), said()
        return found

    def said() -> str:
        return "".join(film.diary.said.getvalue() for film in films)

    poll_until(happened, DEADLINE, said)


def office() -> str | None:
    """Ray's number for the office there is now."""
    try:
        return str(ray.get_actor(OFFICE, namespace=QUIETLY["namespace"])._actor_id.hex())
    except ValueError:
        return None


def gated(gate: Path) -> dict[str, Any]:
    return {"name": "test-slow", "settings": {"gate": str(gate)}}


@pytest.mark.usefixtures("three_gpus")
def test_a_film_that_gets_no_answer_works_as_if_it_were_alone() -> None:
    deaf: Any = ray.remote(num_cpus=0)(Deaf)
    office = deaf.options(name=OFFICE, namespace=QUIETLY["namespace"], get_if_exists=True).remote()
    claims, pool = (
        FairShareClient(SharingJob("/store/film", "film", 0), 0),
        WorkerPool(PoolSpec("renderer", "builtins:object", limit=8, shared=True), RetryPolicy(), 0),
    )
    pool.expected = 8

    def demand(now: float) -> tuple[bool, int]:
        return claims.apply([pool], lambda: Cluster(False, 12.0, 3.0), now), pool.demand

    assert demand(0) == (False, 1)
    assert demand(DEAF_SECONDS - 1) == (False, 1)
    assert demand(DEAF_SECONDS) == (True, 8)
    ray.kill(office)


@pytest.mark.minutes
@pytest.mark.usefixtures("three_gpus")
def test_an_urgent_film_overtakes_within_a_chunk_and_the_office_may_die(tmp_path: Path) -> None:
    source = Recipe(frames=108).make(tmp_path / "film.mp4")
    first, urgent, rest = (tmp_path / name for name in ("first", "urgent", "rest"))
    common = {
        "shots": {"file": str(shot_list(tmp_path / "shots.csv", 0, frames=108))},
        "chunk_seconds": 0.51,
        "workers": {"count": 3, "cpus": 0.5},
    }
    # The feature has three chunks of 12 frames that wait for one gate, and six that wait till the trailer is delivered:
    # unless three renderers are shared out, the trailer never has one.
    overrides = [{"frames": [0, 36], "look": gated(first)}]
    feature = spec_of(source, tmp_path / "feature", name="feature", look=gated(rest), overrides=overrides, **common)
    trailer = spec_of(source, tmp_path / "trailer", name="trailer", look=gated(urgent), priority=5, **common)
    with ThreadPoolExecutor(2) as desk:

        def begin(spec: JobSpec) -> Film:
            return Film(diary := Diary(), desk.submit(carry, spec, diary))

        try:
            calm = begin(feature)
            until(lambda: calm.diary.renderers == (3, 0, 0) and calm.diary.split(9), calm)
            pressing = begin(trailer)
            until(lambda: pressing.diary.renderers.pending >= 2 and pressing.diary.split(9), calm, pressing)
            until(lambda: calm.diary.allowed[-1].renderers == 1, calm, pressing)
            assert "1 of 3 renderers: trailer is more urgent" in calm.diary.said.getvalue()
            assert calm.diary.renderers == (3, 0, 0)  # at their chunks, which they may finish
            first.touch()
            # More may wait for a place: this cluster does not tell that it cannot grow.
            until(lambda: (calm.diary.renderers[:2], pressing.diary.renderers[:2]) == ((1, 0), (2, 0)), calm, pressing)
            assert calm.diary.progress.chunks_rendered <= 3  # no more than what each was at

            before = office()
            ray.kill(ray.get_actor(OFFICE, namespace=QUIETLY["namespace"]))
            until(lambda: office() not in (None, before), calm, pressing)
            urgent.touch()
            assert pressing.work.result(DEADLINE).report().conforms
            until(lambda: calm.diary.allowed[-1].renderers is None, calm)  # nobody else is there
            rest.touch()
            assert calm.work.result(DEADLINE).report().conforms
        finally:
            for gate in (first, urgent, rest):
                gate.touch()
    same(tmp_path / "trailer/out/film.mkv", tmp_path / "feature/out/film.mkv")
    assert not any(film.diary.progress.retries + film.diary.progress.lost_workers for film in (calm, pressing))
