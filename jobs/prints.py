"""Prints: segments of one deliverable struck from those of another, which lose nothing. Promises the ordinary digest only where the bytes are those of the ordinary way; opens nothing."""

from jobs.formats import Codec
from jobs.paper import Paper
from jobs.plan import Range
from jobs.records import Encoding


class Print(Paper):
    """A segment that is wanted."""

    digest: str
    """As a renderer or a dissolver would name it: see `jobs.records.segment_digests`."""
    frames: Range
    encoding: Encoding


class PrintOrder(Paper):
    """Encode some of a chunk's core from segments that hold all of it losslessly, in the very form that is wanted."""

    chunk: int
    masters: tuple[str, ...]
    """Digests of the lossless segments of the core, in film order."""
    prints: tuple[Print, ...]


def serves(master: Encoding, wanted: Encoding) -> bool:
    """Whether the decoded frames of one encoding are, bit for bit, those that another one's encoder is given.

    So it is where nothing is lost, and both have one form: all that composing a finished frame depends on.
    """
    return master.codec is Codec.FFV1 and _form(master) == _form(wanted)


def _form(encoding: Encoding) -> tuple[object, ...]:
    colour = encoding.colour
    size = (encoding.width, encoding.height, encoding.rotation)
    return (*size, encoding.pix_fmt, colour.matrix, colour.full_range)
