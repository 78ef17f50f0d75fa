"""Recordings that begin amid a group of pictures: refused with the number of frames and the setting, and with it delivered from the first frame that can be decoded."""

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from actors.survey.describe import inspection
from actors.verify.compare import compare
from jobs.errors import BadMedia
from tests.farm.inline import rendered
from tests.farm.studio import spec_of
from tests.films import Recipe
from tests.matrix.proof import shown

CASES = Path(__file__).parents[3] / "shared" / "cases"
LONG = Recipe(frames=48, size=(64, 48), rate=Fraction(25), gop=8, b_frames=2)
FILMS = {
    "h264.ts": LONG,
    "h264-open.ts": replace(LONG, open_gop=True),
    "mpeg2.ts": replace(LONG, codec="mpeg2video"),
    "hevc-open.ts": replace(LONG, codec="libx265", open_gop=True),
}


@pytest.mark.parametrize("name", FILMS)
def test_a_recording_cut_out_of_a_broadcast_begins_where_it_can_be_decoded(tmp_path: Path, name: str) -> None:
    data = FILMS[name].make(tmp_path / f"whole-{name}").read_bytes()
    source = tmp_path / name
    source.write_bytes(data[len(data) // 3 // 188 * 188 :])
    said = r"\d+ frames come before .* head: trim \(--head trim\)"
    with pytest.raises(BadMedia, match=said):
        rendered(spec_of(source, tmp_path / "whole", chunk_seconds=0.3))
    assert re.search(said, inspection(str(source)).refused)
    inspected = inspection(str(source), trim=True)
    assert (inspected.refused, inspected.film is None) == ("", False)
    report = rendered(spec_of(source, tmp_path, chunk_seconds=0.3, head="trim")).report()
    assert report.conforms
    assert "left out at the head: " in report.deliverables[0].timing
    made, all_of_it = shown(tmp_path / "out/film.mkv"), shown(tmp_path / f"whole-{name}")
    # The very frames of the film as it was broadcast, without a gap, to its end.
    assert made.numbers == list(range(made.numbers[0], 48))
    assert made.pictures == all_of_it.pictures[made.numbers[0] :]
    assert 16 <= made.numbers[0] <= 24
    compared = compare(str(source), str(tmp_path / "out/film.mkv"), trim=True)
    assert compared.frames == (48 - made.numbers[0],) * 2
    assert (compared.picture_equal, compared.times_differ_at) == (compared.frames[0], None)


def test_sound_keeps_its_distance_from_a_trimmed_picture(tmp_path: Path) -> None:
    data = replace(LONG, sound="aac").make(tmp_path / "whole.ts").read_bytes()
    source = tmp_path / "film.ts"
    source.write_bytes(data[len(data) * 2 // 5 // 188 * 188 :])
    report = rendered(spec_of(source, tmp_path, chunk_seconds=0.3, head="trim")).report()
    assert "left out at the head: " in report.deliverables[0].timing
    with av.open(str(tmp_path / "out/film.mkv")) as film:
        sound = [
            packet.pts * Fraction(packet.time_base or 1) for packet in film.demux(audio=0) if packet.pts is not None
        ]
    with av.open(str(source)) as film:
        own = [packet.pts * Fraction(packet.time_base or 1) for packet in film.demux(audio=0) if packet.pts is not None]
    with av.open(str(tmp_path / "whole.ts")) as film:
        whole = [frame.pts * Fraction(frame.time_base or 1) for frame in film.decode(video=0) if frame.pts is not None]
    made = shown(tmp_path / "out/film.mkv")
    assert abs((made.times[0] - sound[0]) - (whole[made.numbers[0]] - own[0])) <= Fraction(2, 1000)


def test_a_cut_of_an_open_group_of_hevc_is_delivered(tmp_path: Path) -> None:
    source = CASES / "hevc_cut.mkv"
    if not source.exists():
        pytest.skip(f"{source} is not on this machine")
    with pytest.raises(BadMedia, match=r"4 frames come before .* head: trim"):
        rendered(spec_of(source, tmp_path / "whole"))
    report = rendered(spec_of(source, tmp_path, chunk_seconds=0.5, head="trim")).report()
    assert report.conforms
    assert shown(tmp_path / "out/film.mkv").pictures == shown(source).pictures
