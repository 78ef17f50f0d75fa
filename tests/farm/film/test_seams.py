"""Seams on paper: each waits for both renderings and the later chunk's packets, and is asked for once."""

from fractions import Fraction
from pathlib import Path

import pytest

from farm.film.seams import Seams
from jobs.film.frame_index import PacketSpan
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import Look, Plan, Range, Shot, Support
from jobs.records.media import Media
from jobs.records.orders import Encoding, HandlesRecord, SplitOrder, split_order
from jobs.spec.formats import Codec
from jobs.spec.job import LookChoice
from tests.paper import film_of, picture_of

PICTURE = picture_of("yuv420p")
FILM = film_of(PICTURE)
LOOK = Look(choice=LookChoice(name="test"), support=Support(warmup=4, dissolve=3))
MEDIA = Media(key="chunks/a.mkv", sha256="a", bytes=1)


def encoding(codec: Codec, interval: int) -> Encoding:
    return Encoding(
        codec=codec, encoder="", library="", width=50, height=38, pix_fmt="yuv420p", rate=Fraction(24), time_base=Fraction(1, 24),
        aspect=Fraction(1), colour=PICTURE.colour, options={"g": str(interval)}, threads=1, reorder=0,
    )  # fmt: skip


FFV1, H264 = encoding(Codec.FFV1, 1), encoding(Codec.H264, 5)


@pytest.fixture
def plan() -> Plan:
    """Three chunks of 20 frames in one shot."""
    plan = Plan(20)
    plan.grow([Shot(1, Range(0, 60), LOOK)])
    return plan


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.at(str(tmp_path), "film")


def kept(name: str, frames: Range) -> HandlesRecord:
    return HandlesRecord(digest=name, frames=frames, domain="chroma", media=MEDIA, made_on="a machine")


def split(plan: Plan, number: int) -> SplitOrder:
    chunk = plan.chunks[number - 1]
    stamps = tuple(range(chunk.read.frames))
    return split_order(FILM, chunk, PacketSpan(first=0, first_pts=0, stamps=stamps, wanted=stamps, bytes=1))


def test_a_seam_takes_a_tail_and_an_opening_and_is_ordered_once(plan: Plan, ledger: Ledger) -> None:
    seams = Seams(FILM, ledger, set(), [FFV1, H264])
    first, second, _ = plan.chunks
    lacking = seams.add(first, second, [FFV1])
    # The longest opening of the job's encodings, though only the shorter lacks.
    assert [(chunk.number, list(handles.values())) for chunk, handles in lacking] == [(1, [(20, 23)]), (2, [(20, 25)])]
    (tail, opening) = (name for _, handles in lacking for name in handles)
    assert seams.tail(first) == {tail: (20, 23)}
    assert seams.order(2, split(plan, 2), MEDIA) is None
    assert seams.keep(kept(opening, Range(20, 25))) == 2
    assert seams.order(2, split(plan, 2), MEDIA) is None
    assert seams.keep(kept(tail, Range(20, 23))) == 2
    order = seams.order(2, split(plan, 2), MEDIA)
    assert order is not None
    assert (order.before.digest, order.after.digest, order.dissolve, order.encodings) == (tail, opening, 3, (FFV1,))
    assert seams.order(2, split(plan, 2), MEDIA) is None
    # Kept once more, because a worker was lost at its end.
    assert seams.keep(kept(tail, Range(20, 23))) == 2
    assert seams.order(2, split(plan, 2), MEDIA) is None


def test_what_is_on_paper_is_not_rendered_again(plan: Plan, ledger: Ledger) -> None:
    first, second, third = plan.chunks
    (name,) = Seams(FILM, ledger, set(), [FFV1]).tail(first)
    ledger.keep(kept(name, Range(20, 23)))
    seams = Seams(FILM, ledger, ledger.finished(), [FFV1])
    assert [chunk.number for chunk, _ in seams.add(first, second, [FFV1])] == [2]
    # The middle chunk's own tail is another piece than its opening.
    assert [chunk.number for chunk, _ in seams.add(second, third, [FFV1])] == [2, 3]


def test_a_tail_may_be_kept_before_the_chunk_after_is_planned(plan: Plan, ledger: Ledger) -> None:
    first, second, _ = plan.chunks
    seams = Seams(FILM, ledger, set(), [FFV1])
    ((tail, frames),) = seams.tail(first).items()
    assert seams.keep(kept(tail, frames)) is None
    assert [chunk.number for chunk, _ in seams.add(first, second, [FFV1])] == [2]
    assert seams.tail(plan.chunks[2]) == {}


def test_a_chunk_without_a_seam_has_nothing_to_dissolve(plan: Plan, ledger: Ledger) -> None:
    assert Seams(FILM, ledger, set(), [FFV1]).order(1, split(plan, 1), MEDIA) is None
