"""What inspectors read: a single frame is the very one that decoding the whole film gives."""

from pathlib import Path

import av
import pytest

from actors.mux.frame_access import frame_at
from tests.films import KINDS, fingerprint


@pytest.mark.parametrize("kind", ["h264-closed.mp4", "h264-one-keyframe.mp4", "h264-open.mkv", "ffv1-10bit.mkv"])
def test_a_frame_alone_is_that_of_the_whole_film(tmp_path: Path, kind: str) -> None:
    path = KINDS[kind].make(tmp_path / kind)
    with av.open(str(path)) as film:
        whole = [(frame.pts or 0, fingerprint(frame)) for frame in film.decode(video=0)]
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        for pts, wanted in whole[::-3]:
            found = frame_at(film, stream, pts)
            assert found is not None
            assert (found.pts, fingerprint(found)) == (pts, wanted)
        assert frame_at(film, stream, whole[-1][0] + 1) is None
