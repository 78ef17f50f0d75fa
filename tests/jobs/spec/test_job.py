"""The job spec in two tables: what parses, and what is refused with which words."""

from typing import Any

import pytest
from pydantic import ValidationError

from jobs.digest import canonical, digest
from jobs.errors import BadSpec
from jobs.spec.codecs import Codec, Container
from jobs.spec.formats import Deliverable
from jobs.spec.job import JobSpec, Override, stem
from jobs.spec.parser import parse_spec

LEAST = {"name": "film", "source": "film.mp4", "store": "store", "output": "out"}

PARSES: list[dict[str, Any]] = [
    {},
    {"version": 1},
    {"source": "s3://bucket/reels/film.mxf", "store": "s3://bucket", "output": "s3://bucket/out"},
    {"source": "file:///mnt/film.mov"},
    {"look": {"name": "colorize", "settings": {"strength": 0.5}}},
    {"shots": {"detect": "adaptive", "threshold": 2.5}},
    {"shots": {"file": "cuts.edl"}},
    {"overrides": [{"shots": "3-5", "look": {"name": "none"}}, {"frames": [0, 24], "look": {"name": "none"}}]},
    {"workers": {"count": 8, "gpus": 0.5, "cpus": 4, "memory_gib": 12}},
    {"deliverables": [{"codec": "h264", "crf": 12}, {"codec": "ffv1", "name": "master"}]},
    {"deliverables": [{"codec": "h264", "container": "mp4"}, {"codec": "ffv1"}]},
    {"drop": "unsupported", "chunk_seconds": 5},
    {"drop": [3, "subtitle", "captions"], "video": 2, "deinterlace": "bwdif"},
    {"drop": "nothing"},
    {"priority": -100},
    {"source": "shots/f.%04d.dpx", "rate": 23.976},
    {"source": "s3://bucket/shots/f.####.exr", "rate": "24000/1001"},
    {"overrides": [{"frames": ["01:00:10:00", "01:00:12;12"], "look": {"name": "none"}}]},
    {"overrides": [{"frames": [12, "00:00:10.5"], "look": {"name": "none"}}]},
    {"overrides": [{"shots": "3", "locked": True}, {"frames": [0, 24], "look": {"name": "none"}, "locked": True}]},
    {"shots": {"file": "cuts.otio"}},
    {"deliverables": [{"codec": "prores", "profile": "4444", "container": "mxf"}, {"codec": "dpx", "depth": 12}]},
    {"deliverables": [{"codec": "hevc", "depth": 10, "height": 720, "encoder": "nvenc"}]},
]

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"version": 2}, "version = 2: input should be 1"),
    ({"colour": "red"}, "colour is not a field of the spec"),
    ({"name": "../etc"}, "name = '../etc'"),
    (
        {"source": "http://host/film.mp4"},
        "source = 'http://host/film.mp4': a path, file:///path or s3://bucket/key is allowed",
    ),
    ({"store": "s3://Bucket/x"}, "the bucket in lower case"),
    ({"output": ""}, "output = ''"),
    ({"chunk_seconds": 0}, "chunk_seconds = 0: input should be greater than or equal to 0.2"),
    ({"chunk_seconds": float("nan")}, "chunk_seconds = nan"),
    ({"workers": {"count": 0}}, "workers.count = 0"),
    ({"priority": 101}, "priority = 101: input should be less than or equal to 100"),
    ({"deliverables": []}, "deliverables = []"),
    ({"deliverables": [{"codec": "h265"}]}, "deliverables.0.codec = 'h265': input should be 'h264', 'hevc', "),
    ({"deliverables": [{"codec": "ffv1", "container": "mov"}]}, "ffv1 does not go into mov; it goes into mkv"),
    ({"deliverables": [{"codec": "dnxhr", "container": "mkv"}]}, "dnxhr does not go into mkv; it goes into mov or mxf"),
    (
        {"deliverables": [{"codec": "prores", "profile": "hqx"}]},
        "prores has no profile 'hqx'; its profiles are hq, proxy",
    ),
    ({"deliverables": [{"codec": "h264", "depth": 12}]}, "h264 of 12 bits is not made; it is of 8 or 10 bits"),
    ({"deliverables": [{"codec": "ffv1", "encoder": "nvenc"}]}, "nvenc encodes h264 and hevc only"),
    ({"deliverables": [{}, {"crf": 20}]}, "give each a name of its own"),
    ({"deliverables": [{}, {"codec": "ffv1"}]}, "give each a name of its own"),
    (
        {"drop": "all"},
        "drop = 'all': it reads nothing, unsupported, or a list of stream numbers and kinds, as in [3, subtitle]",
    ),
    ({"drop": [3, "sound"]}, "drop = [3, 'sound']: it reads nothing"),
    ({"drop": []}, "drop = []: it reads nothing"),
    ({"drop": [True]}, "drop = [True]: it reads nothing"),
    ({"deinterlace": "yadif"}, "deinterlace = 'yadif': input should be 'none' or 'bwdif'"),
    ({"rate": "24p"}, "rate = '24p': a rate reads 24, 23.976 or \"24000/1001\""),
    ({"rate": 0}, "rate = 0: a rate of 1 to 240 frames a second is allowed"),
    ({"rate": "1e99999999"}, "rate = '1e99999999': a rate reads 24"),
    ({"rate": "24/0"}, "rate = '24/0': a rate reads 24"),
    ({"rate": 24.0000000001}, "rate = 24.0000000001: a rate of fewer digits is wanted"),
    (
        {"source": "shots/a?rate=24", "rate": 25},
        "source = 'shots/a?rate=24': it names another rate than the field rate; give the rate once",
    ),
    ({"source": "shots/a?rate=fast"}, "rate = 'fast': a rate reads 24"),
    ({"shots": {"threshold": 0}}, "shots.threshold = 0: input should be greater than 0"),
    ({"shots": {"file": 3}}, "shots.file = 3: input should be a valid string"),
    (
        {"overrides": [{"frames": [0, "1:2"], "look": {"name": "none"}}]},
        "overrides.0.frames.1 = '1:2': a frame is its number",
    ),
    (
        {"overrides": [{"frames": [-1, 5], "look": {"name": "none"}}]},
        "overrides.0.frames.0 = -1: a frame is its number",
    ),
    ({"overrides": [{"look": {"name": "none"}}]}, "either shots or frames"),
    ({"overrides": [{"shots": "3"}]}, "overrides.0: an override says another look, or locked: true"),
    ({"overrides": [{"shots": "5-3", "look": {"name": "none"}}]}, "the first is not after the last"),
    ({"overrides": [{"frames": [9, 9], "look": {"name": "none"}}]}, "start before stop"),
    ({"look": {}}, "look.name is missing"),
]


@pytest.mark.parametrize("fields", PARSES)
def test_parses(fields: dict[str, Any]) -> None:
    spec = parse_spec({**LEAST, **fields}, "spec.yaml")
    assert JobSpec.model_validate_json(canonical(spec)) == spec


@pytest.mark.parametrize(("fields", "words"), REFUSED)
def test_refuses_and_says_why(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(BadSpec) as error:
        parse_spec({**LEAST, **fields}, "spec.yaml")
    assert str(error.value).startswith("spec.yaml: ")
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    # One field is wrong, and one sentence says so.
    assert "; deliverables =" not in str(error.value)
    assert str(error.value).count(" = ") <= 1


@pytest.mark.parametrize("fields", [None, [], "spec", 3])
def test_what_is_no_mapping_is_no_spec(fields: object) -> None:
    with pytest.raises(BadSpec, match="mapping of fields"):
        parse_spec(fields, "spec.yaml")


def test_a_spec_is_frozen() -> None:
    spec = parse_spec(LEAST, "x")
    with pytest.raises(ValidationError):
        spec.name = "other"


def test_the_defaults_are_a_colourised_h264() -> None:
    spec = parse_spec(LEAST, "x")
    assert spec.look.name == "colorize"
    assert (spec.deliverables[0].codec, spec.deliverables[0].container) == (Codec.H264, Container.AUTO)
    assert spec.title(spec.deliverables[0]) == "film"


def test_shot_numbers_of_an_override() -> None:
    one = {"look": {"name": "none"}}
    assert Override.model_validate({"shots": "3", **one}).shot_numbers() == (3, 3)
    assert Override.model_validate({"shots": "3-12", **one}).shot_numbers() == (3, 12)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("/a/b/film.v2.mov", "film.v2"),
        ("s3://b/k/reel one.mxf", "reel one"),
        ("ünïcode.mp4", "n_code"),
        (".mp4", "mp4"),
        ("x", "x"),
        ("/shots/f.%04d.dpx", "f"),
        ("/shots/f_%d.TIFF", "f"),
        ("/shots/reel.v2?rate=24", "reel.v2"),
        ("shots/reel 1.####.left.exr", "reel 1"),
        ("s3://b/k/f.####.dpx", "f"),
        ("s3://b/k/%04d.png", "k"),
        ("/films/take #2.mp4", "take _2"),
    ],
)
def test_a_file_name_becomes_a_job_name(place: str, name: str) -> None:
    assert stem(place) == name
    assert JobSpec.model_validate({**LEAST, "name": stem(place)}).name == name


@pytest.mark.parametrize(
    ("source", "title"),
    [("/shots/reel.v2", "reel.v2"), ("s3://bkt/shots/reel.v2", "reel.v2"), ("/shots/f.%04d.dpx", "f")],
)
def test_an_image_sequence_is_called_as_its_files_or_its_folder(source: str, title: str) -> None:
    spec = parse_spec({**LEAST, "source": source, "rate": 24}, "x")
    assert spec.title(spec.deliverables[0]) == title


@pytest.mark.parametrize(
    ("said", "rate"),
    [
        (24, "24"), (23.976, "24000/1001"), (24000 / 1001, "24000/1001"), ("25/2", "25/2"), (24.5, "49/2"),
        ("23.98", "24000/1001"), ("29.97", "30000/1001"), ("47.95", "48000/1001"), ("59.94", "60000/1001"),
    ],
)  # fmt: skip
def test_a_rate_as_people_write_it(said: object, rate: str) -> None:
    assert parse_spec({**LEAST, "rate": said}, "x").model_dump(mode="json")["rate"] == rate


def test_a_rate_behind_the_source_is_the_field_rate() -> None:
    for fields in ({"source": "shots/a?rate=23.98"}, {"source": "shots/a?rate=23.98", "rate": 23.98}):
        spec = parse_spec({**LEAST, **fields}, "x")
        assert (spec.source, spec.source_url) == ("shots/a", "shots/a?rate=24000/1001")
    assert parse_spec({**LEAST, "source": "shots/reel.v2?rate=24"}, "x").title(Deliverable()) == "reel.v2"


def test_a_digest_does_not_depend_on_the_order_of_fields() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert len(digest({})) == 40
