"""Job specs as people write them: read from YAML and JSON, or made of options; and one sentence for what is wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from farm.specs.spec_files import is_spec, read_spec, spec_for_film
from farm.specs.yaml_json import _FastYaml, _Yaml
from jobs.errors import BadMedia, BadSpec, BadStore
from jobs.spec.codecs import Codec
from jobs.spec.job import JobSpec
from jobs.spec.shots import GivenShots
from jobs.store import open_store

LEAST: dict[str, Any] = {"name": "film", "source": "film.mp4", "store": "work", "output": "out"}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(text: str, name: str = "job.yaml") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def read(name: str = "job.json", **fields: Any) -> JobSpec:
    return read_spec(written(json.dumps({**LEAST, **fields}), name))


def film(**more: Any) -> JobSpec:
    fields: dict[str, Any] = {"look": "none", "out": "out", "store": None, "options": {}}
    return spec_for_film("film.mp4", **{**fields, **more})


@pytest.mark.parametrize("name", ["a.yaml", "b.YML", "s3://films/c.json", "/d e.Json"])
def test_specs_are_told_by_their_ending(name: str) -> None:
    assert is_spec(name)


@pytest.mark.parametrize("name", ["yaml", "a.mp4", "a.yaml.mp4", "s3://films/a.json/b.mov", "a.jsonl"])
def test_everything_else_is_a_film(name: str) -> None:
    assert not is_spec(name)


def test_the_command_may_say_a_field_otherwise() -> None:
    place = written(json.dumps({**LEAST, "priority": 1}))
    assert read_spec(place).priority == 1
    assert read_spec(place, {"priority": 9}) == read_spec(place).model_copy(update={"priority": 9})
    with pytest.raises(BadSpec, match="priority = 900: input should be less than or equal to 100"):
        read_spec(place, {"priority": 900})


def test_yaml_and_json_say_the_same() -> None:
    text = """
    # a comment, which JSON cannot have
    name: film
    source: film.mp4
    store: work
    output: out
    look: {name: colorize, settings: {strength: 0.5}}
    deliverables:
      - codec: ffv1
    overrides:
      - {shots: 3-5, look: {name: none}}
    """
    fields: dict[str, Any] = {
        "look": {"name": "colorize", "settings": {"strength": 0.5}},
        "deliverables": [{"codec": "ffv1"}],
        "overrides": [{"shots": "3-5", "look": {"name": "none"}}],
    }
    found = read_spec(written(text))
    assert found == read(**fields)
    assert (found.deliverables[0].codec, found.look.settings) == (Codec.FFV1, {"strength": 0.5})


def test_a_spec_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    Path("job.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(LEAST).encode())
    Path("job.yaml").write_bytes(b"\xef\xbb\xbf" + json.dumps(LEAST).encode())
    assert read_spec("job.json") == read_spec("job.yaml")


def test_relative_places_are_the_callers_own(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    found = read("specs/job.json", shots={"file": "cuts.csv"})
    assert (found.source, found.store, found.output) == tuple(
        f"{tmp_path}/{place}" for place in ("film.mp4", "work", "out")
    )
    assert found.shots == GivenShots(file=f"{tmp_path}/cuts.csv")


@pytest.mark.parametrize(
    ("place", "whole"),
    [
        ("/films/a.mp4", "/films/a.mp4"),
        ("file:///films/a.mp4", "/films/a.mp4"),
        ("file:///films/a%20b.mp4", "/films/a b.mp4"),
        ("file://localhost/films/a.mp4", "/films/a.mp4"),
        ("s3://bucket/films/a.mp4", "s3://bucket/films/a.mp4"),
        ("../a.mp4", "{parent}/a.mp4"),
        ("~/a.mp4", "{home}/a.mp4"),
        ("a//b/./c.mp4", "{here}/a/b/c.mp4"),
        ("shots/f.%04d.dpx", "{here}/shots/f.%04d.dpx"),
        ("shots/f.####.dpx", "{here}/shots/f.####.dpx"),
        ("shots/", "{here}/shots"),
        ("file:///a%20b/f.%04d.dpx", "/a b/f.%04d.dpx"),
        ("s3://bucket/shots/", "s3://bucket/shots"),
        ("s3://bucket/shots/f.####.exr", "s3://bucket/shots/f.####.exr"),
    ],
)
def test_places_become_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, whole: str) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    expected = whole.format(parent=tmp_path.parent, here=tmp_path, home="/home/someone")
    assert read(source=place).source == expected
    assert spec_for_film(place, look="none", out="out", store=None, options={}).source == expected


def test_two_films_of_one_stem_share_a_store_under_names_of_their_own() -> None:
    found = spec_for_film(
        "/b/film.mp4", look="none", out="out", store="s3://bucket/work", options={"name": "film of b"}
    )
    assert (found.name, found.title(found.deliverables[0])) == ("film of b", "film")


def test_a_prefix_in_s3_has_no_slash_at_its_end() -> None:
    found = read(store="s3://bucket/work/", output="s3://bucket/out//")
    assert (found.store, found.output) == ("s3://bucket/work", "s3://bucket/out")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("job.yaml", "name: film\nsource: [a.mp4\nstore: work\n", "job.yaml, line 3: expected ',' or ']'"),
        ("job.yaml", "name: film\n\tsource: a.mp4\n", "job.yaml, line 2: found character '\\t' that cannot start any token"),
        ("job.yml", "name: film\nname: : film\n", "job.yml, line 2: mapping values are not allowed here"),
        ("job.yaml", "a: 1\n---\nb: 2\n", "job.yaml, line 2: but found another document"),
        ("job.yaml", "name: \x00\n", "job.yaml.*: special characters are not allowed"),
        ("job.json", '{\n "name": "film",\n "source": a.mp4\n}', "job.json, line 3: Expecting value; a job spec ending in .json is JSON."),
        ("job.json", "name: film\n", "job.json, line 1: Expecting value"),
        ("job.yaml", "- name: film\n", "job.yaml: a job spec is a mapping of fields"),
        ("job.yaml", "# nothing\n", "job.yaml: a job spec is a mapping of fields"),
        ("job.json", '"film"', "job.json: a job spec is a mapping of fields"),
    ],
)  # fmt: skip
def test_a_broken_text_is_named_by_its_line(name: str, text: str, words: str) -> None:
    with pytest.raises(BadSpec, match=words.replace("[", "\\[").replace("\\t", "\\\\t")) as refused:
        read_spec(written(text, name))
    assert "\n" not in str(refused.value)


def test_what_is_no_text_is_no_spec(tmp_path: Path) -> None:
    Path("job.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(BadSpec, match=r"job\.yaml is not text in UTF-8 .*; save the job spec as UTF-8"):
        read_spec("job.yaml")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sauce": 1}, "job.json: sauce is not a field of the spec"),
        ({"chunk_seconds": -1}, "chunk_seconds = -1: input should be greater than or equal to 0.2"),
        ({"workers": {"count": "two"}}, "workers.count = 'two': "),
        ({"deliverables": [{"codec": "vp9"}]}, "deliverable 1, codec = 'vp9': input should be 'h264', 'hevc'"),
        ({"source": "http://films/a.mp4"}, "source = 'http://films/a.mp4': a path, file:///path or s3://bucket/key is allowed"),
        ({"shots": {"detect": "content"}}, "shots.detect = 'content': input should be 'adaptive'"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_with_its_value(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(BadSpec) as refused:
        read(**fields)
    assert words in str(refused.value)


def test_a_missing_spec_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadMedia, match=r"job\.yaml does not exist; check the path"):
        read_spec("job.yaml")
    Path("folder.yaml").mkdir()
    with pytest.raises(BadMedia, match="is a folder"):
        read_spec("folder.yaml")


def test_a_spec_may_lie_in_s3(s3_bucket: str) -> None:
    place = f"s3://{s3_bucket}/jobs/film.yaml"
    open_store(f"s3://{s3_bucket}/jobs").write("film.yaml", json.dumps(LEAST).encode())
    assert read_spec(place).name == "film"
    with pytest.raises((BadMedia, BadStore), match="does not exist"):
        read_spec(f"s3://{s3_bucket}/jobs/none.yaml")


def test_a_film_and_options_are_a_spec(tmp_path: Path) -> None:
    made = film(options={"settings": {"strength": 1}, "chunk_seconds": 2.0, "workers": {"count": 3}})
    assert (made.name, made.look.name, made.look.settings) == ("film", "none", {"strength": 1})
    assert (made.store, made.output) == (f"{tmp_path}/out/store", f"{tmp_path}/out")
    assert (made.chunk_seconds, made.workers.count) == (2.0, 3)
    assert film(store="elsewhere").store == f"{tmp_path}/elsewhere"
    assert film(out="s3://bucket/out/").store == "s3://bucket/out/store"


def test_an_image_sequence_gives_the_job_its_name() -> None:
    pattern = spec_for_film("shots/f.%04d.dpx", look="none", out="out", store=None, options={"rate": "23.976"})
    folder = spec_for_film("shots/reel.v2/", look="none", out="out", store=None, options={"rate": "24"})
    assert (pattern.name, folder.name, folder.title(folder.deliverables[0])) == ("f", "reel.v2", "reel.v2")
    assert pattern.source_url.endswith("/shots/f.%04d.dpx?rate=24000/1001")


@pytest.mark.parametrize("marks", [("10:00:10:00", "11:22:33:04"), ("01:00:10;00", "23:59:59;29"), ("00:00:10.5", 900)])
def test_time_codes_in_yaml_need_no_quotes(marks: tuple[str, str | int]) -> None:
    text = f"{json.dumps(LEAST)[:-1]}, overrides: [{{frames: [{marks[0]}, {marks[1]}], look: {{name: none}}}}]}}"
    assert read_spec(written(text)).overrides[0].frames == marks


def test_a_wrong_option_is_named_as_its_field() -> None:
    with pytest.raises(BadSpec, match="The command line: chunk_seconds = 0: input should be"):
        film(options={"chunk_seconds": 0})


@pytest.mark.parametrize(
    "text",
    [
        "a: [1, 0x1f, 0o17, 017, 1.5, .5, 1e3, 1_000, -7, .inf, yes, No, null, ~, '', \"\\u00e4\\n\"]\n",
        "a: 10:00:00:00\nb: 1926-12-09\nc: 2001-12-14t21:59:43.10-05:00\nd: 1:2:3.5\n",
        "base: &base {name: none, settings: {a: 1}}\nlook:\n  <<: *base\n  name: other\nagain: *base\n",
        "a: |\n  two\n  lines\nb: >-\n  one\n  line\nc: 'it''s'\n",
        "\ufeff# first\na: Die Bäume \U0001f333\nb: []\nc: {}\nd:\n- x\n-\n  - y\n",
        "a: !!str 5\nb: !!int '7'\n? c\n: d\n---\n"[:-4],
        "",
    ],
)
def test_libyaml_and_pyyaml_read_the_same(text: str) -> None:
    """The first is quick, and the second tells what is wrong with what the first refuses."""
    quick = _FastYaml(text).get_single_data()
    assert json.dumps(quick) == json.dumps(yaml.load(text, _Yaml))


def test_a_text_of_too_many_values_is_refused_soon() -> None:
    """It took 1.8 seconds of a processor when PyYAML found the words, and .5 now: as many steps as values, and no more."""
    text = "overrides:\n" + "".join(f"- {{shots: {number}, look: {{name: none}}}}\n" for number in range(1, 20_001))
    steps = 0

    def step(*_: object) -> None:
        nonlocal steps
        steps += 1

    path = written(text)
    sys.setprofile(step)
    try:
        with pytest.raises(
            BadSpec, match=r"job\.yaml: it has more than 80,000 values; shorten it, or write it as JSON"
        ):
            read_spec(path)
    finally:
        sys.setprofile(None)
    assert steps < 50 * 80_000
