"""The dashboards, held against Grafana's own schema, and against what an operator needs of a panel."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import bargauge, prometheus, stat, timeseries
from grafana_foundation_sdk.models.dashboard import Dashboard

from farm.progress.metrics import FilmMetrics
from farm.progress.progress import Progress
from farm.progress.training_console import TrainingProgress
from farm.progress.training_metrics import TrainingMetrics
from tests.deploy.shown import DASHBOARDS, DEPLOY, asked_by_panels, asked_by_rules, dashboard, metrics_in, panels, rules
from tests.farm.progress.test_training_console import RECIPE

OPTIONS = {"timeseries": timeseries.Options, "stat": stat.Options, "bargauge": bargauge.Options}
UNITS = {"short", "percentunit", "s", "bytes", "Bps", "suffix: frames/s"}
"""Base units: Grafana scales them for the eye."""


def as_grafana_reads(model: Any, written: Any) -> Any:
    """What of it Grafana's schema knows: the published classes, generated from it, drop every field that it does not have."""
    return json.loads(JSONEncoder(sort_keys=True).encode(model.from_json(written)))


def lost(written: Any, read: Any, place: str = "") -> list[str]:
    """Places of what was written and not read, or read as something else."""
    if isinstance(written, dict) and isinstance(read, dict):
        return [one for key in written for one in lost(written[key], read.get(key), f"{place}.{key}")]
    if isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        return [
            one for at, (a, b) in enumerate(zip(written, read, strict=True)) for one in lost(a, b, f"{place}[{at}]")
        ]
    return [] if written == read else [place]


def test_there_are_three_and_no_two_share_an_id() -> None:
    assert [path.stem for path in DASHBOARDS] == ["farm", "film", "nodes"]
    assert len({dashboard(path)["uid"] for path in DASHBOARDS}) == 3


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_says_nothing_that_grafanas_schema_does_not_know(path: Path) -> None:
    written = dashboard(path)
    assert not lost(written, as_grafana_reads(Dashboard, written))
    for panel in written["panels"]:
        assert not lost(panel["options"], as_grafana_reads(OPTIONS[panel["type"]], panel["options"])), panel["title"]
        for target in panel["targets"]:
            assert not lost(target, as_grafana_reads(prometheus.Dataquery, target)), panel["title"]
        custom = panel["fieldConfig"]["defaults"].get("custom", {})
        assert not lost(custom, as_grafana_reads(timeseries.FieldConfig, custom)), panel["title"]


def test_a_field_that_grafana_does_not_know_is_seen() -> None:
    written = {"title": "x", "panles": []}
    assert lost(written, as_grafana_reads(Dashboard, written)) == [".panles"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_panel_can_be_read_by_an_operator(path: Path) -> None:
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"][0]
    shown = panels(path)
    assert [panel["id"] for panel in shown] == list(range(1, len(shown) + 1))
    taken: set[tuple[int, int]] = set()
    for panel in shown:
        says = f"{path.stem}: {panel['title']}"
        assert panel["description"].endswith("."), says
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, says
        assert panel["targets"], says
        for one in (panel, *panel["targets"]):
            assert one["datasource"] == {"type": source["type"], "uid": source["uid"]}, says
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, f"{says} lies over another"
        assert max(x for x, _ in cells) < 24, says
        taken |= cells


def test_every_metric_of_the_farm_that_is_asked_for_is_served() -> None:
    served = {f"{one.name}{'_total' * (one.type == 'counter')}" for one in _families()} | {"film_farm_job_info"}
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    for where, expression in {**asked_by_panels(), **asked_by_rules()}.items():
        for name in metrics_in(expression):
            assert name in served | recorded or name.startswith(("ray_", "autoscaler_")), where


def _families() -> list[Any]:
    return [*FilmMetrics(Progress("kid")).collect(), *TrainingMetrics(TrainingProgress(RECIPE)).collect()]


def test_the_dashboards_are_provisioned_where_compose_puts_them() -> None:
    provider = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/farm.yml").read_text())["providers"][0]
    grafana = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["grafana"]
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in grafana["volumes"]
    assert "./grafana/provisioning:/etc/grafana/provisioning:ro" in grafana["volumes"]
