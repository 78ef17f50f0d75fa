"""Opening media: a seek finds the very packet, in every container that can seek."""

from pathlib import Path

import pytest

from actors.media.container import BACK_OFF_SECONDS, opened, opened_at, picture_stream, sought, time_of
from jobs.errors import BadMedia
from tests.actors.cutting import surveyed
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
