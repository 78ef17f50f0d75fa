"""What refusals advise, done: each film is refused, the line and the option in the sentence are tried on it, and it is delivered."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from farm.cli.options import deliverable_of, fields_of
from farm.specs.spec_files import read_spec, spec_named
from jobs.errors import BadInput
from jobs.spec.job import JobSpec
from tests.actors.interlaced import interlaced
from tests.actors.mux.test_advice import made
from tests.actors.mux.test_stream_plan import captioned, with_attachment
from tests.farm.inline import rendered
from tests.films import Recipe

SMALL = Recipe(frames=8, size=(96, 64), gop=4, rate=Fraction(25))


def pictures(folder: Path) -> Path:
    """A folder of numbered pictures, which has no rate."""
    (folder / "shots").mkdir()
    rendered(spec_of_line({}, SMALL.make(folder / "a.mp4"), folder / "shots", {"codec": "png", "name": "f"}))
    return folder / "shots/out/f"


def headless(folder: Path) -> Path:
    """A transport stream cut in the middle of a group of pictures."""
    whole = Recipe(frames=24, size=(96, 64), gop=12, rate=Fraction(25)).make(folder / "whole.ts")
    data, middle = whole.read_bytes(), whole.stat().st_size // 3 // 188 * 188
    (folder / "film.ts").write_bytes(data[:376] + data[middle:])
    return folder / "film.ts"


REFUSED: Mapping[str, tuple[Callable[[Path], Path], dict[str, Any], str]] = {
    "odd sizes": (lambda folder: made("odd", folder), {"codec": "h264"}, "even sizes"),
    "a font in mp4": (
        lambda folder: with_attachment(folder / "a.mkv"),
        {"codec": "h264", "container": "mp4"},
        "attachment",
    ),
    "captions": (captioned, {"codec": "ffv1"}, "closed captions"),
    "captions beside a list": (captioned, {"codec": "ffv1", "drop": ["subtitle"]}, "closed captions"),
    "alpha": (lambda folder: made("alpha", folder), {"codec": "ffv1"}, "alpha channel"),
    "fields": (lambda folder: interlaced(folder / "woven.mkv"), {"codec": "ffv1"}, "interlaced"),
    "a sequence": (pictures, {"codec": "ffv1"}, "rate"),
    "odd sizes and sound that does not fit": (
        lambda folder: made("pcm at 44.1 kHz, odd", folder),
        {"codec": "prores", "container": "mxf"},
        "even sizes",
    ),
    "no time code": (
        lambda folder: SMALL.make(folder / "a.mp4"),
        {"codec": "dpx", "start_number": "timecode"},
        "start_number",
    ),
}
"""Films, what is asked for, and words of the refusal."""


def spec_of_line(lines: Mapping[str, Any], film: Path, folder: Path, deliverable: Mapping[str, Any]) -> JobSpec:
    """A spec file with these lines of advice in it: in the deliverable, where it has such a field, else in the job."""
    own = {
        **deliverable,
        **{
            name: value
            for name, value in lines.items()
            if name in ("codec", "container", "profile", "depth", "height", "drop", "start_number")
        },
    }
    job = {name: value for name, value in lines.items() if name not in own}
    least = {
        "name": "film",
        "source": str(film),
        "store": f"{folder}/store",
        "output": f"{folder}/out",
        "look": {"name": "none"},
    }
    if own.get("drop") == "unsupported":  # a spec of one deliverable says it in either place
        job["drop"] = own.pop("drop")
    kept = {name: value for name, value in own.items() if value is not None}
    (folder / "job.yaml").write_text(yaml.safe_dump({**least, **job, "deliverables": [kept]}))
    return read_spec(str(folder / "job.yaml"))


def spec_of_options(options: Mapping[str, str], film: Path, folder: Path, deliverable: Mapping[str, Any]) -> JobSpec:
    """What `farm render FILM` with these options means."""
    form = {name: value for name, value in deliverable.items() if name != "drop"}
    asked: dict[str, Any] = dict(options)
    if "drop" in deliverable:
        asked.setdefault("drop", ",".join(deliverable["drop"]))
    for name in ("codec", "container", "profile", "depth", "height"):
        if name in asked:
            form[name] = asked.pop(name)
    form = {name: int(value) if name in ("depth", "height") else value for name, value in form.items() if value}
    return spec_named(str(film), "none", str(folder / "out"), None, fields_of(**asked) | deliverable_of(**form))


ADVICE = re.compile(r"(\w+): (\[[^\]]*\]|[^\s,.;()]+)(?: \(--(\w+) ([^()]+?)\))?")


def advised(sentence: str) -> list[dict[str, tuple[str | None, str]]]:
    """Each way out that a sentence tells: by field, the value for a spec (None: left out) and that of the option ("": none)."""
    _, _, advice = sentence.rpartition(": set ") if ": set " in sentence else sentence.rpartition("; set ")
    ways: list[dict[str, tuple[str | None, str]]] = []
    for part in re.split(r",? or (?=set |leave |\w+: )", "set " + (advice or sentence.rpartition(" set ")[2])):
        found: dict[str, tuple[str | None, str]] = {
            name: (line, option) for name, line, _, option in ADVICE.findall(part)
        }
        _, leaves, names = part.partition("leave out ")
        found |= {name.strip(" ."): (None, "") for name in names.split(",") if leaves}
        ways += [found] if found else []
    return ways


@pytest.mark.parametrize("name", REFUSED)
def test_every_way_out_works_as_line_and_as_option(tmp_path: Path, name: str) -> None:
    make, deliverable, words = REFUSED[name]
    film = make(tmp_path)
    with pytest.raises(BadInput, match=words) as refused:
        rendered(spec_of_line({}, film, tmp_path, deliverable))
    ways = advised(str(refused.value))
    assert ways, str(refused.value)
    for number, way in enumerate(ways):
        lines = {field: None if said is None else yaml.safe_load(said) for field, (said, _) in way.items()}
        folder = tmp_path / f"line-{number}"
        folder.mkdir()
        assert rendered(spec_of_line(lines, film, folder, deliverable)).report().conforms
        options = {field: shlex.split(option)[0] for field, (_, option) in way.items() if option}
        if len(options) == sum(said is not None for said, _ in way.values()) and "start_number" not in deliverable:
            left = {field: value for field, value in deliverable.items() if way.get(field, ("",))[0] is not None}
            folder = tmp_path / f"option-{number}"
            folder.mkdir()
            assert rendered(spec_of_options(options, film, folder, left)).report().conforms


def test_a_recording_without_its_head_is_rendered_as_advised(tmp_path: Path) -> None:
    film = headless(tmp_path)
    with pytest.raises(BadInput, match=r"set head: trim \(--head trim\)"):
        rendered(spec_of_line({}, film, tmp_path, {"codec": "ffv1"}))
    assert rendered(spec_of_line({"head": "trim"}, film, tmp_path, {"codec": "ffv1"})).report().conforms
    assert rendered(spec_of_options({"head": "trim"}, film, tmp_path / "b", {"codec": "ffv1"})).report().conforms


def test_a_job_of_another_film_gets_the_name_advised(tmp_path: Path) -> None:
    spec = spec_of_line({}, SMALL.make(tmp_path / "a.mp4"), tmp_path, {"codec": "ffv1"})
    assert rendered(spec).report().conforms
    other = SMALL.make(tmp_path / "b.mp4")
    with pytest.raises(BadInput, match=r"set name: film-2 \(--name film-2\)"):
        rendered(spec_of_line({}, other, tmp_path, {"codec": "ffv1"}))
    assert rendered(spec_of_line({"name": "film-2"}, other, tmp_path, {"codec": "ffv1"})).report().conforms
