"""Batches: which neighbouring chunks go into one call. Promises that batching changes no digest; knows no film."""

from collections.abc import Iterable, Iterator, Sequence

from jobs.plan import Chunk


def batches(chunks: Iterable[Chunk], target: int) -> Iterator[tuple[int, ...]]:
    """Neighbours, by number, together at most as long as one chunk may be: a two-second shot should not cost a call.

    What stands in for a chunk is a batch of its own.
    """
    batch: list[Chunk] = []
    for chunk in chunks:
        full = sum(one.core.frames for one in batch) + chunk.core.frames > target
        apart = bool(batch) and bool(batch[-1].look.stand_in or chunk.look.stand_in)
        if batch and (full or apart or batch[-1].number + 1 != chunk.number):
            yield tuple(one.number for one in batch)
            batch = []
        batch.append(chunk)
    if batch:
        yield tuple(one.number for one in batch)


def in_words(numbers: Sequence[int]) -> str:
    """Neighbours for people: "chunk 3", "chunks 3-5"."""
    return f"chunk {numbers[0]}" if len(numbers) == 1 else f"chunks {numbers[0]}-{numbers[-1]}"
