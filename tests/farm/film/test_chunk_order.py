"""The order of chunks: every rank order is a permutation of the film's, first, last and every n-th before all others, and a preview is due once."""

from dataclasses import replace

import pytest

from farm.film.chunk_order import MOST, ChunkOrder
from farm.fleet.calls import Call
from tests.farm.studio import spec_of
from tests.paper import film_of, picture_of

FILM = film_of(picture_of("yuv420p", 192, 112))


def order_of(seconds: float = 10.0, **fields: object) -> ChunkOrder:
    film = FILM.model_copy(update={"seconds": seconds})
    return ChunkOrder(spec_of("film.mp4", "folder", **fields), film)


class Chunked:
    """As much of an order for an actor as a rank goes by."""

    def __init__(self, chunk: int) -> None:
        self.chunk = chunk


def call_for(*chunks: int) -> Call:
    return Call("splitter", "split", ([Chunked(one) for one in chunks],), (2, chunks[0]))


@pytest.mark.parametrize("chunks", [1, 2, 23, 100])
@pytest.mark.parametrize("every", [1, 2, 7, 1000])
def test_first_last_and_every_nth_come_first_then_the_film(chunks: int, every: int) -> None:
    order = order_of(order="preview", preview_every=every)
    order.ends_with(chunks)
    calls = [order.ranked(call_for(number)) for number in range(1, chunks + 1)]
    begun = [call.args[0][0].chunk for call in sorted(calls, key=lambda one: one.rank)]
    assert sorted(begun) == list(range(1, chunks + 1))
    early = sorted({*range(1, chunks + 1, every), chunks})
    assert begun[: len(early)] == early
    assert begun[len(early) :] == sorted(begun[len(early) :])


def test_neighbours_go_early_with_one_that_does_and_a_films_order_is_left_alone() -> None:
    preview = order_of(order="preview", preview_every=10)
    assert preview.ranked(call_for(9, 10, 11, 12)).rank == (1, 11)
    assert preview.ranked(call_for(12, 13)).rank == (2, 12)
    parts = preview.ranked(replace(call_for(10, 11), parts=(call_for(10), call_for(11)))).parts
    assert [one.rank for one in parts] == [(2, 10), (1, 11)]
    assert order_of().ranked(call_for(1)).rank == (2, 1)


@pytest.mark.parametrize("seconds", [0.0, 60.0, 600.0, 7200.0, 360_000.0])
def test_a_preview_is_about_five_percent_and_few(seconds: float) -> None:
    order = order_of(seconds, order="preview")
    chunks = max(1, int(seconds / 4))
    order.ends_with(chunks)
    early = sum(map(order.is_early, range(1, chunks + 1)))
    assert early <= min(MOST, chunks / 20) + 2


def test_a_preview_is_due_once_when_the_film_is_known_and_none_of_it_lacks() -> None:
    order = order_of(order="preview", preview_every=4)
    assert not order.is_due([])  # more chunks may come
    order.ends_with(10)
    assert not order.is_due([2, 5, 7])
    assert not order.is_due([10])
    assert order.is_due([2, 3, 4, 6, 7, 8])
    assert not order.is_due([])
    assert not order_of().is_due([])
