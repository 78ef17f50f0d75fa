"""The forecast of a real plan: rows for fleets, what they cost, what they rest on, and one sentence for what cannot be."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from farm.estimate.forecast import Forecaster, ForecastRequest, WorkerKind, fleets_of
from farm.estimate.node_prices import dearer
from farm.estimate.throughput import PROPAGATED_SECONDS
from farm.fleet.calls import Cluster
from jobs.digest import digest
from jobs.errors import BadSpec
from jobs.ledger.usage import MeasuredThroughput
from jobs.plan.plan import Range
from jobs.spec.cost import Cost
from tests.farm.inline import surveyed
from tests.farm.studio import spec_of
from tests.films import Recipe

HERE = Cluster(local=True, cpus=2.0, gpus=0.0)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=240, size=(64, 32), rate=Fraction(10)).make(tmp_path_factory.mktemp("film") / "film.mp4")


def forecaster(film: Path, folder: Path, wish: ForecastRequest = ForecastRequest(), **paces: float) -> Forecaster:  # noqa: B008  frozen
    """Of a film of 24 chunks of 10 frames; `paces`: seconds a frame by hardware, measured over 100 frames."""
    fields: dict[str, Any] = {"chunk_seconds": 1, "shots": {"detect": "adaptive", "threshold": 1000}}
    survey = surveyed(spec_of(film, folder, workers={"gpus": 1, "cpus": 2, "count": 2}, **fields))
    (look,) = survey.looks.values()
    size, network = 64 * 32 / 1e6, digest(look.named())
    known = [
        MeasuredThroughput(
            look="none", network=network, hardware=name, megapixels=size, frames=100, seconds=100 * seconds
        )
        for name, seconds in paces.items()
    ]
    return Forecaster(survey, wish, known)


def test_more_renderers_take_less_time_and_the_same_hours(film: Path, tmp_path: Path) -> None:
    wish = ForecastRequest(fleets_of("2,8", None), Cost(gpu_hour=36.0), boot_seconds=0.0)
    one = forecaster(film, tmp_path, wish, l4=1.0)
    (basis,), (few, many) = one.of(one.survey.plan.chunks, HERE)
    assert (basis.look, basis.hardware, basis.frames, basis.seconds_per_frame) == ("none", "l4", 100, 1.0)
    assert [row.fleet for row in (few, many)] == ["2", "8"]
    # 240 frames of a second each.
    assert few.rendered_seconds == pytest.approx(120, abs=8)
    assert many.rendered_seconds == pytest.approx(30, abs=8)
    assert few.gpu_hours == pytest.approx(240 / 3600, rel=0.1)
    assert few.cost == pytest.approx(2.4, rel=0.1)
    assert few.busy > many.busy > 0.7
    assert one.seconds(one.survey.plan.chunks) == pytest.approx(240)


def test_a_fleet_of_two_kinds_is_paid_by_the_kind(film: Path, tmp_path: Path) -> None:
    wish = ForecastRequest(fleets_of(None, "l4:2@36,a100:1@360"), boot_seconds=0.0)
    one = forecaster(film, tmp_path, wish, **{"NVIDIA L4": 1.0, "NVIDIA A100": 0.25})
    basis, (found,) = one.of(one.survey.plan.chunks, HERE)
    assert [each.hardware for each in basis] == ["NVIDIA L4", "NVIDIA A100"]
    # Six frames a second together.
    assert found.rendered_seconds == pytest.approx(40, rel=0.3)
    assert found.cost == pytest.approx(found.gpu_hours / 3 * (36 + 36 + 360), rel=0.05)


def test_each_kind_is_paid_for_as_long_as_it_is_hired(film: Path, tmp_path: Path) -> None:
    """Of two chunks each has one: half a minute of the L4, and seconds of the A100, which is let go then."""
    paces = {"NVIDIA L4": 3.0, "NVIDIA A100": 0.25}
    kinds = {}
    for name, prices in {"l4": (360, 0), "a100": (0, 360), "both": (360, 360)}.items():
        wish = ForecastRequest(fleets_of(None, f"l4:1@{prices[0]},a100:1@{prices[1]}"), boot_seconds=0.0)
        one = forecaster(film, tmp_path / name, wish, **paces)
        _, (found,) = one.of(one.survey.plan.chunks[:2], HERE)
        kinds[name] = found
    l4, a100, both = (kinds[name].cost for name in ("l4", "a100", "both"))
    assert l4 is not None
    assert a100 is not None
    assert both is not None
    assert l4 == pytest.approx(3.0, rel=0.1)
    assert a100 == pytest.approx(0.25, rel=0.5)
    assert l4 + a100 == pytest.approx(both, abs=0.02)
    assert both == pytest.approx(kinds["both"].gpu_hours * 360, rel=0.02)


def test_a_kind_without_a_price_of_its_own_is_paid_by_the_specs(film: Path, tmp_path: Path) -> None:
    fleet, paces = "l4:1@36,a100:1", {"NVIDIA L4": 1.0, "NVIDIA A100": 1.0}
    costs = []
    for name, prices in (("none", None), ("half", Cost(gpu_hour=18.0)), ("same", Cost(gpu_hour=36.0))):
        one = forecaster(film, tmp_path / name, ForecastRequest(fleets_of(None, fleet), prices, 0.0), **paces)
        costs.append(one.of(one.survey.plan.chunks, HERE)[1][0].cost)
    unknown, half, same = costs
    assert unknown is None
    assert half is not None
    assert half == pytest.approx(0.75 * (same or 0), rel=0.05)


def test_what_nobody_measured_says_so_and_a_kind_that_nobody_measured_is_refused(film: Path, tmp_path: Path) -> None:
    one = forecaster(film, tmp_path)
    (basis,), (found,) = one.of(one.survey.plan.chunks, HERE)
    assert (basis.frames, basis.hardware, found.workers, found.cost) == (0, "one core", 2, None)
    assert one.of([], HERE) == ((), ())
    lacking = forecaster(film, tmp_path, ForecastRequest(fleets_of(None, "h100:4")), l4=1.0)
    with pytest.raises(BadSpec, match="'none' was not rendered on 'h100' by any job in "):
        lacking.of(lacking.survey.plan.chunks, HERE)


def test_fleets_are_read_as_people_write_them() -> None:
    assert fleets_of("8, 32", "l4:8, a100:2@3.5") == (
        (WorkerKind("", 8),),
        (WorkerKind("", 32),),
        (WorkerKind("l4", 8), WorkerKind("a100", 2, 3.5)),
    )
    assert fleets_of(None, None) == ()


@pytest.mark.parametrize(("workers", "fleet"), [("0", None), ("8,", None), ("l4:8", None), ("8@2", None), (None, "l4"), (None, "l4:x"), (None, "l4:2@much"), (None, "l4:2@nan"), (None, "l4:2@-1")])  # fmt: skip
def test_what_is_no_fleet_is_refused_with_an_example(workers: str | None, fleet: str | None) -> None:
    with pytest.raises(BadSpec, match=r"write .*, as in "):
        fleets_of(workers, fleet)


PRICES = Cost(gpu_hour=1.1, cpu_hour=0.05)


def test_a_gpu_that_brings_less_than_it_costs_is_said_so_in_one_line_and_is_an_estimate(
    film: Path, tmp_path: Path
) -> None:
    one = forecaster(film, tmp_path, ForecastRequest(cost=PRICES))
    gpu, cpu = found = one.by_nodes(one.survey.plan.chunks, HERE)
    assert (gpu.nodes, gpu.gpus, gpu.cpus, cpu.nodes, cpu.gpus, cpu.cpus) == ("GPU", 1, 2, "CPU", 0, 1)
    assert not gpu.measured
    assert "estimated for 1 of an L4 and 2 cores" in gpu.basis[0]
    # Nothing is drawn: what is encoded takes half as long on two cores, at (1.1 + .1) and not .05 an hour.
    assert gpu.cost / cpu.cost == pytest.approx(12, rel=0.01)
    assert dearer(found).startswith("GPU nodes would cost 12.0 times what CPU nodes cost for this film (estimated): ")


def test_what_was_measured_on_either_kind_of_node_prices_it(film: Path, tmp_path: Path) -> None:
    measured = {"NVIDIA L4": 0.01, "x86_64 AVX2, 8 cores": 2.0}
    one = forecaster(film, tmp_path, ForecastRequest(cost=PRICES), **measured)
    gpu, cpu = found = one.by_nodes(one.survey.plan.chunks, HERE)
    assert (gpu.measured, cpu.measured) == (True, True)
    assert gpu.hours == pytest.approx(240 * 0.01 / 3600, abs=1e-4)
    assert cpu.cost == pytest.approx(240 * 2.0 / 3600 * 0.05, abs=1e-4)
    assert dearer(found) == ""
    assert forecaster(film, tmp_path).by_nodes(one.survey.plan.chunks, HERE) == ()


def test_propagators_are_paid_beside_nodes_of_either_kind(film: Path, tmp_path: Path) -> None:
    one = forecaster(film, tmp_path, ForecastRequest(cost=PRICES))
    chunks = one.survey.plan.chunks
    propagated = Forecaster(one.survey, ForecastRequest(cost=PRICES), (), [Range(0, 100)]).by_nodes(chunks, HERE)
    seconds = 100 * PROPAGATED_SECONDS
    for found, plain in zip(propagated, one.by_nodes(chunks, HERE), strict=True):
        assert found.propagation_hours == pytest.approx(seconds / 3600, abs=1e-4)
        assert plain.propagation_hours == 0
        assert found.cost - plain.cost == pytest.approx(seconds / 3600 * 0.05)
