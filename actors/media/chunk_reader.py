"""Reads a split chunk back: exactly the frames that it should hold, in display order, none lost, doubled or swapped."""

import io
from collections.abc import Iterator
from typing import BinaryIO

from av.video.frame import VideoFrame

from actors.media.constancy import Constancy, constant, kept_form
from actors.media.container import decoded, decoder_of, open_media, packets_of, picture_stream
from actors.media.display_order import in_order
from jobs.errors import ChunkFailed
from jobs.records.orders import SplitOrder


def read_chunk(media: BinaryIO | bytes, order: SplitOrder, threads: int = 1) -> Iterator[VideoFrame]:
    """The frames of `order.read`, in display order, as the source stores them (not turned upright) or as they were developed.

    `media` is the chunk object that the order's record names, whole or as a seekable stream; `threads` decode: each
    more costs a tenth more in all. Holds a few frames for each thread, never the chunk. A frame's pts is its stamp, of no further meaning.
    Full-range 8 bit may come as yuvj420p from packets and as yuv420p from FFV1: the film's colour says what it is.
    Raises ChunkFailed where a frame cannot be decoded, BadMedia where the picture is another than the film's from some frame
    on (see `actors.media.constancy`), or where the object is not a chunk at all.
    """
    what = f"chunk {order.chunk} ({order.digest}.mkv)"
    with open_media(io.BytesIO(media) if isinstance(media, bytes) else media, what) as container:
        stream = picture_stream(container, what)
        frames = decoded(decoder_of(stream, threads), packets_of(container, stream, what))
        form = kept_form(order.picture) if order.form == "ffv1" else None
        constancy = Constancy("The source", order.picture, form)
        try:
            yield from constant(in_order(frames, order.kept), constancy, order.read.start)
        except LookupError as missing:
            number = order.read.start + missing.args[0]
            raise ChunkFailed(
                f"{what} frame {number} of the film cannot be decoded; the source is damaged there, or the chunk is: "
                "delete that object and its record to have it split again."
            ) from None
