"""PNG files whose texts would take gigabytes are refused before any decoder sees them, in sequences and among stills."""

import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from actors.stills.reading import read_still
from actors.survey.surveyor import Surveyor
from jobs.errors import BadMedia
from jobs.store.png_texts import MOST_TEXT, refuse_large_texts
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
        refuse_large_texts(io.BytesIO(data), "it")
    assert tracemalloc.get_traced_memory()[1] < 48 << 20
    tracemalloc.stop()
    with pytest.raises(
        BadMedia, match=r"f\.1\.png of the source .* carries texts or a colour profile of more than 16 MiB"
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
def test_what_carries_little_is_read_from_its_beginning(data: bytes) -> None:
    file = io.BytesIO(data)
    refuse_large_texts(file, "it")
    assert file.read() == data
    assert MOST_TEXT > 4 << 20


def test_a_file_of_nothing_but_chunks_is_refused_soon() -> None:
    with pytest.raises(BadMedia, match="carries texts"):
        refuse_large_texts(io.BytesIO(with_chunk(b"abCd", b"", times=300_000)), "it")


def test_the_advice_is_enough(tmp_path: Path) -> None:
    """Less its texts, the same picture is read."""
    for number in (1, 2):
        (tmp_path / f"f.{number}.png").write_bytes(with_chunk(b"zTXt", b"comment\0\0" + packed(4)))
    assert Surveyor(f"{tmp_path}?rate=24").film().picture.width == 64
