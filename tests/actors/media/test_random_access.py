"""Keyframes of H.264: those that need many frames to recover are no way in."""

from pathlib import Path

import pytest

from actors.media.random_access import is_way_in, nal_length_bytes
from tests.actors.cutting import surveyed
from tests.films import KINDS


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("h264-closed.mp4", [0, 12, 24, 36]),
        ("h264-open.mkv", [0, 12, 24, 36]),
        ("h264-open.ts", [0, 12, 24, 36]),
        ("h264-refresh.mkv", [0]),
        ("h264-refresh.ts", [0]),
    ],
)
def test_only_whole_pictures_are_entries(tmp_path: Path, kind: str, keys: list[int]) -> None:
    _, index = surveyed(KINDS[kind].make(tmp_path / kind))
    assert index.entries().tolist() == keys


@pytest.mark.parametrize(
    ("units", "way_in"),
    [
        ([b"\x09\xf0", b"\x06\x06\x01\xc4\x80", b"\x41\x9a"], True),
        ([b"\x09\xf0", b"\x06\x06\x01\x1c\x80", b"\x41\x9a"], False),
        # Another message first, of a type and a size that take two bytes each.
        ([b"\x06\xff\x01\xff\x01" + bytes([7]) * 256 + b"\x06\x01\x1c\x80", b"\x41\x9a"], False),
        ([b"\x65\x88", b"\x06\x06\x01\x1c\x80"], True),
        ([b"\x41\x9a"], True),
        ([b"\x06"], True),
        ([b""], True),
    ],
)
def test_a_packet_says_when_its_picture_is_whole(units: list[bytes], way_in: bool) -> None:
    assert is_way_in(b"".join(len(unit).to_bytes(4, "big") + unit for unit in units), 4) is way_in
    assert is_way_in(b"".join(b"\0\0\0\1" + unit for unit in units), 0) is way_in


def test_how_units_are_divided() -> None:
    assert nal_length_bytes(None) == nal_length_bytes(b"") == nal_length_bytes(b"\0\0\0\1\x67") == 0
    assert nal_length_bytes(b"\x01\x64\x00\x1f\xff\xe1") == 4
    assert nal_length_bytes(b"\x01\x64\x00\x1f\xfd\xe1") == 2
