"""The job spec in two tables: what parses, and what is refused with which words."""

from typing import Any

import pytest
from pydantic import ValidationError

from jobs.digest import canonical, digest
from jobs.errors import BadSpec
from jobs.spec.codecs import Codec, Container
from jobs.spec.formats import Deliverable
from jobs.spec.job import JobSpec, Override
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
    {
        "controls": {"warmth": -0.2, "hue": {"skin": {"shift": -4}}},
        "gamut": "hold",
        "grade": {"cdl": "a.ccc", "cdl_id": "sh1", "lut": "s3://bucket/a.cube"},
    },
    {
        "overrides": [
            {"frames": [0, 24], "controls": {"saturation": 0.5}, "ramp": 0},
            {"shots": 3, "grade": {"cdl": {}}},
        ]
    },
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
    {"name": 1984},
    {"name": "Die Bäume am Weg"},
    {"name": "../etc"},
    {"overrides": [{"shots": 3, "look": {"name": "none"}}]},
    {"deliverables": [{"drop": ["subtitle"]}, {"name": "b", "drop": "unsupported"}]},
    {
        "deliverables": [
            {"codec": "dpx", "start_number": 1001},
            {"codec": "exr", "name": "b", "start_number": "timecode"},
        ]
    },
    {"deliverables": [{"codec": "hevc", "depth": 10, "height": 720, "encoder": "nvenc"}]},
]

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"controls": {"hue": {"orange": {}}}}, "controls.hue.orange = 'orange': input should be 'red', 'skin', 'yellow'"),
    ({"controls": {"saturation": 4}}, "controls.saturation = 4: input should be less than or equal to 3"),
    ({"gamut": "keep"}, "gamut = 'keep': input should be 'hold', 'clip' or 'report'"),
    ({"grade": {}}, "grade: a grade says a cdl, a lut, or both"),
    ({"overrides": [{"frames": [0, 9], "grade": {"lut": "a.cube"}}]}, "a grade is for whole shots: name shots"),
    ({"version": 2}, "version = 2: input should be 1"),
    ({"colour": "red"}, "colour is not a field of the spec"),
    ({"name": " "}, "name = ' ': a name has 1 to 151 characters"),
    ({"name": "x" * 152}, "a name has 1 to 151 characters"),
    ({"name": "Die\nBäume"}, "name = 'Die\\nBäume': character 4 (U+000A) cannot be printed; leave it out"),
    ({"name": "a\u202eb"}, "character 2 (U+202E) cannot be printed"),
    ({"name": 2.5}, "name = 2.5: a name is a text; put it in quotes"),
    ({"deliverables": [{"name": "a/b"}]}, "deliverable 1, name = 'a/b': '/' cannot be in the name of a file"),
    ({"deliverables": [{"name": "take #2"}]}, "'#' cannot be in the name of a file or a picture sequence everywhere"),
    ({"deliverables": [{"name": ".film"}]}, "a file name begins with a letter or a digit, and ends with no space"),
    ({"deliverables": [{"name": "a\u202eb"}]}, "character 2 (U+202E) cannot be printed"),
    ({"deliverables": [{"name": "木" * 51}]}, "it takes 153 bytes in UTF-8, and a file name 151 at most; shorten it"),
    ({"deliverables": [{"name": "Bäume"}, {"name": "BA\u0308UME"}]}, "two deliverables could get the same file name"),
    ({"cost": {"currency": "euro"}}, "cost.currency = 'euro': a currency is three capital letters, as in EUR or USD"),
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
    ({"deliverables": [{"codec": "h265"}]}, "deliverable 1, codec = 'h265': input should be 'h264', 'hevc', "),
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
        "drop = 'all': allowed are nothing, unsupported, or a list of stream numbers and kinds, as in [3, subtitle]",
    ),
    ({"drop": [3, "sound"]}, "drop = [3, 'sound']: allowed are nothing"),
    ({"drop": []}, "drop = []: allowed are nothing"),
    ({"drop": [True]}, "drop = [True]: allowed are nothing"),
    ({"deinterlace": "yadif"}, "deinterlace = 'yadif': input should be 'none' or 'bwdif'"),
    ({"rate": "24p"}, "rate = '24p': a rate reads 24, 23.976 or \"24000/1001\""),
    ({"rate": 0}, "rate = 0: a rate of 1 to 240 frames a second is allowed"),
    ({"rate": "1e99999999"}, "rate = '1e99999999': a rate reads 24"),
    ({"rate": "24/0"}, "rate = '24/0': a rate reads 24"),
    ({"rate": 24.0000000001}, "rate = 24.0000000001: give the rate with fewer digits"),
    (
        {"source": "shots/a?rate=24", "rate": 25},
        "source = 'shots/a?rate=24': it names another rate than the field rate; give the rate once",
    ),
    ({"source": "shots/a?rate=fast"}, "rate = 'fast': a rate reads 24"),
    ({"shots": {"threshold": 0}}, "shots.threshold = 0: input should be greater than 0"),
    ({"shots": {"file": 3}}, "shots.file = 3: input should be a valid string"),
    (
        {"overrides": [{"frames": [0, "1:2"], "look": {"name": "none"}}]},
        "override 1, frames, entry 2 = '1:2': a frame is its number",
    ),
    (
        {"overrides": [{"frames": [-1, 5], "look": {"name": "none"}}]},
        "override 1, frames, entry 1 = -1: a frame is its number",
    ),
    ({"overrides": [{"look": {"name": "none"}}]}, "either shots or frames"),
    (
        {"overrides": [{"shots": "3"}]},
        "override 1: an override says another look, controls, a grade, match, or locked: true",
    ),
    (
        {"overrides": [{"frames": [0, 24], "match": "shot"}]},
        "override 1: match is for whole shots: name shots, not frames",
    ),
    (
        {"overrides": [{"shots": "7-3", "look": {"name": "none"}}]},
        "override 1, shots = '7-3': the first shot is not after the last; for shots 3 to 7 write 3-7",
    ),
    (
        {"overrides": [{"shots": 0, "look": {"name": "none"}}]},
        "shots = 0: shots are numbers counted from 1, as in 3 or 3-5",
    ),
    ({"overrides": [{"shots": "three", "look": {"name": "none"}}]}, "shots are numbers counted from 1, as in 3 or 3-5"),
    ({"overrides": [{"shots": True, "look": {"name": "none"}}]}, "shots are numbers counted from 1"),
    (
        {"deliverables": [{"codec": "dpx", "start_number": -1}]},
        "deliverable 1, start_number = -1: the first picture's number is 0 to 9,000,000, as in 1001, or timecode",
    ),
    ({"deliverables": [{"start_number": 1001}]}, "start_number is for png, tiff, dpx and exr"),
    ({"deliverables": [{"drop": "all"}]}, "deliverable 1, drop = 'all': allowed are nothing"),
    (
        {"overrides": [{"frames": [9, 9], "look": {"name": "none"}}]},
        "frames are [start, stop], start before stop, as in [0, 240]",
    ),
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
    assert Override.model_validate({"shots": 3, **one}) == Override.model_validate({"shots": "3", **one})
    assert Override.model_validate({"shots": "3", **one}).shot_numbers() == (3, 3)
    assert Override.model_validate({"shots": "3-12", **one}).shot_numbers() == (3, 12)


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


def test_a_deliverable_has_a_drop_of_its_own() -> None:
    spec = parse_spec({**LEAST, "drop": [3], "deliverables": [{"drop": ["subtitle"]}, {"name": "b"}]}, "x")
    assert [spec.dropped(one) for one in spec.deliverables] == [("subtitle",), (3,)]


@pytest.mark.parametrize(
    ("job", "own", "alpha"),
    [
        ("unsupported", {}, True),
        ("nothing", {"drop": "unsupported"}, True),
        ("unsupported", {"drop": "nothing"}, False),
    ],
)
def test_alpha_may_go_where_every_deliverable_lets_it(job: str, own: dict[str, str], alpha: bool) -> None:
    assert parse_spec({**LEAST, "drop": job, "deliverables": [own]}, "x").reading.alpha is alpha
