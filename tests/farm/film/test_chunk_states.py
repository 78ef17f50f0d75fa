"""Chunks on paper: what each lacks, and what finishes it; a seam waits for both renderings and the later chunk's packets, and is asked for once."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from farm.film.chunk_states import ChunkState, ChunkStates
from jobs.film.frame_index import PacketSpan
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import Chunk, Look, Plan, Range, Shot, Support
from jobs.records.media import Media
from jobs.records.orders import Encoding, HandlesRecord, SegmentRecord, segment_digests
from jobs.spec.codecs import Codec
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


def planned(ledger: Ledger, chunks: Sequence[Chunk], *encodings: Encoding) -> ChunkStates:
    states = ChunkStates(FILM, ledger, encodings)
    for state in states.add(chunks):
        states.note(state)
    return states


def split(states: ChunkStates, number: int) -> ChunkState:
    """A chunk whose read lies in the store."""
    state = states[number]
    stamps = tuple(range(state.chunk.read.frames))
    states.order_split(state, PacketSpan(first=0, first_pts=0, stamps=stamps, wanted=stamps, bytes=1))
    state.media = MEDIA
    return state


def test_a_seam_takes_a_tail_and_an_opening_and_is_ordered_once(plan: Plan, ledger: Ledger) -> None:
    (opening, name), _ = segment_digests(FILM, plan.chunks, plan.chunks[1], H264).items()
    ledger.keep(
        SegmentRecord(
            digest=name, frames=opening, media=MEDIA, delay=0, extradata_sha256="", made_on="a machine", seconds=1.0
        )
    )
    states = planned(ledger, plan.chunks, FFV1, H264)
    # The longest opening of the job's encodings, though only the shorter lacks.
    (tail,) = (name for name, frames in states[1].handles.items() if frames == (20, 23))
    (own,) = (name for name, frames in states[2].handles.items() if frames == (20, 25))
    assert states.tail(plan.chunks[0]) == states[1].handles == {tail: (20, 23)}
    assert {tail, own} <= states[1].missing | states[2].missing
    second = split(states, 2)
    assert states.dissolve_order(second) is None
    states.keep(kept(own, Range(20, 25)))
    assert states.of(own) == [second]
    assert states.dissolve_order(second) is None
    states.keep(kept(tail, Range(20, 23)))
    assert states.of(tail) == [states[1], second]
    order = states.dissolve_order(second)
    assert order is not None
    assert (order.before.digest, order.after.digest, order.dissolve, order.encodings) == (tail, own, 3, (FFV1,))
    assert not {tail, own} & (states[1].missing | second.missing)
    assert states.dissolve_order(second) is None
    # Kept once more, because a worker was lost at its end.
    assert states.keep(kept(tail, Range(20, 23))) == []
    assert states.dissolve_order(second) is None


def test_a_seam_waits_for_its_later_chunks_packets(plan: Plan, ledger: Ledger) -> None:
    states = planned(ledger, plan.chunks, FFV1)
    for state in states:
        for name, frames in state.handles.items():
            states.keep(kept(name, frames))
    assert [states.dissolve_order(state) for state in states] == [None] * 3
    orders = [states.dissolve_order(split(states, number)) for number in (1, 2, 3)]
    assert [order and order.chunk for order in orders] == [None, 2, 3]


def test_what_is_on_paper_is_not_rendered_again(plan: Plan, ledger: Ledger) -> None:
    (name,) = planned(ledger, plan.chunks, FFV1).tail(plan.chunks[0])
    ledger.keep(kept(name, Range(20, 23)))
    states = planned(ledger, plan.chunks, FFV1)
    # The middle chunk's own tail is another piece than its opening.
    assert [list(state.handles.values()) for state in states] == [[], [(40, 43), (20, 23)], [(40, 43)]]
    assert name not in states[1].missing


def test_a_tail_may_be_kept_before_the_chunk_after_is_planned(plan: Plan, ledger: Ledger) -> None:
    first, second, third = plan.chunks
    states = planned(ledger, [first], FFV1)
    ((tail, frames),) = states[1].handles.items()
    states.keep(kept(tail, frames))
    (later,) = states.add([second])
    states.note(later)
    assert tail not in states[1].missing
    assert list(later.handles.values()) == [(40, 43), (20, 23)]
    assert states.tail(third) == {}


def test_a_chunk_that_becomes_another_begins_anew(plan: Plan, ledger: Ledger) -> None:
    states = planned(ledger, plan.chunks, FFV1)
    asked = {number: set(states[number].missing) for number in (1, 2, 3)}
    split(states, 2).frames_done = 7
    own = states[2].split
    assert own is not None
    plain = replace(plan.chunks[1], dissolve=0, tail=0)
    state = states.replace(plain)
    states.note(state)
    assert (states[2], states.chunks[1], state.split, state.media, state.frames_done) == (state, plain, None, None, 7)
    assert (state.seam, state.handles, states.of(own.digest)) == (None, {}, [])
    assert state.missing == set(segment_digests(FILM, states.chunks, plain, FFV1).values())
    assert {number: states[number].missing for number in (1, 3)} == {number: asked[number] for number in (1, 3)}


def test_the_last_piece_finishes_a_chunk(plan: Plan, ledger: Ledger) -> None:
    states = planned(ledger, plan.chunks[:1], FFV1)
    (tail,) = states[1].handles
    (name,) = states[1].encodings
    assert states.keep(kept(tail, Range(20, 23))) == []
    segment = SegmentRecord(
        digest=name, frames=Range(0, 20), media=MEDIA, delay=0, extradata_sha256="", made_on="a machine", seconds=1.0
    )
    assert states.keep(segment) == [states[1]]
    assert states.keep(segment) == []


def test_a_chunk_without_a_seam_has_nothing_to_dissolve(plan: Plan, ledger: Ledger) -> None:
    states = planned(ledger, plan.chunks, FFV1)
    assert states.dissolve_order(split(states, 1)) is None
