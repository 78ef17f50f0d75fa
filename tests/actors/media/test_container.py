"""Opening media: a seek finds the very packet, in every container that can seek."""

from pathlib import Path

import pytest

from actors.media.container import BACK_OFF_SECONDS, open_media, opened, opened_at, picture_stream, sought, time_of
from jobs.errors import BadMedia
from tests.actors.cutting import surveyed
from tests.actors.media.large_headers import plain
from tests.films import KINDS

SEEKING = [kind for kind in KINDS if "one-keyframe" not in kind and "refresh" not in kind]


@pytest.mark.parametrize("kind", SEEKING)
def test_every_keyframe_is_found_by_a_seek(tmp_path: Path, kind: str) -> None:
    path = KINDS[kind].make(tmp_path / kind)
    _, index = surveyed(path)
    packets = index.packets
    for place in packets.key.nonzero()[0].tolist()[1:]:
        with opened(str(path)) as container:
            stream = picture_stream(container, kind)
            tries = (sought(container, stream, int(packets.pts[place]), back, kind) for back in BACK_OFF_SECONDS)
            found = next((each for each in tries if each is not None), None)
            assert found is not None, place
            assert [time_of(packet) for packet in found] == packets.pts[place:].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_every_keyframe_is_found_and_followed_by_the_rest(tmp_path: Path, kind: str) -> None:
    path = KINDS[kind].make(tmp_path / kind)
    film, index = surveyed(path)
    packets = index.packets
    for place in packets.key.nonzero()[0].tolist():
        with opened_at(str(path), film.picture.stream, place, int(packets.pts[place])) as (_, found):
            assert [packet.size for packet in found] == packets.size[place:].tolist()


def test_a_packet_that_is_no_keyframe_is_not_found(tmp_path: Path) -> None:
    path = KINDS["h264-open.mkv"].make(tmp_path / "film.mkv")
    _, index = surveyed(path)
    assert not index.packets.key[5]
    with (
        pytest.raises(BadMedia, match="no longer holds the keyframe"),
        opened_at(str(path), 0, 5, int(index.packets.pts[5])),
    ):
        pass


def test_a_stream_that_is_sought_where_none_can_be_is_told_of(tmp_path: Path) -> None:
    """As libav does where the last bytes of a NUT say that its index is longer than any file: most that are cut short do."""
    path = tmp_path / "film.nut"
    path.write_bytes(plain("nut") + b"\xc0" + bytes(11))
    with path.open("rb") as file, pytest.raises(BadMedia, match="it is not a video that the farm reads"):
        open_media(file, "it")
