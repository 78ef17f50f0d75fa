"""Courses by kind: found, and their settings checked with one sentence each."""

from pathlib import Path

import pytest

from actors.training.registry import checked, find, names
from jobs.errors import BadLook, BadSpec
from tests.actors.training.albums import recipe


def test_courses_are_found_by_entry_point() -> None:
    assert {"colorize", "finetune", "style", "unpaired", "test-tiny"} <= set(names())
    assert find("test-tiny").settings.__name__ == "TinySettings"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"kind": "paint"}, r"kind = 'paint': there is no such course; installed are: colorize, finetune, "),
        ({"kind": "test-absent"}, r"The course 'test-absent' cannot be imported"),
        ({"course": {"rate": "fast"}}, r"course\.rate = 'fast': input should be a valid number"),
        (
            {"course": {"pace": 1}},
            r"course\.pace is not a field of a recipe of this kind \(settings of test-tiny: rate, ",
        ),
        (
            {"data": [{"pictures": "p"}, {"pictures": "q", "role": "style"}]},
            r"data, entry 2, role = 'style': a course of kind test-tiny has no roles: leave it out\.",
        ),
        ({"data": [{"pictures": "p"}]}, "data: nothing is held out, .* give a source a held_out, such as 8"),
    ],
)
def test_what_is_wrong_is_said(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadSpec, match=sentence):
        checked(recipe("photos", "out", **fields))


def test_settings_are_filled_in_and_their_paths_made_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    course = checked(recipe("photos", "out", course={"die": "here"})).course
    assert course["die"] == f"{tmp_path}/here"
    assert course["rate"] == 0.05
    for look, whole in (("colorize", "colorize"), ("./mine", f"{tmp_path}/mine")):
        given = recipe("photos", "out", kind="finetune", course={"look": look})
        assert checked(given).course["look"] == whole


def test_a_look_to_go_on_with_is_sought_before_any_work() -> None:
    with pytest.raises(BadLook, match="There is no look 'sepia'; installed are: "):
        checked(recipe("photos", "out", kind="finetune", course={"look": "sepia"}))
