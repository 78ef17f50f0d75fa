"""Options of the command line, and the fields of a spec that they are."""

from __future__ import annotations

from typing import Any

import pytest

from farm.cli.options import deliverable_of, fields_of
from farm.specs.spec_files import spec_for_film
from jobs.errors import BadSpec
from jobs.spec.codecs import Codec, Container, Drop


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({}, {}),
        ({"video": 0, "rate": None}, {"video": 0}),
        ({"workers": 3}, {"workers": {"count": 3}}),
        ({"priority": -3}, {"priority": -3}),
        ({"drop": "unsupported"}, {"drop": "unsupported"}),
        ({"drop": "nothing"}, {"drop": "nothing"}),
        ({"drop": "3, subtitle"}, {"drop": [3, "subtitle"]}),
        ({"setting": ["a=1", "b=x=y", "c=true"]}, {"settings": {"a": 1, "b": "x=y", "c": True}}),
    ],
)
def test_options_are_fields(given: dict[str, Any], fields: dict[str, Any]) -> None:
    assert fields_of(**given) == fields


def test_a_setting_has_a_value() -> None:
    with pytest.raises(BadSpec, match=r"--set a: write NAME=VALUE"):
        fields_of(setting=["a"])


def test_a_deliverable_is_made_of_what_was_given() -> None:
    assert deliverable_of(codec=None, crf=None) == {}
    assert deliverable_of(codec=None, crf=0, height=None) == {"deliverables": [{"crf": 0}]}


def test_all_of_them_are_a_spec() -> None:
    options = fields_of(drop="2,captions", video=1, deinterlace="bwdif", name="film of b")
    options |= deliverable_of(codec=Codec.PRORES, container=Container.MXF, profile="4444", height=720)
    spec = spec_for_film("/films/b.mxf", look="none", out="/out", store=None, options=options)
    (one,) = spec.deliverables
    assert (one.codec, one.container, one.profile, one.height) == (Codec.PRORES, Container.MXF, "4444", 720)
    assert (spec.drop, spec.video, spec.deinterlace, spec.name) == ((2, "captions"), 1, "bwdif", "film of b")
    assert (
        spec_for_film("/b.mp4", look="none", out="/o", store=None, options=fields_of(drop="nothing")).drop
        is Drop.NOTHING
    )
