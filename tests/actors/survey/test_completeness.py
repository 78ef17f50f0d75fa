"""A film that lacks pictures which its container promises is refused, in one sentence whose advice works; what is whole, or promises nothing, is taken."""

import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from actors.media.ebml import CLUSTER, SEGMENT, elements
from actors.survey.surveyor import Surveyor
from jobs.errors import BadMedia
from tests.actors.advised import followed
from tests.actors.cutting import surveyed
from tests.films import Recipe

CASES = Path(__file__).parents[4] / "shared" / "cases"

SMALL = Recipe(frames=48, size=(96, 64), gop=8, rate=Fraction(25), b_frames=0)
MPEG2 = replace(SMALL, codec="mpeg2video", b_frames=2)
VP8 = replace(SMALL, codec="libvpx")
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
FILMS = {
    "h264.mp4": replace(SMALL, muxer={"movflags": "faststart"}, sound="aac"),
    "fragments.mp4": replace(SMALL, muxer=FRAGMENTS),
    "prores.mov": replace(SMALL, codec="prores_ks", pix_fmt="yuv422p10le", muxer={"movflags": "faststart"}),
    "h264.mkv": replace(SMALL, sound="flac"),
    "live.mkv": replace(SMALL, muxer={"live": "1"}),
    "vp8.webm": VP8,
    "mjpeg.avi": replace(SMALL, codec="mjpeg", pix_fmt="yuvj420p"),
    "mpeg2.mxf": MPEG2,
    "mpeg2.mpg": MPEG2,
    "mpeg2.gxf": replace(MPEG2, size=(720, 576)),
    "h264.flv": SMALL,
    "vp8.ogv": VP8,
    "ffv1.nut": replace(SMALL, codec="ffv1"),
    "wmv2.asf": replace(SMALL, codec="wmv2"),
    "vp8.ivf": VP8,
}
LACKS = "truncated|lacks|is damaged|does not end|contradicts itself"


def refused(path: Path) -> str:
    """The one sentence by which the film is refused."""
    with pytest.raises(BadMedia, match=LACKS) as found:
        surveyed(path)
    assert "\n" not in str(found.value)
    return str(found.value)


@pytest.mark.parametrize("name", FILMS)
def test_a_film_that_is_cut_short_is_refused_wherever_it_is_cut(tmp_path: Path, name: str) -> None:
    whole = FILMS[name].make(tmp_path / name)
    assert surveyed(whole)[1].frames == 48
    draw, data, cut = random.Random(name), whole.read_bytes(), tmp_path / f"cut-{name}"
    for _ in range(12):
        cut.write_bytes(data[: draw.randrange(len(data) // 2, len(data) - len(data) // 8)])
        refused(cut)


@pytest.mark.parametrize(
    "name", ["fragments.mp4", "h264.mkv", "live.mkv", "vp8.webm", "mpeg2.mxf", "mpeg2.mpg", "h264.flv", "ffv1.nut"]
)
def test_a_film_that_lacks_something_in_its_middle_is_refused(tmp_path: Path, name: str) -> None:
    data, torn = FILMS[name].make(tmp_path / name).read_bytes(), tmp_path / f"torn-{name}"
    third = len(data) // 3
    torn.write_bytes(data[:third] + data[third + third // 2 :])
    refused(torn)


@pytest.mark.parametrize("damage", ["zeros in a packet", "a payload's length"])
def test_an_asf_that_lost_a_packet_is_refused_and_a_whole_one_is_not(tmp_path: Path, damage: str) -> None:
    # Longer than media objects are counted: their numbers begin again at 256.
    recipe = replace(SMALL, codec="wmv2", frames=300, sound="flac")
    whole, torn = recipe.make(tmp_path / "whole.asf"), tmp_path / "torn.asf"
    assert surveyed(whole)[1].frames == 300
    data = bytearray(whole.read_bytes())
    first = data.index(bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")) + 50  # the data object's GUID, and its head
    packet = first + 2 * 3200
    if damage == "zeros in a packet":
        data[packet : packet + 3] = bytes(3)
    else:
        data[packet + 3 + 12] ^= 0x3F  # how many payloads there are, or of which stream the only one is
    torn.write_bytes(data)
    refused(torn)


@pytest.mark.parametrize(
    "name", ["fragments.mp4", "h264.mkv", "vp8.webm", "mjpeg.avi", "mpeg2.mpg", "h264.flv", "ffv1.nut", "vp8.ogv"]
)
def test_what_is_there_can_be_kept_as_the_refusal_says(tmp_path: Path, name: str) -> None:
    data, cut = FILMS[name].make(tmp_path / name).read_bytes(), tmp_path / f"cut-{name}"
    cut.write_bytes(data[: len(data) * 2 // 3 - 100])
    sentence = refused(cut)
    assert "copy it again" in sentence
    _, index = surveyed(followed(sentence, cut, tmp_path / "kept.mkv"))
    assert 16 <= index.frames < 48


def test_a_webm_whose_last_second_is_missing(tmp_path: Path) -> None:
    film = CASES / "trunc.webm"
    if not film.exists():
        pytest.skip(f"{film} is not on this machine")
    assert "4,177 bytes are missing" in refused(film)


def without_last_cluster(path: Path, target: Path) -> Path:
    """A Matroska file of unknown size that ends between two clusters: its elements are whole, its duration is not."""
    data = path.read_bytes()
    segment = next(one for one in elements(data, 0, len(data)) if one.name == SEGMENT)
    clusters = [one for one in elements(data, segment.content, len(data)) if one.name == CLUSTER]
    unknown = b"\x01" + b"\xff" * 7
    target.write_bytes(data[: segment.content - 8] + unknown + data[segment.content : clusters[-1].start])
    return target


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(24000, 1001)])
def test_a_duration_is_a_promise_to_the_frame(tmp_path: Path, rate: Fraction) -> None:
    # One keyframe, so one frame, in the last cluster: far less than a second is missing.
    film = replace(SMALL, frames=41, gop=8, rate=rate, muxer={"cluster_time_limit": "1"}).make(tmp_path / "film.mkv")
    assert surveyed(film)[1].frames == 41
    assert " s of " in refused(without_last_cluster(film, tmp_path / "short.mkv"))


def test_a_recording_that_promises_nothing_ends_where_it_ends(tmp_path: Path) -> None:
    live = replace(SMALL, gop=8, muxer={"live": "1", "cluster_time_limit": "1"}).make(tmp_path / "live.mkv")
    short = without_last_cluster(live, tmp_path / "short.mkv")
    assert 0 < surveyed(short)[1].frames < 48


def as_filler(path: Path, target: Path, picture: int) -> Path:
    """An MXF whose n-th picture is called a filler: nothing moves, and one picture is not there."""
    data, place, seen = bytearray(path.read_bytes()), 0, 0
    while place < len(data):
        more = data[place + 16] & 0x7F if data[place + 16] & 0x80 else 0
        size = int.from_bytes(data[place + 17 : place + 17 + more], "big") if more else data[place + 16]
        if data[place + 4 : place + 12] == bytes.fromhex("010201010d010301") and data[place + 12] == 0x15:
            if seen == picture:
                data[place : place + 16] = bytes.fromhex("060e2b34010101020301021001000000")
            seen += 1
        place += 17 + more + size
    assert seen == 48
    target.write_bytes(data)
    return target


def test_an_mxf_that_lacks_one_picture_says_which(tmp_path: Path) -> None:
    film = replace(MPEG2, gop=1, b_frames=0).make(tmp_path / "film.mxf")
    torn = as_filler(film, tmp_path / "torn.mxf", 20)
    assert "after frame 19" in refused(torn)


def test_a_fragment_that_is_missing_between_others_is_missed(tmp_path: Path) -> None:
    data = FILMS["fragments.mp4"].make(tmp_path / "film.mp4").read_bytes()
    _, second, third = _moofs(data)[:3]
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(data[:second] + data[third:])
    assert "fragment 1 is followed by fragment 3" in refused(torn)


def test_a_fragment_whose_samples_are_of_no_track_is_refused(tmp_path: Path) -> None:
    data = FILMS["fragments.mp4"].make(tmp_path / "film.mp4").read_bytes()
    second = data.index(b"traf", data.index(b"traf") + 4)
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(data[:second] + b"praf" + data[second + 4 :])
    assert "the samples of fragment 2 are of no track" in refused(torn)


def _moofs(data: bytes) -> list[int]:
    places, place = [], 0
    while place < len(data):
        if data[place + 4 : place + 8] == b"moof":
            places.append(place)
        place += int.from_bytes(data[place : place + 4], "big")
    return places


def test_tables_that_contradict_one_another_are_refused(tmp_path: Path) -> None:
    data = bytearray(FILMS["h264.mp4"].make(tmp_path / "film.mp4").read_bytes())
    times = data.index(b"stts")
    data[times + 8 + 4 : times + 8 + 8] = (12).to_bytes(4, "big")
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(data)
    assert "48 sizes of samples, 12 times" in refused(torn)


def test_a_codec_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    data = FILMS["h264.mp4"].make(tmp_path / "film.mp4").read_bytes().replace(b"avc1", b"avx1")
    strange = tmp_path / "strange.mp4"
    strange.write_bytes(data)
    with pytest.raises(BadMedia, match=r"codec|decoded"):
        Surveyor(str(strange)).film()


Change = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data + bytes(188 * 3),
        lambda data: data[: len(data) // 188 // 3 * 188] + data[len(data) // 188 // 2 * 188 :],
    ],
    ids=["stuffing", "hole"],
)
def test_a_hole_in_a_transport_stream_is_told_by_its_counters(tmp_path: Path, change: Change) -> None:
    film = replace(SMALL, codec="mpeg2video").make(tmp_path / "film.ts")
    data = film.read_bytes()
    torn = tmp_path / "torn.ts"
    torn.write_bytes(change(data))
    if len(torn.read_bytes()) > len(data):
        assert surveyed(torn)[1].frames == 48
    else:
        assert "packets are missing" in refused(torn)


def test_two_recordings_joined_are_no_hole(tmp_path: Path) -> None:
    film = replace(SMALL, codec="mpeg2video")
    first, second = film.make(tmp_path / "a.ts"), replace(film, start=60).make(tmp_path / "b.ts")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    assert surveyed(joined)[1].frames == 96
