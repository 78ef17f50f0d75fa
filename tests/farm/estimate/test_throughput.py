"""Rates of looks: measured over all jobs of a store, of the same network alone, scaled by size; else constants that say so."""

from pathlib import Path

import pytest

from farm.estimate.throughput import Throughputs, paces_in
from jobs.digest import digest
from jobs.ledger.ledger import Ledger
from jobs.ledger.usage import MeasuredThroughput, Usage, keep_tally
from jobs.plan.plan import Look
from jobs.spec.codecs import Codec
from jobs.spec.formats import Deliverable
from jobs.spec.job import LookChoice
from jobs.store import open_store

LOOK = Look(choice=LookChoice(name="colorize"))
H264 = (Deliverable(codec=Codec.H264),)


def pace_of(
    frames: int, seconds: float, look: Look = LOOK, hardware: str = "NVIDIA L4", size: float = 2.0
) -> MeasuredThroughput:
    name = digest(look.named())
    return MeasuredThroughput(
        look="colorize", network=name, hardware=hardware, megapixels=size, frames=frames, seconds=seconds
    )


def test_every_job_of_a_store_counts_and_what_is_damaged_counts_for_nothing(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    for job, frames in (("one", 100), ("two", 300)):
        keep_tally(Ledger(store, job), Usage(paces=(pace_of(frames, 10.0),)))
    store.write("three/tally.json", b"{")
    assert sorted(pace.frames for pace in paces_in(store)) == [100, 300]
    rate = Throughputs(paces_in(store), H264, 1.0).of(LOOK)
    assert (rate.frames, rate.hardware) == (400, "NVIDIA L4")
    # 20 s for 400 frames of two megapixels; these have one, but the network's own size is the same.
    assert rate.seconds == pytest.approx(0.05 * (0.045 + 0.08 * 1.0) / (0.045 + 0.08 * 2.0))


def test_another_version_of_a_look_is_another_look() -> None:
    other = LOOK.model_copy(update={"version": 2})
    found = Throughputs([pace_of(100, 10.0, other)], H264, 1.0).of(LOOK)
    assert (found.frames, found.hardware) == (0, "one core")
    assert found.seconds == pytest.approx(0.045 + 0.08)


def test_the_kind_that_was_measured_most_unless_one_is_named() -> None:
    rates = Throughputs([pace_of(100, 10.0), pace_of(900, 9.0, hardware="NVIDIA A100")], H264, 2.0)
    assert rates.of(LOOK).hardware == "NVIDIA A100"
    assert rates.of(LOOK, "l4").seconds == pytest.approx(0.1)
    assert rates.of(LOOK, "h100").frames == 0


def test_constants_grow_with_pictures_and_deliverables() -> None:
    def seconds(name: str, megapixels: float, *codecs: Codec) -> float:
        look = Look(choice=LookChoice(name=name))
        return Throughputs([], [Deliverable(codec=codec) for codec in codecs], megapixels).of(look).seconds

    assert seconds("none", 2.0, Codec.H264) == pytest.approx(0.16)
    assert seconds("none", 2.0, Codec.H264, Codec.FFV1) == pytest.approx(0.32)
    assert seconds("fast-style", 2.0, Codec.H264) == pytest.approx(5.76)
    assert seconds("unheard-of", 0.0) == seconds("colorize", 0.0) == 0.045


def test_the_nearest_size_that_was_measured_tells() -> None:
    sizes = [pace_of(100, 4.0, size=0.5), pace_of(900, 90.0, size=8.0), pace_of(50, 4.0, size=2.0)]
    found = Throughputs(sizes, H264, 2.5).of(LOOK)
    assert found.frames == 50
    assert found.seconds == pytest.approx(0.08 * (0.045 + 0.08 * 2.5) / (0.045 + 0.08 * 2.0))


def test_the_nearest_number_of_renderers_tells_first() -> None:
    paces = [pace_of(100, 2.0), pace_of(100, 4.0).model_copy(update={"renderers": 2})]
    assert [Throughputs(paces, H264, 2.0).of(LOOK, "", count).seconds for count in (1, 2, 32)] == [0.02, 0.04, 0.04]
