"""Shapes of pixels in headers: exact, at the same length, with libav's own checksum."""

import io
from fractions import Fraction

import av
import pytest

from actors.mux.pixel_aspect import display_size, matroska_shapes, mxf_shape


def header(*codecs: str) -> bytes:
    """A Matroska file of one frame a track, as libav writes it."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska", container_options={"fflags": "+bitexact"}) as out:
        for codec in codecs:
            stream = out.add_stream(codec, rate=25)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height = 180, 144
        for stream in out.streams.video:
            out.mux([*stream.encode(av.VideoFrame(180, 144, "yuv420p")), *stream.encode(None)])
    return file.getvalue()


def test_what_is_not_changed_stays_to_the_bit_checksum_and_all() -> None:
    head = header("ffv1", "mpeg4")
    change = matroska_shapes(head, {})
    assert head[change.at : change.at + len(change.data)] == change.data


@pytest.mark.parametrize("shape", [Fraction(64, 45), Fraction(1, 7), Fraction(16777213, 16777211)])
def test_each_track_gets_its_own_shape(shape: Fraction) -> None:
    head = bytearray(header("ffv1", "ffv1", "ffv1"))
    before = len(head)
    change = matroska_shapes(bytes(head), {1: shape, 3: 1 / shape})
    head[change.at : change.at + len(change.data)] = change.data
    assert len(head) == before
    with av.open(io.BytesIO(head), "r") as media:
        assert [one.sample_aspect_ratio for one in media.streams.video] == [shape, None, 1 / shape]
        assert len(list(media.decode(video=0))) == 1


@pytest.mark.parametrize(
    ("shape", "shown", "unit"),
    [
        (Fraction(64, 45), (256, 144), 0),
        (Fraction(45, 64), (225, 256), 3),
        (Fraction(9, 16), (180, 256), 0),
        (Fraction(1001, 997), (5005, 3988), 3),
    ],
)
def test_a_display_size_is_in_pixels_where_it_is_whole(shape: Fraction, shown: tuple[int, int], unit: int) -> None:
    assert display_size(180, 144, shape) == (shown, unit)
    assert Fraction(*display_size(180, 144, shape)[0]) == Fraction(180, 144) * shape


def test_a_header_that_does_not_tell_one_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="one picture"):
        mxf_shape(bytes(64), 256, 128, Fraction(4, 3))
