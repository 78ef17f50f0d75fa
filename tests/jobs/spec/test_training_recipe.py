"""The recipe on paper: what parses, what is refused and how, and which changes are changes of what is learnt."""

from typing import Any

import pytest

from jobs.errors import BadSpec
from jobs.records.training import recipe_digest, settled_fields
from jobs.spec.training_recipe import Recipe, parse_recipe

LEAST: dict[str, Any] = {
    "name": "warm",
    "kind": "colorize",
    "out": "runs/warm",
    "licence": "Apache-2.0",
    "data": [{"pictures": "photos"}],
    "steps": 1000,
}


def parsed(**fields: Any) -> Recipe:
    return parse_recipe(LEAST | fields, "warm.yaml")


def test_the_least_that_parses() -> None:
    recipe = parsed()
    assert (recipe.batch, recipe.side, recipe.short_side, recipe.check_every) == (16, 160, 288, 500)
    assert (recipe.workers.count, recipe.workers.gpus, recipe.data[0].share) == (1, None, 1.0)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"steps": 0}, "steps = 0: input should be greater than or equal to 1"),
        ({"speed": 1}, "speed is not a field of a recipe"),
        ({"name": "Warm one"}, "name = 'Warm one': a look's name has lower-case letters, digits"),
        ({"data": []}, "data has 0; give at least 1"),
        ({"data": [{"share": 1}]}, r"data, entry 1, pictures is missing\.$"),
        ({"data": [{"pictures": "p", "share": 0}]}, "data, entry 1, share = 0: input should be greater than 0"),
        ({"data": [{"pictures": "p", "role": "muse"}]}, "data, entry 1, role = 'muse': input should be '', 'style', "),
        ({"licence": ""}, "licence = '': string should have at least 1 character"),
        ({"batch": 10, "workers": {"count": 4}}, "batch = 10 cannot be shared out among 4 workers; give a multiple"),
        ({"short_side": 128}, "short_side = 128 is less than a crop's side = 160"),
        ({"version": 2}, "version = 2: input should be 1"),
    ],
)
def test_what_is_wrong_is_said(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadSpec, match=rf"^warm\.yaml: {sentence}"):
        parsed(**fields)


def test_a_recipe_is_a_mapping() -> None:
    with pytest.raises(BadSpec, match=r"warm\.yaml: a recipe is a mapping"):
        parse_recipe(["steps"], "warm.yaml")


@pytest.mark.parametrize(
    "fields",
    [
        {"about": "warm tones"},
        {"licence": "MIT"},
        {"out": "s3://runs/warm"},
        {"check_every": 50},
        {"workers": {"count": 4, "gpus": 1}},
        {"data": [{"pictures": "elsewhere/photos", "licence": "CC0-1.0"}]},
    ],
)
def test_changes_that_change_nothing_learnt(fields: dict[str, Any]) -> None:
    assert recipe_digest(parsed(**fields)) == recipe_digest(parsed())


@pytest.mark.parametrize(
    "fields",
    [
        {"steps": 2000},
        {"seed": 1},
        {"batch": 32},
        {"course": {"rate": 1}},
        {"data": [{"pictures": "photos", "held_out": 3}]},
    ],
)
def test_changes_that_change_what_is_learnt(fields: dict[str, Any]) -> None:
    assert recipe_digest(parsed(**fields)) != recipe_digest(parsed())
    assert [
        name for name, value in settled_fields(parsed(**fields)).items() if settled_fields(parsed())[name] != value
    ] == [*fields]
