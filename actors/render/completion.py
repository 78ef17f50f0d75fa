"""Finishes one chunk while the next is encoded: closes, hashes, uploads and records it; and opens the encoders of the one after.

One chunk is encoded at a time. Beside it at most one is being finished and one lies opened, so disk and memory are bounded.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import NamedTuple, Self

from actors.render.background import BackgroundWork
from actors.render.handles import HandleWriter
from actors.render.segments import SegmentInProgress
from jobs.records.orders import HandlesRecord, SegmentRecord


class Opened(NamedTuple):
    """One chunk's files, ready to be written."""

    pieces: Sequence[SegmentInProgress | HandleWriter]
    files: ExitStack
    """Closes them, or, where an error passes through it, removes them."""


Kept = Sequence[SegmentRecord | HandlesRecord]
Opening = Callable[[], Opened]


class _Unwanted(Exception):
    """Passes through the files of a chunk that nobody will write."""


class ChunkCompletion:
    """One call's chunks, in order. Used as a context, by one thread; leaving it ends what goes on beside, and keeps no file."""

    def __init__(self, openings: Iterable[Opening]) -> None:
        """`openings`: each opens a chunk's files, in a thread of its own, while the chunk before it is encoded."""
        self._openings = iter(openings)
        self._next: BackgroundWork[Opened] | None = None
        self._last: BackgroundWork[Kept] | None = None

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        last, coming = self._last, self._next
        self._last = self._next = None
        # Only where the call has failed, or was left, is there anything still: its error is the one that counts.
        if last is not None:
            with suppress(Exception):
                last.answer()
        if coming is not None:
            with suppress(Exception):
                unwanted = coming.answer()
                with unwanted.files:
                    raise _Unwanted

    def opened(self) -> Opened:
        """The next chunk's files; the files of the one after it begin to be opened. Raises what opening them raised."""
        coming, self._next = self._next, None
        assert coming is not None
        opened = coming.answer()
        self._open()
        return opened

    def ready(self) -> Iterator[SegmentRecord | HandlesRecord]:
        """Records of the chunk that is being finished, if it is finished by now. Raises what finishing it raised."""
        if self._last is not None and self._last.over:
            yield from self.rest()

    def rest(self) -> Iterator[SegmentRecord | HandlesRecord]:
        """Records of the chunk that is being finished, if there is one; waits for them. Raises what finishing it raised."""
        last, self._last = self._last, None
        if last is not None:
            yield from last.answer()

    def finish(self, keep: Callable[[], Kept]) -> None:
        """Have a written chunk closed and kept. Only once the `rest` of the chunk before it is told."""
        assert self._last is None
        self._last = BackgroundWork(keep)

    def _open(self) -> None:
        opening = next(self._openings, None)
        self._next = BackgroundWork(opening) if opening else None
