"""The JSON schemas of what people write: every field is described, in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from jobs.spec.job import JobSpec
from jobs.spec.training_recipe import Recipe


def fields(model: type[BaseModel]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of a document and of the documents within it, by path, as the schema has it."""
    schema = model.model_json_schema()
    for name, part in [(model.__name__, schema), *schema.get("$defs", {}).items()]:
        for field, said in part.get("properties", {}).items():
            yield f"{name}.{field}", said


@pytest.mark.parametrize(
    ("path", "said"),
    [one for model in (JobSpec, Recipe) for one in fields(model)],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_every_field_is_described(path: str, said: dict[str, Any]) -> None:
    description = said.get("description", "")
    assert re.fullmatch(r".{20,}[.)]", description, re.DOTALL), f"{path}: {description!r}"
    assert "default" not in said or re.search(r"[Dd]efault|format", description), f"{path} says nothing of its default"
    listed = {"enum", "const"} & set(said) or said.get("type") == "boolean" or "boolean" in str(said.get("anyOf"))
    assert listed or re.search(r"as in|[:(]", description), f"{path} has no example"


def test_the_schema_reaches_all_documents() -> None:
    owners = {path.partition(".")[0] for path, _ in fields(JobSpec)}
    assert owners == {
        "JobSpec",
        "LookChoice",
        "Override",
        "Controls",
        "HueControl",
        "Grade",
        "Cdl",
        "EventCdl",
        "DetectShots",
        "GivenShots",
        "Workers",
        "Cost",
        "Deliverable",
        "BurnInTexts",
        "QualityBounds",
        "Limits",
    }
