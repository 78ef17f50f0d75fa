"""How image sequences are named: the pattern of their file numbers, which picture files are allowed, and their rate."""

import re
from fractions import Fraction
from typing import NamedTuple

FOURCC = {
    "dpx": b"dpx ",
    "tif": b"tiff",
    "tiff": b"tiff",
    "png": b"png ",
    "exr": b"exr ",
    "jpg": b"jpeg",
    "jpeg": b"jpeg",
}
"""The picture files of a sequence by their ending, with QuickTime's name of the codec; libav's demuxer knows all of them."""

_PATTERN = re.compile(r"(?P<head>.*?)(?:%0?(?P<width>\d{0,2})d|(?P<hashes>#+))(?P<tail>[^%#]*)")
_RATED = re.compile(r"(?P<place>.*)\?rate=(?P<rate>[^?]*)", re.DOTALL)
_RATE = re.compile(r"\d{1,20}(\.\d{1,20}|/\d{1,20})?", re.ASCII)
_NTSC_WITHIN = Fraction(1, 200)
"""23.98 and 59.94 are this near to 24000/1001 and 60000/1001; 24 and 60 are not."""
_TIMESCALE = 2**31
"""libav counts a QuickTime movie's ticks of a second in 31 bits."""


class SequencePattern(NamedTuple):
    """A source and the rate that stands behind it; None where none does."""

    place: str
    rate: str | None


def ending(name: str) -> str:
    """A file name's ending, in lower case and without its dot."""
    return name.rpartition(".")[2].lower()


def pattern(place: str) -> re.Match[str] | None:
    """The last name of a path or URL as a pattern of numbered files: its groups are head, width, hashes and tail."""
    name = place.rpartition("/")[2]
    return _PATTERN.fullmatch(name) if ending(name) in FOURCC else None


def parted(url: str) -> SequencePattern:
    """A source's place and rate: "shots/f.%04d.dpx" and "24" of "shots/f.%04d.dpx?rate=24"."""
    found = _RATED.fullmatch(url)
    return SequencePattern(found["place"], found["rate"]) if found else SequencePattern(url, None)


def rate_of(value: object) -> Fraction:
    """Frames a second as people write them; 23.976, 23.98 or 59.94 is the NTSC rate that it means. Raises ValueError with a sentence."""
    text = str(value).strip()
    try:
        # Fraction would also reckon 1e999999999 out.
        rate = Fraction(text if _RATE.fullmatch(text) else "")
    except (ValueError, ZeroDivisionError):
        raise ValueError('a rate reads 24, 23.976 or "24000/1001"') from None
    near = Fraction(round(rate * 1001 / 1000) * 1000, 1001)
    if rate.denominator != 1 and abs(near - rate) < _NTSC_WITHIN:
        rate = near
    if not 1 <= rate <= 240:
        raise ValueError("a rate of 1 to 240 frames a second is allowed")
    if rate.numerator >= _TIMESCALE:
        raise ValueError("give the rate with fewer digits, as in 23.976 or 24000/1001")
    return rate
