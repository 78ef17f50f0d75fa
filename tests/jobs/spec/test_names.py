"""Names of jobs and deliverables, and the keys and file names made of them."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import BadMedia, BadSpec
from jobs.spec.job import JobSpec
from jobs.spec.names import job_key, key_asked_for, stem
from jobs.spec.parser import parse_spec
from jobs.stills.listing import stills_in
from jobs.store.sequence import find_sequence
from jobs.store.source import source_identity

LEAST = {"name": "film", "source": "film.mp4", "store": "store", "output": "out"}


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("/a/b/film.v2.mov", "film.v2"),
        ("s3://b/k/reel one.mxf", "reel one"),
        ("ünïcode.mp4", "ünïcode"),
        ("/a b/Übung eins.mp4", "Übung eins"),
        (unicodedata.normalize("NFD", "Übung.mp4"), "Übung"),
        ("Tom & Jerry's.mov", "Tom & Jerry's"),
        ("… キッド .mkv", "キッド"),
        ("bad\udcfcbyte.mp4", "bad_byte"),
        ("\u202ereel\n1.mp4", "reel_1"),
        ("é" * 200 + ".mp4", "é" * 75),
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


@pytest.mark.parametrize("name", ["film", "The Kid (1921) - reel 2", "a", "1984", "x" * 151, "film "])
def test_a_plain_name_is_its_own_key(name: str) -> None:
    assert parse_spec({**LEAST, "name": name}, "x").key == name


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Die Bäume am Weg", "_Die Baume am Weg-201b92ae5408170c"),
        ("Face/Off", "_Face_Off-89ab53685e8ec489"),
        ("../etc", "_etc-f7f9121fdb53d8de"),
        ("東京物語", "_film-d209412e8e564796"),
    ],
)
def test_any_printable_name_has_a_key(name: str, key: str) -> None:
    assert parse_spec({**LEAST, "name": name}, "x").key == key
    assert key_asked_for(name) == key == key_asked_for(key)


def test_a_name_is_the_same_from_every_keyboard() -> None:
    composed, apart = (
        parse_spec({**LEAST, "name": unicodedata.normalize(form, "Bäume")}, "x") for form in ("NFC", "NFD")
    )
    assert composed == apart


def test_names_that_are_spelled_alike_do_not_share_a_folder() -> None:
    names = ["Bäume", "Bâume", "Baume", "Ba/ume", "Ba:ume", "_Baume", job_key("Bäume"), "film", "é", "è"]
    assert len({job_key(name) for name in names}) == len(names)


@given(st.text(min_size=1, max_size=151))
def test_a_key_is_one_plain_folder(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._ ()-]{0,150}", job_key(name))


LATIN = os.fsdecode("Bäume".encode("latin-1"))


def test_a_name_in_latin_1_is_refused_in_a_sentence_whose_advice_works(tmp_path: Path) -> None:
    for field in ("source", "store", "output", "stills"):
        with pytest.raises(BadSpec, match=rf"{field} = .*not UTF-8 \(Latin-1, perhaps\): rename the file .*ln -s"):
            parse_spec({**LEAST, field: f"/films/{LATIN}"}, "x")
    (tmp_path / LATIN).write_bytes(b"film")
    (tmp_path / "plain").symlink_to(LATIN)
    assert source_identity(str(tmp_path / "plain")).bytes == 4


def test_files_in_a_folder_are_refused_where_their_names_are_latin_1(tmp_path: Path) -> None:
    (tmp_path / f"{LATIN}.shot0001.f000001.png").write_bytes(b"x")
    with pytest.raises(BadSpec, match="rename it in UTF-8"):
        stills_in(str(tmp_path))
    (tmp_path / f"{LATIN}.0001.png").write_bytes(b"x")
    with pytest.raises(BadMedia, match="rename it in UTF-8"):
        find_sequence(f"{tmp_path}/{LATIN}.%04d.png?rate=24")
