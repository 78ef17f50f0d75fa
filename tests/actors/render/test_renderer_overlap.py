"""The renderer's three threads: what goes on beside what, how far ahead, and how it ends. Nothing here is timed: each waits for what must go on meanwhile."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from ctypes import CDLL
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import torch
from torch import Tensor

from actors.looks import generator_name
from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch
from actors.picture.generator import BATCH
from actors.render.renderer import AHEAD, Renderer
from jobs.errors import Damaged
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import Look
from jobs.records.orders import DeviceUsage, FramesRendered, RenderOrder, SegmentRecord
from tests.actors.render.test_renderer import FFV1, look_of, orders
from tests.films import Recipe

PATIENCE = 30
"""Seconds after which something that should have happened has not."""


def threads_here() -> int:
    """Threads that OpenMP would take in this one. (Asked itself, PyTorch first makes it so.)"""
    library = next((Path(torch.__file__).parent / "lib").glob("libgomp*"), None)
    return CDLL(str(library)).omp_get_max_threads() if library else 1


class Happened:
    """What has happened, and waiting for it."""

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._more = threading.Condition()

    def say(self, what: str) -> None:
        with self._more:
            self._seen.append(what)
            self._more.notify_all()

    def wait_for(self, what: str, times: int = 1) -> None:
        with self._more:
            assert self._more.wait_for(lambda: self._seen.count(what) >= times, PATIENCE), f"no {what}: {self._seen}"

    def times(self, what: str) -> int:
        return self._seen.count(what)


class Porter:
    """A store that says what is fetched, and does something before it keeps a segment."""

    def __init__(self, store: Any, happened: Happened, before_keeping: Callable[[int], None]) -> None:
        self._store = store
        self._happened = happened
        self._before_keeping = before_keeping
        self._kept = 0

    def open(self, key: str) -> BinaryIO:
        self._happened.say("fetched")
        return self._store.open(key)  # type: ignore[no-any-return]

    def write_file(self, key: str, path: Path, *, only_if_absent: bool = False) -> bool:
        if "/clips/" not in key:
            self._kept += 1
            self._before_keeping(self._kept)
        return self._store.write_file(key, path, only_if_absent=only_if_absent)  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class Watched:
    """A generator that says when it begins with a chunk and what it is shown, and does something before its first picture."""

    domain = Domain.CHROMA

    def __init__(self, happened: Happened, before_first: Callable[[int], None] = lambda chunk: None) -> None:
        self._happened = happened
        self._before_first = before_first
        self._chunks = 0
        self._alone = threading.Lock()

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        assert self._alone.acquire(blocking=False), "two calls are generated at a time"
        try:
            yield from self._pictures(batches)
        finally:
            self._alone.release()

    def _pictures(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        self._chunks += 1
        self._happened.say("begun")
        for number, batch in enumerate(batches):
            assert threads_here() == 1
            self._happened.say("shown")
            if not number:
                self._before_first(self._chunks)
            yield batch.differences()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=48).make(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    spools = tmp_path_factory.mktemp("spools")
    monkeypatch.setattr(tempfile, "tempdir", str(spools))
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == before
    assert not list(spools.iterdir())


def renderer(
    store: Path,
    look: Look,
    generator: Any,
    happened: Happened,
    before_keeping: Callable[[int], None] = lambda kept: None,
) -> Renderer:
    made = Renderer(str(store), "film", [look], 1)
    made.generators[generator_name(look)] = generator
    made.ledger = Ledger(Porter(made.ledger.store, happened, before_keeping), "film")
    return made


def segments(found: Iterable[object]) -> list[SegmentRecord]:
    return [one for one in found if isinstance(one, SegmentRecord)]


def test_the_next_chunk_is_read_while_one_is_generated(source: Path, tmp_path: Path) -> None:
    look, happened = look_of("none"), Happened()
    wanted = orders(source, tmp_path, look, BATCH, FFV1)
    generator = Watched(happened, lambda chunk: happened.wait_for("fetched", min(chunk + 1, len(wanted))))
    assert len(segments(renderer(tmp_path, look, generator, happened).render(wanted))) == len(wanted) == 6


def test_the_next_chunk_is_generated_while_one_is_kept(source: Path, tmp_path: Path) -> None:
    look, happened = look_of("none"), Happened()
    wanted = orders(source, tmp_path, look, BATCH, FFV1)
    made = renderer(
        tmp_path, look, Watched(happened), happened, lambda kept: happened.wait_for("begun", min(kept + 1, len(wanted)))
    )
    assert len(segments(made.render(wanted))) == len(wanted)


def test_the_next_chunk_is_encoded_while_one_is_kept(source: Path, tmp_path: Path) -> None:
    """Its still, its upload and its record are made in another thread than that of the call."""
    look, happened = look_of("none"), Happened()
    wanted = orders(source, tmp_path, look, 16, FFV1)
    keepers: list[threading.Thread] = []

    def keep(kept: int) -> None:
        keepers.append(threading.current_thread())
        happened.wait_for(f"encoded {min(kept + 1, len(wanted))}")

    found = []
    for one in renderer(tmp_path, look, Watched(happened), happened, keep).render(wanted):
        found.append(one)
        if isinstance(one, FramesRendered):
            happened.say(f"encoded {one.chunk}")
    assert [one.frames for one in segments(found)] == [order.core for order in wanted]
    assert threading.current_thread() not in keepers


def test_a_chunk_that_cannot_be_kept_is_an_error_and_nothing_after_it_is_recorded(source: Path, tmp_path: Path) -> None:
    look, happened, error = look_of("none"), Happened(), OSError("no room")
    wanted = orders(source, tmp_path, look, 12, FFV1)

    def keep(kept: int) -> None:
        if kept == 2:
            raise error

    found: list[object] = []
    with pytest.raises(OSError, match="no room") as caught:
        found.extend(renderer(tmp_path, look, Watched(happened), happened, keep).render(wanted))
    assert caught.value is error
    ledger = Ledger.at(str(tmp_path), "film")
    there = [ledger.record(order.digest(order.encodings[0])) is not None for order in wanted]
    assert there == [True, False, False, False]


def both(made: Renderer, first: list[RenderOrder], second: list[RenderOrder]) -> list[list[object]]:
    """Two calls at a time: what each of them found, and last what it raised."""
    found: list[list[object]] = [[], []]

    def call(own: list[object], wanted: list[RenderOrder]) -> None:
        try:
            own.extend(made.render(wanted))
        except Exception as error:
            own.append(error)

    threads = [threading.Thread(target=call, args=pair) for pair in zip(found, (first, second), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_a_second_call_is_read_while_the_first_is_generated_and_generated_while_it_is_kept(
    source: Path, tmp_path: Path
) -> None:
    look, happened = look_of("none"), Happened()
    one, other = orders(source, tmp_path, look, 24, FFV1)
    generator = Watched(happened, lambda chunk: happened.wait_for("fetched", 2))
    made = renderer(tmp_path, look, generator, happened, lambda kept: happened.wait_for("begun", 2))
    first, second = both(made, [one], [other])
    assert [len(segments(found)) for found in (first, second)] == [1, 1]


def test_a_call_that_fails_does_no_harm_to_the_one_beside_it(source: Path, tmp_path: Path) -> None:
    look, happened = look_of("none"), Happened()
    one, other = orders(source, tmp_path, look, 24, FFV1)
    (tmp_path / "film" / one.media.key).unlink()
    made = renderer(tmp_path, look, Watched(happened), happened)
    first, second = both(made, [one], [other])
    assert isinstance(first[-1], Damaged)
    assert len(segments(second)) == 1
    assert len(segments(both(made, [other], [])[0])) == 1, "it is kept already, and the worker is as good as before"


def test_no_more_is_read_and_generated_than_may_lie_ready(source: Path, tmp_path: Path) -> None:
    look, happened = look_of("none"), Happened()
    (order,) = orders(source, tmp_path, look, 48, FFV1)
    call = renderer(tmp_path, look, Watched(happened), happened).render([order])
    next(call)  # one run is encoded, and the encoder rests
    happened.wait_for("shown", 1 + AHEAD)
    call.close()  # type: ignore[attr-defined]
    assert happened.times("shown") == 1 + AHEAD < 48 // BATCH
    assert not list(Ledger.at(str(tmp_path), "film").names("records/segment"))


def test_what_a_generator_raises_is_raised_as_it_is(source: Path, tmp_path: Path) -> None:
    look, happened, error = look_of("none"), Happened(), ArithmeticError("the network fell over")

    def fall_over(chunk: int) -> None:
        if chunk == 2:
            raise error

    made = renderer(tmp_path, look, Watched(happened, fall_over), happened)
    wanted = orders(source, tmp_path, look, 16, FFV1)
    found: list[object] = []
    with pytest.raises(ArithmeticError) as caught:
        found.extend(made.render(wanted))
    assert caught.value is error
    assert [one.frames for one in segments(found)] == [wanted[0].core], "the chunk before it is kept"
    assert len(segments(made.render(wanted))) == 3, "and the worker goes on"


def test_each_second_of_the_generator_is_told_once(source: Path, tmp_path: Path) -> None:
    look, happened = look_of("none"), Happened()
    one, other = orders(source, tmp_path, look, 24, FFV1)
    began = time.perf_counter()
    made = renderer(tmp_path, look, Watched(happened), happened)
    words = [word for found in both(made, [one], [other]) for word in found if isinstance(word, DeviceUsage)]
    assert len(words) == 2
    busy, starved = sum(word.busy for word in words), sum(sum(word.starved.values()) for word in words)
    assert busy > 0
    assert sum(word.starved["read"] for word in words) > 0
    assert busy + starved <= time.perf_counter() - began
