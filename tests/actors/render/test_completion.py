"""Finishing: the next chunk's files are opened beside one, the last chunk's kept beside it; whatever happens, no file and no thread is left."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType

import pytest

from actors.render.completion import ChunkCompletion, Opened
from jobs.records.orders import SegmentRecord

PATIENCE = 30
"""Seconds after which something that should have happened has not."""


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == before


class File:
    """A file that is there once it is opened, and stays only where nothing went wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        self.path.touch()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self.path.unlink()


def closed(files: ExitStack) -> Callable[[], list[SegmentRecord]]:
    """What keeps a chunk here: its files are closed, and there is no record."""

    def keep() -> list[SegmentRecord]:
        files.close()
        return []

    return keep


class Chunks:
    """Chunks whose files lie in a folder, and whether each has been opened."""

    def __init__(self, folder: Path, count: int, broken: int = 0) -> None:
        self.folder, self.broken = folder, broken
        self.begun = [threading.Event() for _ in range(count)]

    def open(self, number: int) -> Opened:
        with ExitStack() as files:
            files.enter_context(File(self.folder / str(number)))
            self.begun[number - 1].set()
            if number == self.broken:
                raise ArithmeticError(f"no encoder for {number}")
            return Opened([], files.pop_all())

    def finishing(self) -> ChunkCompletion:
        return ChunkCompletion(partial(self.open, number) for number in range(1, len(self.begun) + 1))

    @property
    def left(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


def test_the_next_chunk_is_opened_while_one_is_written(tmp_path: Path) -> None:
    chunks = Chunks(tmp_path, 3)
    with chunks.finishing() as finishing:
        for number in (1, 2, 3):
            with finishing.opened().files as files:
                assert all(one.wait(PATIENCE) for one in chunks.begun[: number + 1])
                list(finishing.rest())
                finishing.finish(closed(files.pop_all()))
        list(finishing.rest())
    assert chunks.left == ["1", "2", "3"]


def test_a_call_that_is_left_keeps_no_file(tmp_path: Path) -> None:
    chunks = Chunks(tmp_path, 3)

    def leave() -> None:
        with chunks.finishing() as finishing, finishing.opened().files:
            assert chunks.begun[1].wait(PATIENCE)
            raise KeyError

    with pytest.raises(KeyError):
        leave()
    assert chunks.left == []


def test_an_encoder_that_cannot_be_opened_is_an_error_of_its_own_chunk(tmp_path: Path) -> None:
    chunks = Chunks(tmp_path, 3, broken=2)

    def render() -> None:
        with chunks.finishing() as finishing:
            with finishing.opened().files as files:
                assert chunks.begun[1].wait(PATIENCE)
                finishing.finish(closed(files.pop_all()))
            finishing.opened()

    with pytest.raises(ArithmeticError, match="no encoder for 2"):
        render()
    assert chunks.left == ["1"]
