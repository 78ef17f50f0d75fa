"""Pictures whose metadata would take gigabytes or hours are refused before any decoder sees them: in sequences, in films, among stills."""

import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from actors.media.metadata.pictures import MOST_ENTRIES, MOST_TEXT, refuse_large_metadata
from actors.stills.reading import read_still
from actors.survey.surveyor import Surveyor
from actors.verify.compare import compare
from jobs.errors import BadMedia
from jobs.store import open_store
from jobs.store.traffic import drain
from tests.actors.media.test_limits import png


def with_chunk(kind: bytes, data: bytes, *, times: int = 1) -> bytes:
    """A picture with chunks between its header and its pixels."""
    whole = png(64, 48)
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return whole[:33] + chunk * times + whole[33:]


def packed(megabytes: int) -> bytes:
    one = zlib.compressobj(9)
    return b"".join(one.compress(bytes(1 << 20)) for _ in range(megabytes)) + one.flush()


KINDS: dict[str, Callable[[int], bytes]] = {
    "zTXt": lambda megabytes: with_chunk(b"zTXt", b"comment\0\0" + packed(megabytes)),
    "iCCP": lambda megabytes: with_chunk(b"iCCP", b"profile\0\0" + packed(megabytes)),
    "iTXt": lambda megabytes: with_chunk(b"iTXt", b"comment\0\1\0en\0Kommentar\0" + packed(megabytes)),
    "many": lambda megabytes: with_chunk(b"zTXt", b"comment\0\0" + packed(4), times=megabytes // 4),
    "plain": lambda megabytes: with_chunk(b"tEXt", b"comment\0" + bytes(megabytes << 20)),
    "EXIF": lambda megabytes: with_chunk(b"eXIf", bytes(megabytes << 20)),
}


@pytest.mark.parametrize("made", KINDS.values(), ids=KINDS)
def test_a_small_file_that_stands_for_much_is_refused(tmp_path: Path, made: Callable[[int], bytes]) -> None:
    data = made(40)
    (tmp_path / "f.1.png").write_bytes(data)
    (tmp_path / "f.2.png").write_bytes(png(64, 48))
    tracemalloc.start()
    with pytest.raises(BadMedia, match="it carries texts"):
        refuse_large_metadata(data, "it")
    assert tracemalloc.get_traced_memory()[1] < 48 << 20
    tracemalloc.stop()
    with pytest.raises(
        BadMedia, match=r"The source .*, at frame 0, carries texts or a colour profile of more than 16 MiB"
    ):
        Surveyor(f"{tmp_path}?rate=24").film()
    with pytest.raises(BadMedia, match="The still mine carries texts"):
        read_still(data, "mine")


@pytest.mark.parametrize(
    "data",
    [
        *(made(4) for made in KINDS.values()),
        with_chunk(b"zTXt", b"comment\0\0 no deflate"),
        with_chunk(b"zTXt", b"no end"),
        b"\x89PNG\r\n\x1a\n\0\0",
        b"II*\0",
        b"",
    ],
)
def test_what_carries_little_passes(data: bytes) -> None:
    refuse_large_metadata(data, "it")
    assert MOST_TEXT > 4 << 20


def test_a_file_of_nothing_but_chunks_is_refused_soon() -> None:
    with pytest.raises(BadMedia, match="carries texts"):
        refuse_large_metadata(with_chunk(b"abCd", b"", times=300_000), "it")


def test_the_advice_is_enough(tmp_path: Path) -> None:
    """Less its texts, the same picture is read."""
    for number in (1, 2):
        (tmp_path / f"f.{number}.png").write_bytes(with_chunk(b"zTXt", b"comment\0\0" + packed(4)))
    assert Surveyor(f"{tmp_path}?rate=24").film().picture.width == 64


def exr(attributes: int, *, parts: bool = False) -> bytes:
    """A grey picture of 16x16 with so many attributes of its own; `parts`: it says that it may have several."""

    def said(name: bytes, kind: bytes, data: bytes) -> bytes:
        return name + b"\0" + kind + b"\0" + struct.pack("<I", len(data)) + data

    window = struct.pack("<4i", 0, 0, 15, 15)
    head = b"\x76\x2f\x31\x01" + struct.pack("<I", 0x1002 if parts else 2)
    head += said(b"channels", b"chlist", b"Y\0" + struct.pack("<IBxxxII", 2, 0, 1, 1) + b"\0")
    head += said(b"compression", b"compression", b"\0") + said(b"lineOrder", b"lineOrder", b"\0")
    head += said(b"dataWindow", b"box2i", window) + said(b"displayWindow", b"box2i", window)
    head += said(b"pixelAspectRatio", b"float", struct.pack("<f", 1)) + said(b"screenWindowCenter", b"v2f", bytes(8))
    head += said(b"screenWindowWidth", b"float", struct.pack("<f", 1))
    head += b"".join(said(b"k%d" % number, b"string", b"v") for number in range(attributes)) + b"\0"
    rows = [struct.pack("<iI", row, 64) + bytes(64) for row in range(16)]
    first = len(head) + 8 * len(rows)
    return head + struct.pack("<16Q", *(first + 72 * row for row in range(16))) + b"".join(rows)


def test_names_that_are_compared_with_each_other_are_counted(tmp_path: Path) -> None:
    """A hundred thousand attributes of an OpenEXR, two megabytes, took libav more than a minute; a million take hours."""
    (tmp_path / "f.1.exr").write_bytes(exr(20))
    (tmp_path / "f.2.exr").write_bytes(exr(100_000))
    surveyor = Surveyor(f"{tmp_path}?rate=24")
    began = time.process_time()
    with pytest.raises(BadMedia, match=r"The source .*, at frame 1, has more than 2,000 attributes beside its picture"):
        surveyor.film()
    assert time.process_time() - began < 5
    for sound in (exr(MOST_ENTRIES - 100), exr(9, parts=True), exr(9)[:30], exr(0)[:8], exr(0)[:4]):
        refuse_large_metadata(sound, "it")
    with pytest.raises(BadMedia, match="more than 2,000 texts"):
        refuse_large_metadata(with_chunk(b"tEXt", b"a\0b", times=MOST_ENTRIES + 1), "it")


@pytest.mark.parametrize("ending", ["mov", "nut"])
def test_pictures_in_a_film_are_looked_at_as_those_of_a_sequence(tmp_path: Path, ending: str) -> None:
    """libav, which decodes as it opens a film, is not given them before."""
    film = tmp_path / f"film.{ending}"
    with av.open(str(film), "w") as out:
        stream = out.add_stream("png", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "gray"
        for number, data in enumerate([png(64, 48)] * 3 + [KINDS["zTXt"](40)]):
            packet = av.Packet(data)
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, number, number, Fraction(1, 24)
            packet.is_keyframe = True
            out.mux(packet)
    with pytest.raises(BadMedia, match=rf"film\.{ending}, at frame 3, carries texts"):
        list(Surveyor(str(film)).pages())
    with pytest.raises(BadMedia, match=rf"film\.{ending}, at frame 3, carries texts"):
        Surveyor(str(film)).film()
    with pytest.raises(BadMedia, match=rf"film\.{ending}, at frame 3, carries texts"):
        compare(str(film), str(film))


def test_a_picture_in_a_bucket_is_fetched_once_in_a_pass(tmp_path: Path, s3_bucket: str) -> None:
    store, rows = open_store(f"s3://{s3_bucket}/f"), np.random.default_rng(1).integers(0, 256, (512, 512, 3), np.uint8)
    data = cv2.imencode(".png", rows)[1].tobytes()
    for number in range(4):
        store.write(f"f.{number}.png", data)
    surveyor = Surveyor(f"s3://{s3_bucket}/f?rate=24")
    drain()
    assert sum(len(page) for page in surveyor.pages()) == 4
    seen = drain()
    assert seen.requests["read"] <= 4 + 1
    assert seen.bytes_read < 5 * len(data)
