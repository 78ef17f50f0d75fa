"""Digests name everything that changes a picture, and nothing else."""

import dataclasses
from fractions import Fraction
from typing import Any

import pytest
from pydantic import ValidationError

from jobs.film.frame_index import PacketSpan
from jobs.film.source import Colour, Film, Picture, SourceIdentity
from jobs.plan.plan import Look, Plan, Range, Shot, Support
from jobs.records.orders import Encoding, handles_digest, segment_digests, split_order
from jobs.spec.codecs import Codec
from jobs.spec.job import LookChoice

COLOUR = Colour(matrix="bt709", full_range=False, primaries=1, transfer=1, space=1, assumed=False)
FILM = Film(
    source="/films/a.mp4",
    identity=SourceIdentity(bytes=1000, version="1", ends_sha256="ab"),
    format="mp4",
    picture=Picture(
        stream=0, codec="h264", width=64, height=48, stored="yuv420p", pix_fmt="yuv420p", depth=8, time_base=Fraction(1, 24), rate=Fraction(24),
        aspect=Fraction(1), rotation=0, colour=COLOUR,
    ),
)  # fmt: skip
ENCODING = Encoding(
    codec=Codec.FFV1, encoder="ffv1", library="ffv1 / 62", width=64, height=48, pix_fmt="yuv420p", rate=Fraction(24), time_base=Fraction(1, 24),
    aspect=Fraction(1), colour=COLOUR, options={"level": "3"}, threads=1, reorder=0,
)  # fmt: skip
LOOK = Look(choice=LookChoice(name="colorize", settings={"strength": 1.0}), support=Support(context=2), weights=("aa",))


def chunks(look: Look = LOOK, target: int = 20) -> Plan:
    plan = Plan(target)
    plan.grow([Shot(1, Range(0, 40), look), Shot(2, Range(40, 90), look)])
    return plan


def names(plan: Plan, film: Film = FILM, encoding: Encoding = ENCODING) -> list[str]:
    return [name for chunk in plan.chunks for name in segment_digests(film, plan.chunks, chunk, encoding).values()]


@pytest.mark.parametrize("options", [{"g": "0"}, {"g": "[/]"}, {"crf": "9" * 10}, {"qp": ""}, {"g": "\u0663"}])
def test_numbers_by_which_the_farm_reckons_are_numbers(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="is a whole number"):
        Encoding.model_validate(ENCODING.model_dump() | {"options": options})


def test_each_segment_has_its_own_name() -> None:
    assert len(set(names(chunks()))) == len(chunks().chunks)


@pytest.mark.parametrize(
    "change",
    [
        {"choice": LookChoice(name="colorize", settings={"strength": 0.9})},
        {"choice": LookChoice(name="other", settings={"strength": 1.0})},
        {"weights": ("bb",)},
        {"version": 2},
    ],
)
def test_what_changes_the_look_changes_every_name(change: dict[str, Any]) -> None:
    assert not set(names(chunks())) & set(names(chunks(LOOK.model_copy(update=change))))


def test_where_a_look_lies_changes_no_name() -> None:
    def packaged(place: str, **change: Any) -> Look:
        choice = LookChoice(name=place, settings={"strength": 1.0, "weights": [f"{place}/w"]})
        return LOOK.model_copy(update={"choice": choice, "kind": "oil", "places": ("weights",), **change})

    here, there = packaged("/looks/painter"), packaged("s3://bucket/painter")
    assert here.title == there.title == "painter"
    assert names(chunks(here)) == names(chunks(there))
    for change in ({"weights": ("bb",)}, {"kind": "other"}, {"places": ()}):
        assert not set(names(chunks(here))) & set(names(chunks(packaged("/looks/painter", **change))))


@pytest.mark.parametrize(
    "change",
    [
        {"options": {"level": "1"}},
        {"threads": 2},
        {"library": "ffv1 / 63"},
        {"pix_fmt": "yuv444p"},
        {"encoder": "ffv1_vulkan"},
        {"width": 32},
    ],
)
def test_what_changes_the_encoder_changes_every_name(change: dict[str, Any]) -> None:
    assert not set(names(chunks())) & set(names(chunks(), encoding=ENCODING.model_copy(update=change)))


def test_another_source_is_another_film_but_its_place_does_not_matter() -> None:
    other = FILM.model_copy(update={"identity": FILM.identity.model_copy(update={"version": "2"})})
    assert not set(names(chunks())) & set(names(chunks(), other))
    assert names(chunks()) == names(chunks(), FILM.model_copy(update={"source": "s3://bucket/a.mp4"}))


def test_changing_one_shot_changes_only_its_chunks() -> None:
    plan = Plan(20)
    plan.grow([Shot(1, Range(0, 40), LOOK), Shot(2, Range(40, 90), LOOK.model_copy(update={"version": 9}))])
    before, after = names(chunks()), names(plan)
    assert [a == b for a, b in zip(before, after, strict=True)] == [chunk.shot == 1 for chunk in plan.chunks]


@pytest.mark.parametrize(("lead_in", "form"), [(0, "packets"), (3, "packets"), (4, "ffv1")])
def test_a_chunk_is_kept_losslessly_where_lead_in_exceeds_what_is_wanted(lead_in: int, form: str) -> None:
    stamps = tuple(range(lead_in + 3))
    span = PacketSpan(first=0, first_pts=0, stamps=stamps, wanted=stamps[lead_in:], bytes=10)
    order = split_order(FILM, chunks().chunks[0], span)
    assert order.form == form
    assert len(order.kept) == (3 if form == "packets" else order.read.frames)


def test_a_chunks_name_changes_only_on_purpose() -> None:
    # Chunks that are in a store are used by their name: what is kept otherwise gets another `version`.
    span = PacketSpan(first=0, first_pts=0, stamps=(0, 1, 2), wanted=(0, 1, 2), bytes=10)
    assert split_order(FILM, chunks().chunks[0], span).digest == "a4f0d7c3ef48f825806bf04fdcd32e37fe2ef142"


MEMORY = LOOK.model_copy(update={"support": Support(warmup=4, dissolve=3)})


def every(interval: int) -> Encoding:
    """An encoding with a keyframe at least every `interval` frames."""
    return ENCODING.model_copy(update={"options": {"g": str(interval)}})


@pytest.mark.parametrize(
    ("core", "dissolve", "interval", "stop"),
    [
        (20, 0, 1, 0),
        (20, 0, 8, 0),
        (20, 3, 1, 3),
        (20, 3, 3, 3),
        (20, 3, 8, 8),
        (20, 9, 8, 20),  # 16, but then fewer than 8 would remain
        (20, 3, 48, 20),
        (16, 3, 8, 8),
        (15, 3, 8, 15),
    ],
)
def test_an_opening_is_whole_keyframe_intervals(core: int, dissolve: int, interval: int, stop: int) -> None:
    assert every(interval).opening(Range(100, 100 + core), dissolve) == (100, 100 + stop)


def test_segments_tile_each_core_and_openings_name_both_renderings() -> None:
    plan = chunks(MEMORY)
    frames = [list(segment_digests(FILM, plan.chunks, chunk, every(4))) for chunk in plan.chunks]
    assert frames == [
        [(0, 20)], [(20, 24), (24, 40)],
        [(40, 60)], [(60, 64), (64, 75)], [(75, 79), (79, 90)],
    ]  # fmt: skip
    # A memory that begins elsewhere before the seam changes the opening and the earlier core, and nothing after.
    other = Plan(20)
    other.grow([Shot(1, Range(0, 40), MEMORY), Shot(2, Range(40, 90), MEMORY)])
    first = other.chunks[0]
    other.chunks[0] = dataclasses.replace(first, read=Range(1, first.read.stop))
    changed = [a != b for a, b in zip(names(plan, FILM, every(4)), names(other, FILM, every(4)), strict=True)]
    assert changed == [True, True, False, False, False, False, False, False]


def test_an_opening_is_the_same_however_much_is_kept_for_other_encodings() -> None:
    plan = chunks(MEMORY)
    second = plan.chunks[1]
    kept = {handles_digest(FILM, second, Range(20, stop)) for stop in (24, 28)}
    assert len(kept) == 2
    assert len(set(names(plan, FILM, every(4)))) == 8
    assert set(names(plan, FILM, every(4))).isdisjoint(names(plan, FILM, every(8)))
