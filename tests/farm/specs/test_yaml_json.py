"""Texts that mean harm, or are merely broken: each is refused in one sentence, and at once."""

import time
from pathlib import Path

import pytest

from farm.specs.spec_files import read_spec
from farm.specs.yaml_json import LARGEST, MOST_ALIASES, read_fields
from jobs.errors import BadInput, BadMedia, BadSpec
from jobs.store import source_identity

LEAST = "name: film\nsource: a.mp4\nstore: s\noutput: o\n"
SECONDS = 30
"""That the worst text may take, on the busiest machine."""
TENFOLD = "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGED = "".join(
    f"{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 100)}], {name}: 1}}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

HOSTILE = [
    ("yaml", f"a: &a x\n{TENFOLD}{LEAST}", "holds more than 100,000 values"),
    ("yaml", f"a: &a {{x: 1}}\n{MERGED}{LEAST}", "fields are merged here"),
    ("yaml", f"a: &a x\nb: [{'*a, ' * (MOST_ALIASES + 1)}]\n{LEAST}", "more than 1,000 aliases"),
    ("yaml", f"{LEAST}look: &a {{name: x, settings: {{b: *a}}}}\n", "nested more than 32 deep"),
    ("yaml", f"{LEAST}look: {'[' * 5000}", "nested too deeply"),
    ("yaml", f"{LEAST}look: !!python/object/apply:os.system [ls]\n", "could not determine a constructor for the tag"),
    ("yaml", f"{LEAST}look: !a%0Ab x\n", "could not determine a constructor for the tag '!a\\nb'"),
    ("yaml", f"{LEAST}video: !!int x\n", "line 5: this is no int"),
    ("yaml", f"{LEAST}video: !!bool x\n", "line 5: this is no bool"),
    ("yaml", f"{LEAST}video: !!timestamp x\n", "line 5: this is no timestamp"),
    ("yaml", f"{LEAST}video: !!binary aGk=\n", "video: give a text, a number, a list or a mapping, not a bytes"),
    ("yaml", f"{LEAST}video: {'1' * 5000}\n", "line 5: this is no int"),
    ("yaml", f"{LEAST}video: 0x{'f' * 5000}\n", "whole numbers go up to"),
    ("yaml", f"{LEAST}name: other\n", "line 5: name is said twice"),
    ("yaml", f"{LEAST}? [1]\n: 2\n", "found unhashable key"),
    ("yaml", f"{LEAST}1: 2\n", "a field's name is a short text"),
    ("json", '{"name": "a", "name": "b"}', "name is said twice"),
    ("json", "[" * 100_000, "nested too deeply"),
    ("json", f'{{"video": {"1" * 5000}}}', "Exceeds the limit"),
    ("json", '{"chunk_seconds": NaN}', "chunk_seconds = nan: give a finite number"),
    ("json", '{"source": "\\ud800"}', "source holds a character that is no text"),
    ("json", '{"source": "a\\nb"}', "source = 'a\\nb': a path"),
    ("json", '{"look": {"name": "a\\u001b[2J"}}', "look.name = 'a\\x1b[2J'"),
]  # fmt: skip


@pytest.mark.parametrize(("ending", "text", "says"), HOSTILE, ids=[says for *_, says in HOSTILE])
def test_a_hostile_text_is_refused(tmp_path: Path, ending: str, text: str, says: str) -> None:
    place = tmp_path / f"job.{ending}"
    place.write_text(text)
    began = time.monotonic()
    with pytest.raises(BadSpec) as refused:
        read_spec(str(place))
    assert time.monotonic() - began < SECONDS
    assert str(refused.value).startswith(str(place))
    assert says in str(refused.value)
    assert str(refused.value).isprintable()


def test_a_text_has_a_bound(tmp_path: Path) -> None:
    place = tmp_path / "job.yaml"
    place.write_bytes(b" " * (LARGEST + 1))
    with pytest.raises(BadMedia, match=f"and a file of this kind at most {LARGEST:,}"):
        read_spec(str(place))


def test_a_hundred_faults_are_told_by_the_first(tmp_path: Path) -> None:
    place = tmp_path / "job.yaml"
    place.write_text(LEAST + "".join(f"field{number}: 1\n" for number in range(100)))
    with pytest.raises(BadSpec) as refused:
        read_spec(str(place))
    assert str(refused.value).count("is not a field of the spec") == 8


def test_aliases_and_merges_of_people_are_read(tmp_path: Path) -> None:
    place = tmp_path / "job.yaml"
    place.write_text(
        "warm: &warm {name: colorize, settings: {saturation: 1.2}}\nlook: {<<: *warm, name: none}\nday: 1926-12-09\n"
    )
    fields = read_fields(str(place), "job spec")
    assert fields["look"] == {"name": "none", "settings": {"saturation": 1.2}}
    assert fields["day"] == "1926-12-09"


@pytest.mark.parametrize(
    "name", ["f.%99999999999d.dpx", "f." + "#" * 3000 + ".dpx", "%" * 3000 + ".png", "../" * 500 + "f.##.dpx"]
)
def test_a_hostile_pattern_is_no_sequence(tmp_path: Path, name: str) -> None:
    (tmp_path / "f.0001.dpx").write_bytes(b"x")
    with pytest.raises(BadInput, match=r"^The source|^Cannot read"):
        source_identity(f"{tmp_path}/{name}?rate=24")
