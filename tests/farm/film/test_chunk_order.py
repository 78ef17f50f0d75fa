"""The order of chunks: every rank order is a permutation of the film's, first, last and every n-th before all others, and a preview is due once."""

from dataclasses import replace
from functools import cache

import pytest

from farm.film.calls import RenderCall
from farm.film.chunk_order import MOST, ChunkOrder
from jobs.film.frame_index import PacketSpan
from jobs.plan.plan import Look, Plan, Range, Shot
from jobs.records.media import Media
from jobs.records.orders import RenderOrder, split_order
from jobs.spec.job import LookChoice
from tests.farm.studio import spec_of
from tests.paper import film_of, picture_of

FILM = film_of(picture_of("yuv420p", 192, 112))
LOOK = Look(choice=LookChoice(name="none"))
PLANNED = Plan(1).grow([Shot(1, Range(0, 1), LOOK)])


def order_of(seconds: float = 10.0, **fields: object) -> ChunkOrder:
    film = FILM.model_copy(update={"seconds": seconds})
    return ChunkOrder(spec_of("film.mp4", "folder", **fields), film)


def call_for(*chunks: int) -> RenderCall:
    return RenderCall([order_for(number) for number in chunks])


@cache
def order_for(number: int) -> RenderOrder:
    chunk = replace(PLANNED[0], number=number)
    split = split_order(FILM, chunk, PacketSpan(first=0, first_pts=0, stamps=(0,), wanted=(0,), bytes=1))
    return RenderOrder(
        chunk=number, core=chunk.core, read=chunk.read, dissolve=0, look=LOOK, film=FILM, split=split,
        media=Media(key="chunks/a.mkv", sha256="a", bytes=1),
    )  # fmt: skip


@pytest.mark.parametrize("chunks", [1, 2, 23, 100])
@pytest.mark.parametrize("every", [1, 2, 7, 1000])
def test_first_last_and_every_nth_come_first_then_the_film(chunks: int, every: int) -> None:
    order = order_of(order="preview", preview_every=every)
    order.ends_with(chunks)
    calls = [order.prioritised(call_for(number)) for number in range(1, chunks + 1)]
    begun = [call.chunks[0] for call in sorted(calls, key=lambda one: one.priority)]
    assert sorted(begun) == list(range(1, chunks + 1))
    early = sorted({*range(1, chunks + 1, every), chunks})
    assert begun[: len(early)] == early
    assert begun[len(early) :] == sorted(begun[len(early) :])


def test_neighbours_go_early_with_one_that_does_and_a_films_order_is_left_alone() -> None:
    preview = order_of(order="preview", preview_every=10)
    assert preview.prioritised(call_for(9, 10, 11, 12)).priority == (1, 11)
    assert preview.prioritised(call_for(12, 13)).priority == (2, 12)
    parts = preview.prioritised(call_for(10, 11)).parts
    assert [one.priority for one in parts] == [(2, 10), (1, 11)]
    assert order_of().prioritised(call_for(1)).priority == (2, 1)


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
