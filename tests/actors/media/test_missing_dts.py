"""Decode times that a demuxer leaves out: ascending, none above its packet's time, and none that is told is touched."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from actors.media.missing_dts import completed
from tests.films import Recipe


@pytest.mark.parametrize("frames", [2, 24])
def test_every_packet_has_a_decode_time(tmp_path: Path, frames: int) -> None:
    path = Recipe(frames=frames, size=(64, 48), rate=Fraction(24), sound="aac").make(tmp_path / "a.mkv")
    with av.open(str(path)) as media:
        told = [(one.stream_index, one.pts, one.dts) for one in media.demux() if one.size]
    assert any(dts is None for _, _, dts in told)
    with av.open(str(path)) as media:
        found = [
            (one.stream_index, one.pts, one.dts) for one in completed(packet for packet in media.demux() if packet.size)
        ]
    for index in (0, 1):
        before, after = ([one for one in every if one[0] == index] for every in (told, found))
        assert [pts for _, pts, _ in after] == [pts for _, pts, _ in before]
        times = [dts for _, _, dts in after if dts is not None]
        assert len(times) == len(before)
        assert all(one < other for one, other in pairwise(times))
        assert all(dts <= (pts or 0) for (_, pts, _), dts in zip(after, times, strict=True))
        assert all(dts in (None, time) for (_, _, dts), time in zip(before, times, strict=True))
