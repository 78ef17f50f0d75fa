"""Image sequences: which files make one, what is refused, and that their bytes come as they lie there."""

import os
from fractions import Fraction
from pathlib import Path

import pytest

from jobs.errors import BadMedia
from jobs.spec.job import JobSpec
from jobs.store import open_source, open_store, source_identity
from jobs.store.sequence import find_sequence, is_sequence, rated

SIZES = (700, 1, 5000, 33)


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder that holds frames 8 to 11, each filled with its number, as a URL."""
    where = f"s3://{request.getfixturevalue('s3_bucket')}/shots/a" if request.param == "s3" else str(tmp_path / "a")
    store = open_store(where)
    for number, size in enumerate(SIZES, 8):
        store.write(f"r2.{number:04d}.dpx", bytes([number]) * size)
    store.write("deeper/r2.0012.dpx", b"not here")
    store.write("notes.txt", b"no picture")
    return where


@pytest.mark.parametrize("name", ["r2.%04d.dpx", "r2.####.dpx", ""])
def test_files_are_found_by_pattern_and_by_folder(place: str, name: str) -> None:
    found = find_sequence(f"{place}/{name}?rate=24000/1001")
    assert [(one.number, one.bytes) for one in found.files] == list(enumerate(SIZES, 8))
    assert found.rate == Fraction(24000, 1001)
    with found.open(64) as movie:
        whole = movie.read()
        assert len(whole) == found.bytes
        body = b"".join(bytes([number]) * size for number, size in enumerate(SIZES, 8))
        assert whole.endswith(body)
        assert movie.seek(-len(body), os.SEEK_END) == len(found.header)
        assert (movie.read(703), movie.read(1), movie.tell()) == (body[:703], body[703:704], len(found.header) + 704)
        assert movie.seek(len(whole)) == len(whole)
        assert movie.read(9) == b""


def test_the_identity_is_every_files(place: str) -> None:
    url = f"{place}/r2.%04d.dpx?rate=24"
    first = source_identity(url)
    assert source_identity(url) == first == source_identity(f"{place}?rate=24")
    assert first.version.startswith("4 files at 24, ")
    others = [source_identity(f"{place}?rate=25")]
    open_store(place).write("r2.0009.dpx", b"!")
    others.append(source_identity(url))
    open_store(place).write("r2.0012.dpx", b"one more")
    others.append(source_identity(url))
    assert len({one.model_dump_json() for one in (first, *others)}) == 4


def test_a_rate_in_the_url_is_read_as_in_a_spec(place: str) -> None:
    assert find_sequence(f"{place}?rate=23.98").rate == Fraction(24000, 1001)


def test_it_is_opened_like_a_film_in_a_store(place: str) -> None:
    opened = open_source(f"{place}/r2.####.dpx?rate=24")
    assert not isinstance(opened, str)
    with opened:
        assert opened.read(8)[4:] == b"ftyp"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("r2.####.dpx", r"is an image sequence and needs a rate: set rate: 24 \(--rate 24\)"),
        ("r2.####.dpx?rate=0", "has no rate that can be read: a rate of 1 to 240 frames a second is allowed"),
        ("r2.####.dpx?rate=fast", 'has no rate that can be read: a rate reads 24, 23.976 or "24000/1001"'),
        ("r2.####.dpx?rate=24.0000000001", "has no rate that can be read: give the rate with fewer digits"),
        ("r2.####.png?rate=24", "has no numbered pictures"),
        ("r2.#####.dpx?rate=24", "has no numbered pictures"),
    ],
)
def test_names_that_name_no_sequence(place: str, name: str, words: str) -> None:
    with pytest.raises(BadMedia, match=words) as refused:
        source_identity(f"{place}/{name}")
    assert str(refused.value).startswith(f"The source {place}/{name.partition('?')[0]}")


def test_gaps_doubles_empty_files_and_two_sequences(place: str) -> None:
    store = open_store(place)
    store.write("r2.0014.dpx", b"x")
    with pytest.raises(BadMedia, match=r"lacks frame 12 \(before r2\.0014\.dpx\); put the file there\."):
        source_identity(f"{place}?rate=24")
    store.delete("r2.0014.dpx")
    store.write("r2.10.dpx", b"x")
    with pytest.raises(BadMedia, match=r"has frame 10 twice \(r2\.10\.dpx\)"):
        source_identity(f"{place}?rate=24")
    assert source_identity(f"{place}/r2.%04d.dpx?rate=24").version.startswith("4 files")
    store.delete("r2.10.dpx")
    store.write("r3.1.dpx", b"x")
    with pytest.raises(BadMedia, match=r"holds 2 image sequences; name one: r2\.####\.dpx, r3\.####\.dpx\."):
        source_identity(f"{place}?rate=24")
    store.write("r2.0010.dpx", b"")
    with pytest.raises(BadMedia, match=r"has an empty file, r2\.0010\.dpx; copy it again\."):
        source_identity(f"{place}/r2.%04d.dpx?rate=24")


def test_a_folder_without_a_rate_and_a_film_with_one(tmp_path: Path) -> None:
    (tmp_path / "film.mkv").write_bytes(b"film")
    with pytest.raises(BadMedia, match=r"is a folder; name one film file, or set rate: 24 \(--rate 24\)"):
        source_identity(str(tmp_path))
    with pytest.raises(BadMedia, match=r"film\.mkv is no image sequence and has its own rate: leave the rate out"):
        source_identity(f"{tmp_path}/film.mkv?rate=24")
    with pytest.raises(BadMedia, match=r"gone\.mkv does not exist: check the path\."):
        source_identity(f"{tmp_path}/gone.mkv?rate=24")
    with pytest.raises(BadMedia, match=r"folder .*gone does not exist"):
        source_identity(f"{tmp_path}/gone/f.%04d.png?rate=24")


def test_numbers_grow_beyond_their_zeros(tmp_path: Path) -> None:
    for number in (98, 99, 100, 101):
        (tmp_path / f"f{number:02d}.png").write_bytes(b"x")
    for name in ("f%02d.png", "f##.png", ""):
        assert [one.number for one in find_sequence(f"{tmp_path}/{name}?rate=24").files] == [98, 99, 100, 101]


def test_a_file_that_changes_while_the_others_are_read_is_told(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"f{number}.png").write_bytes(bytes(100))
    with find_sequence(f"{tmp_path}/f%d.png?rate=24").open(16) as movie:
        (tmp_path / "f2.png").write_bytes(bytes(10))
        with pytest.raises(OSError, match=r"f2\.png was changed since it was listed"):
            movie.read()


def test_what_is_named_as_a_sequence(tmp_path: Path) -> None:
    assert is_sequence("a/f.%04d.dpx")
    assert is_sequence("s3://bucket/a/f.###.EXR")
    assert is_sequence("s3://bucket/a/?rate=24")
    assert not is_sequence("a/f.0001.dpx")
    assert not is_sequence("a/no.%04d.mkv")
    assert rated("a/f.%04d.dpx") == "a/f.%04d.dpx?rate=24"
    assert rated(str(tmp_path)) == f"{tmp_path}?rate=24"
    assert rated("a/f.%04d.dpx?rate=30") == "a/f.%04d.dpx?rate=30"
    assert rated("a/film.mkv") == "a/film.mkv"


def test_a_spec_hands_its_rate_to_whoever_opens_the_source() -> None:
    spec = JobSpec.model_validate(
        {"name": "job", "source": "a/f.%04d.dpx", "store": "s", "output": "o", "rate": 23.976, "drop": "unsupported"}
    )
    assert spec.source_url == "a/f.%04d.dpx?rate=24000/1001"
    assert spec.model_copy(update={"rate": None}).source_url == "a/f.%04d.dpx"
    assert (spec.reading.video, spec.reading.deinterlace, spec.reading.alpha) == (None, False, True)
