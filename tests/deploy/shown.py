"""What the dashboards and rules ask of Prometheus: every expression, every metric named. Promises the files as they are; knows no server."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARDS = sorted((DEPLOY / "grafana/dashboards").glob("*.json"))
RULES = sorted((DEPLOY / "prometheus/rules").glob("*.yml"))
ALERT_TESTS = sorted((Path(__file__).parent / "alerts").glob("*.yml"))

_METRIC = re.compile(r"\b(?:film_farm_|ray_|autoscaler_|job:|job_reason:|instance:)[a-zA-Z0-9_:]+")


def dashboard(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text())
    return read


def panels(path: Path) -> list[dict[str, Any]]:
    return list(dashboard(path)["panels"])


def rules() -> list[dict[str, Any]]:
    """Every recording and alert rule."""
    return [rule for path in RULES for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


def asked_by_panels() -> dict[str, str]:
    """What each panel asks, by its place; variables as Grafana would fill them in for the film "kid"."""
    return {
        f"{path.stem}, {panel['title']}, {target['refId']}": target["expr"].replace("$job", "kid")
        for path in DASHBOARDS
        for panel in panels(path)
        for target in panel["targets"]
    }


def asked_by_rules() -> dict[str, str]:
    return {rule.get("record") or rule["alert"]: rule["expr"] for rule in rules()}


def metrics_in(expression: str) -> set[str]:
    """The metrics of the farm, of Ray and of recording rules that an expression names."""
    return set(_METRIC.findall(re.sub(r'"[^"]*"', '""', expression)))
