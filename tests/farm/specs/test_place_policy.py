"""A spec or recipe for a cluster names no place that the operator has not allowed: not by any field, nor by '..', nor by a link."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from farm.cli.sessions import deliver, list_shots, plan_only
from farm.learn.evaluate import EvaluationRequest, evaluate
from farm.learn.train import train_look
from farm.specs.place_policy import confine_spec
from jobs.errors import BadSpec, BadStore
from jobs.spec.job import JobSpec
from jobs.spec.parser import parse_spec
from jobs.spec.training_recipe import parse_recipe
from jobs.store.allowed_places import FOLDERS, PLACES

CLUSTER = "head:6379"
REMOTE: dict[str, Any] = {
    "name": "film",
    "source": "s3://films/film.mp4",
    "store": "s3://farm/work",
    "output": "s3://films/out",
    "look": {"name": "none"},
}


def spec(**fields: Any) -> JobSpec:
    return parse_spec({**REMOTE, **fields}, "spec")


def fields_of(place: str) -> dict[str, dict[str, Any]]:
    """Every way in which a spec can name a file, by the field that the sentence names."""
    other = {"name": "none", "settings": {"a": [{"b": place}]}}
    return {
        "source": {"source": place},
        "store": {"store": place},
        "output": {"output": place},
        "shots.file": {"shots": {"file": place}},
        "stills": {"stills": place},
        "grade.cdl": {"grade": {"cdl": place}},
        "override 1, grade.lut": {"overrides": [{"shots": "1", "grade": {"lut": place}}]},
        "look.name": {"look": {"name": place}},
        "look.settings.weights": {"look": {"name": "fast-style", "settings": {"weights": place}}},
        "look.settings.looks, entry 2, name": {
            "look": {"name": "blend", "settings": {"looks": [{"name": "none"}, {"name": place}]}}
        },
        "override 1, look.name": {"overrides": [{"shots": "1", "look": {"name": place}}]},
        "override 1, look.settings.a, entry 1, b": {"overrides": [{"shots": "1", "look": other}]},
    }


FIELDS = list(fields_of(""))


@pytest.fixture
def allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is allowed, beside one that is not, named with another that is not there."""
    (tmp_path / "allowed/shots").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/film.mp4").write_bytes(b"x")
    (tmp_path / "name").symlink_to("allowed")
    monkeypatch.setenv(FOLDERS, f"/nowhere{os.pathsep}{tmp_path}/name")
    return tmp_path / "allowed"


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("place", ["{here}/x.mp4", "{here}/../allowed/new/x.mp4", "file://{here}/x.mp4"])
def test_what_is_allowed_may_be_named(allowed: Path, field: str, place: str) -> None:
    confine_spec(spec(**fields_of(place.format(here=allowed))[field]), CLUSTER)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "place",
    [
        "/etc/passwd",
        "~/x.mp4",
        "./x.mp4",
        "{here}/../secret/film.mp4",
        "{here}/link/film.mp4",
        "{here}x/film.mp4",
        "file:///etc/passwd",
    ],
)
def test_what_is_not_allowed_may_not_be_named(allowed: Path, field: str, place: str) -> None:
    (allowed / "link").symlink_to("../secret")
    given = place.format(here=allowed)
    with pytest.raises(BadSpec) as refused:
        confine_spec(spec(**fields_of(given)[field]), CLUSTER)
    assert str(refused.value) == (
        f"{field} = {given!r}: a job for a cluster names no local file that its operator has not allowed; "
        f"put it into S3, or into a folder that {FOLDERS} names."
    )


def test_nothing_is_allowed_unless_it_is_said(allowed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("", os.pathsep):
        monkeypatch.setenv(FOLDERS, value)
        with pytest.raises(BadSpec, match="source = "):
            confine_spec(spec(source=f"{allowed}/film.mp4"), CLUSTER)
    confine_spec(spec(), CLUSTER)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("place", ["s3://bkt/a", "s3://bkt/a/x.mp4", "s3://bkt/a/f.%04d.dpx", "s3://whole/x.mp4"])
def test_what_is_allowed_in_s3_may_be_named(
    allowed: Path, monkeypatch: pytest.MonkeyPatch, field: str, place: str
) -> None:
    monkeypatch.setenv(PLACES, "s3://films/,s3://farm:s3://bkt/a s3://whole")
    confine_spec(spec(**fields_of(place)[field]), CLUSTER)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "place", ["s3://bkt/ab/x.mp4", "s3://bkt", "s3://bkt/", "s3://bkt/A/x.mp4", "s3://bktx/a/x.mp4", "s3://bkt//a/x"]
)
def test_what_is_not_allowed_in_s3_may_not_be_named(
    allowed: Path, monkeypatch: pytest.MonkeyPatch, field: str, place: str
) -> None:
    monkeypatch.setenv(PLACES, "s3://films,s3://farm,s3://bkt/a")
    with pytest.raises(BadSpec) as refused:
        confine_spec(spec(**fields_of(place)[field]), CLUSTER)
    assert str(refused.value) == (
        f"{field} = {place!r}: a job for this cluster names only places that its operator has allowed; name one of those, or "
        "have it added to FARM_ALLOWED_PLACES."
    )


def test_folders_stand_in_either_list(allowed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLACES, f"s3://films,s3://farm,{allowed.parent}/secret")
    for folder in ("allowed", "secret"):
        confine_spec(spec(source=f"{allowed.parent}/{folder}/film.mp4"), CLUSTER)
    with pytest.raises(BadSpec, match="names no local file"):
        confine_spec(spec(source="/etc/passwd"), CLUSTER)


@pytest.mark.parametrize("said", ["", " ", ","])
def test_an_empty_list_allows_nothing(allowed: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv(PLACES, said)
    with pytest.raises(BadSpec, match=r"source = 's3://films/film\.mp4'"):
        confine_spec(spec(), CLUSTER)


def test_a_list_that_cannot_be_read_says_so(allowed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLACES, "s3://Farm_/x")
    with pytest.raises(BadStore, match=r"^FARM_ALLOWED_PLACES: one of its places cannot be read"):
        confine_spec(spec(), CLUSTER)


def test_a_file_beside_the_driver_is_a_file(allowed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(allowed.parent / "secret")
    one = spec(look={"name": "fast-style", "settings": {"weights": "film.mp4"}})
    with pytest.raises(BadSpec, match=r"look\.settings\.weights = 'film\.mp4'"):
        confine_spec(one, CLUSTER)


def test_ray_of_ones_own_may_read_all(allowed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    for address in (None, "local"):
        confine_spec(spec(source="/films/film.mp4"), address)
    monkeypatch.setenv("RAY_ADDRESS", CLUSTER)
    with pytest.raises(BadSpec, match=r"source = '/films/film\.mp4'"):
        confine_spec(spec(source="/films/film.mp4"), None)


def test_a_plan_that_is_not_kept_has_no_store(allowed: Path) -> None:
    confine_spec(spec(store="/store", output="/out"), CLUSTER, planned_only=True)
    with pytest.raises(BadSpec, match="source = "):
        confine_spec(spec(source="/film.mp4"), CLUSTER, planned_only=True)


@pytest.mark.parametrize(
    "command", [deliver, plan_only, lambda spec, address: list_shots(spec, "cuts.edl", address=address)]
)
def test_every_command_asks_before_anything_else(allowed: Path, command: Callable[..., object]) -> None:
    """Nothing answers at the address: it is not asked."""
    with pytest.raises(BadSpec, match="source = '/etc/passwd': a job for a cluster names no local file"):
        command(spec(source="/etc/passwd"), address="127.0.0.1:1")


def test_a_training_and_an_evaluation_ask_before_anything_else(allowed: Path) -> None:
    recipe = {"name": "one", "kind": "colorize", "licence": "MIT", "steps": 1, "out": "s3://farm/out"}
    with pytest.raises(BadSpec, match=r"data, entry 1, pictures = '/etc'"):
        train_look(parse_recipe({**recipe, "data": [{"pictures": "/etc"}]}, "r"), address="127.0.0.1:1")
    with pytest.raises(BadSpec, match="--on = '/etc'"):
        evaluate(EvaluationRequest(looks=(), on="/etc"), address="127.0.0.1:1")
