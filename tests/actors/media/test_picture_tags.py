"""Tags of a TIFF, a JPEG or a PNG that stand for gigabytes or hours are refused before a decoder has them, and what cameras write is not."""

import struct
import time
import zlib
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Literal

import av
import numpy as np
import pytest

from actors.media.metadata.pictures import refuse_large_metadata
from actors.stills.reading import read_still
from actors.survey.surveyor import Surveyor
from jobs.errors import BadMedia
from tests.actors.media.test_picture_metadata import with_chunk

PHOTOS = Path(__file__).parents[4] / "shared" / "photos"
Entry = tuple[int, int, int, int]
"""A tag's number, kind, count and place."""
TEXT, FOLDER, EXIF = 2, 13, 0x8769


@cache
def encoded(codec: Literal["mjpeg", "tiff"]) -> bytes:
    encoder = av.VideoCodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.time_base = 64, 48, Fraction(1, 24)
    encoder.pix_fmt = "yuvj420p" if codec == "mjpeg" else "rgb24"
    frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), "rgb24").reformat(format=encoder.pix_fmt)
    return b"".join(map(bytes, [*encoder.encode(frame), *encoder.encode(None)]))


def folder(entries: Iterable[Entry]) -> bytes:
    packed = [struct.pack("<HHII", *entry) for entry in entries]
    return struct.pack("<H", len(packed)) + b"".join(packed) + bytes(4)


def own(picture: bytes) -> list[Entry]:
    """The tags that a TIFF has."""
    place = struct.unpack_from("<I", picture, 4)[0]
    count = struct.unpack_from("<H", picture, place)[0]
    return list(struct.iter_unpack("<HHII", picture[place + 2 :][: 12 * count]))


def tiff(more: Callable[[int], tuple[list[Entry], bytes]]) -> bytes:
    """A picture with more tags: `more` tells these, and what they name, which lies at the place that it is given."""
    whole = encoded("tiff") + bytes(len(encoded("tiff")) % 2)
    entries, named = more(len(whole))
    return whole[:4] + struct.pack("<I", len(whole) + len(named)) + whole[8:] + named + folder([*own(whole), *entries])


def exif(more: Callable[[int], tuple[list[Entry], bytes]]) -> bytes:
    entries, named = more(8)
    return b"II*\0" + struct.pack("<I", 8 + len(named)) + named + folder(entries)


def jpeg(data: bytes, times: int = 1) -> bytes:
    whole = encoded("mjpeg")
    part = b"\xff\xe1" + struct.pack(">H", len(data) + 8) + b"Exif\0\0" + data
    return whole[:2] + part * times + whole[2:]


def one_text(times: int, length: int) -> Callable[[int], tuple[list[Entry], bytes]]:
    """So many tags that all name the same text."""
    return lambda place: ([(0x9D00 + number, TEXT, length, place) for number in range(times)], b"x" * length)


def folders(wide: int, deep: int) -> Callable[[int], tuple[list[Entry], bytes]]:
    """Folders of so many that are all the same one, so deep."""

    def more(place: int) -> tuple[list[Entry], bytes]:
        named, at = folder([(0x9D00, TEXT, 4, 0)] * wide), place
        for _ in range(deep):
            one = folder([(0x9D00 + number, FOLDER, 1, at) for number in range(wide)])
            at, named = place + len(named), named + one
        return [(EXIF, 4, 1, at)], named

    return more


def notes(place: int) -> tuple[list[Entry], bytes]:
    """A camera's notes, which are a folder in disguise."""
    text = b"x" * 60_000
    inner = b"Nikon\0\2\0" + folder([(number, TEXT, len(text), place) for number in range(400)])
    return [(0x927C, 7, len(inner), place + len(text))], text + inner[: 65_000 - len(text)]


def as_text(data: bytes) -> bytes:
    data = b"Exif\0\0" + data
    said = b"\nexif\n%8d\n" % len(data) + data.hex().encode()
    return with_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(said))


BOMBS: dict[str, Callable[[], bytes]] = {
    "one text of many tags.tif": lambda: tiff(one_text(300, 10 << 20)),
    "folders.tif": lambda: tiff(folders(200, 2)),
    "folders.jpg": lambda: jpeg(exif(folders(200, 2))),
    "one text of many tags.jpg": lambda: jpeg(exif(one_text(1_000, 50_000))),
    "many parts.jpg": lambda: jpeg(exif(one_text(100, 50_000)), 300),
    "notes.tif": lambda: tiff(notes),
    "folders.png": lambda: with_chunk(b"eXIf", exif(folders(200, 2))),
    "text.png": lambda: as_text(exif(folders(200, 2))),
}


@pytest.mark.parametrize("name", BOMBS)
def test_tags_that_stand_for_much_are_refused(tmp_path: Path, name: str) -> None:
    """Some kilobytes of folders in folders took libav more than a minute, and one text of ten megabytes six gigabytes."""
    data, ending = BOMBS[name](), name.rpartition(".")[2]
    (tmp_path / f"f.1.{ending}").write_bytes(data)
    (tmp_path / f"f.2.{ending}").write_bytes(data)
    began = time.process_time()
    with pytest.raises(BadMedia, match=r"at frame 0, carries tags \(TIFF or Exif\) that stand for far more"):
        Surveyor(f"{tmp_path}?rate=24").film()
    assert time.process_time() - began < 5
    with pytest.raises(BadMedia, match="The still mine carries tags"):
        read_still(data, "mine")


def test_a_loop_of_folders_is_read_as_libav_reads_it(tmp_path: Path) -> None:
    """It gives up at the fourth folder."""

    def loop(place: int) -> tuple[list[Entry], bytes]:
        return [(EXIF, 4, 1, place)], folder([(EXIF, 4, 1, place)])

    for number, data in enumerate((tiff(loop), jpeg(exif(loop)))):
        refuse_large_metadata(data, "it")
        path = tmp_path / f"{number}" / f"f.1.{('tif', 'jpg')[number]}"
        path.parent.mkdir()
        path.write_bytes(data)
        assert Surveyor(f"{path.parent}?rate=24").film().picture.width == 64


def test_what_cameras_and_programs_write_passes() -> None:
    for data in (
        tiff(one_text(1, 12 << 20)),
        tiff(one_text(200, 1_000)),
        jpeg(exif(one_text(300, 100)), 3),
        jpeg(exif(folders(12, 2))),
        with_chunk(b"eXIf", exif(folders(12, 2))),
        as_text(exif(one_text(50, 50))),
        encoded("tiff"),
        encoded("mjpeg"),
        encoded("mjpeg")[:300],
        *(tiff(folders(9, 2))[:length] for length in range(4, 900, 50)),
        *(exif(folders(9, 2))[:length] for length in range(4, 600, 50)),
    ):
        refuse_large_metadata(data, "it")


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the shared photos are not here")
def test_photos_pass() -> None:
    photos = list(
        islice((path for path in sorted(PHOTOS.rglob("*")) if path.suffix.lower() in (".jpg", ".jpeg", ".png")), 300)
    )
    assert photos
    for path in photos:
        refuse_large_metadata(path.read_bytes(), path.name)


def test_a_picture_file_of_gigabytes_is_refused_by_its_size(tmp_path: Path) -> None:
    """A DPX keeps what it likes between its header and its picture."""
    head = b"SDPX" + struct.pack(">I", 2048) + bytes(764) + struct.pack(">2I", 64, 48) + bytes(1268)
    for number in (1, 2):
        with (tmp_path / f"f.{number}.dpx").open("wb") as file:
            file.write(head)
            file.truncate(2048 + 64 * 48 * 4 + (number - 1) * (3 << 30))
    with pytest.raises(
        BadMedia, match=r"has a file of 3,072 MiB, f\.2\.dpx, and one of its pictures has at most 64; write"
    ):
        Surveyor(f"{tmp_path}?rate=24").film()
