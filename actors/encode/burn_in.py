"""Draws time code, frame number and texts over finished frames, upright as they are seen. The frames that it is given stay as they are."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from actors.media.planes import Plane, planes_of, turned
from jobs.film.source import Picture
from jobs.records.orders import Encoding

LINES = 24
"""Lines of text that a picture is high."""
LETTERS = 14
"""Letters of that height that it is wide, at least: time code and frame number stand beside each other."""
SMALLEST = 10
"""Pixels that a line is high, at least."""
MARGIN = 0.5
"""Between text and edge, in lines."""
GROUND = 0.6
"""How dark the picture is made behind a text, of 1."""
FAINT = 0.25
"""How much of a watermark is seen, of 1."""
WATERMARK_LINES = 3
WIDEST = 0.9
"""Of a picture's width that a text takes, at most."""

Ink = NDArray[np.float32]
"""How much of each pixel a text covers, 0 to 1."""


class _Overlay(NamedTuple):
    """A text at its place in the upright picture."""

    top: int
    left: int
    ink: Ink
    ground: float


class BurnInDrawer:
    """Draws over one encoding's frames."""

    def __init__(self, film: Picture, encoding: Encoding) -> None:
        """Of an encoding that has texts."""
        assert encoding.burn_in
        self._burnt, self._encoding = encoding.burn_in, encoding
        self._names = self._burnt.timecodes()
        self._degrees = film.rotation - encoding.rotation
        size = (encoding.height, encoding.width)
        self._height, self._width = size[::-1] if self._degrees % 180 else size
        self._line = max(SMALLEST, min(self._height // LINES, self._width // LETTERS))
        self._always = list(self._standing())

    def drawn(self, frame: VideoFrame, number: int) -> VideoFrame:
        """A copy of a frame of the film, with its texts."""
        made = VideoFrame(frame.width, frame.height, frame.format.name)
        for plane, own in zip(planes_of(made), planes_of(frame), strict=True):
            plane[:] = own
        planes = turned(planes_of(made), self._degrees)
        for overlay in (*self._always, *self._counted(number)):
            self._lay(planes, overlay)
        return made

    def _standing(self) -> list[_Overlay]:
        found = []
        margin = round(MARGIN * self._line)
        if self._burnt.title:
            found.append(
                _Overlay(margin, margin, self._fitted(_written(_drawable(self._burnt.title), self._line)), GROUND)
            )
        if self._burnt.text:
            ink = self._fitted(_written(_drawable(self._burnt.text), WATERMARK_LINES * self._line))
            place = (self._height - ink.shape[0]) // 2, (self._width - ink.shape[1]) // 2
            found.append(_Overlay(*place, FAINT * ink, 0.0))
        return found

    def _counted(self, number: int) -> list[_Overlay]:
        """What is another on each frame."""
        found, margin = [], round(MARGIN * self._line)
        if self._names:
            ink = _set(self._names.name(number), self._line)
            found.append(_Overlay(self._height - margin - ink.shape[0], margin, ink, GROUND))
        if self._burnt.frame:
            ink = _set(str(number), self._line)
            found.append(
                _Overlay(self._height - margin - ink.shape[0], max(0, self._width - margin - ink.shape[1]), ink, GROUND)
            )
        return found

    def _fitted(self, ink: Ink) -> Ink:
        """No wider than the picture has room for."""
        room = max(1, round(WIDEST * self._width))
        if ink.shape[1] <= room:
            return ink
        height = max(1, round(ink.shape[0] * room / ink.shape[1]))
        return np.asarray(cv2.resize(ink, (room, height), interpolation=cv2.INTER_AREA), np.float32)

    def _lay(self, planes: Sequence[Plane], overlay: _Overlay) -> None:
        bits = VideoFormat(self._encoding.pix_fmt).components[0].bits
        black, white = (0.0, 255.0) if self._encoding.colour.full_range else (16.0, 235.0)
        scale = 2.0 ** (bits - 8)
        keeps = (1 - overlay.ground) * (1 - overlay.ink)
        added = (black * overlay.ground * (1 - overlay.ink) + white * overlay.ink) * scale
        for place, plane in enumerate(planes):
            down, across = self._height // plane.shape[0] or 1, self._width // plane.shape[1] or 1
            part = plane[overlay.top // down :, overlay.left // across :]
            size = (min(part.shape[1], -(-keeps.shape[1] // across)), min(part.shape[0], -(-keeps.shape[0] // down)))
            kept = cv2.resize(keeps, size, interpolation=cv2.INTER_AREA)
            # Grey, where the text is: of chroma nothing is added but what it is counted from.
            more = (1 - kept) * 128 * scale if place else cv2.resize(added, size, interpolation=cv2.INTER_AREA)
            part = part[: size[1], : size[0]]
            part[:] = np.rint(part * kept + more).astype(plane.dtype)


def drawer_of(film: Picture, encoding: Encoding) -> BurnInDrawer | None:
    """What draws over an encoding's frames; None where nothing is drawn."""
    return BurnInDrawer(film, encoding) if encoding.burn_in else None


def _drawable(text: str) -> str:
    """What the typeface has letters for: others lose their marks, or become a question mark."""
    plain = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return "".join(letter if letter.isascii() else "?" for letter in plain)


@lru_cache(256)
def _written(text: str, height: int) -> Ink:
    """A text in Pillow's own typeface, a line so many pixels high. It is drawn as it is, whatever it holds."""
    from PIL import Image, ImageDraw, ImageFont  # with freetype: most encodings draw nothing

    font = ImageFont.load_default(height * 0.8)
    left, _, right, _ = font.getbbox(text, anchor="ls")
    image = Image.new("L", (max(1, round(right - left) + height // 2), height))
    # All of a line stand on one base, whatever letters are in them.
    ImageDraw.Draw(image).text((height // 4 - left, round(0.78 * height)), text, fill=255, font=font, anchor="ls")
    return np.asarray(image, np.float32) / np.float32(255)


def _set(text: str, height: int) -> Ink:
    """Digits and what stands between them, each as wide as the widest, so that nothing moves from frame to frame."""
    spare = height // 6  # of what stands on either side of a letter that is a text by itself
    glyphs = [_written(letter, height)[:, spare:-spare] for letter in text]
    widest = max(_written(letter, height).shape[1] - 2 * spare for letter in "0123456789")
    room = [widest if letter.isdigit() else glyph.shape[1] for letter, glyph in zip(text, glyphs, strict=True)]
    padded = [
        np.pad(glyph, ((0, 0), ((wide - glyph.shape[1]) // 2, wide - glyph.shape[1] - (wide - glyph.shape[1]) // 2)))
        for glyph, wide in zip(glyphs, room, strict=True)
    ]
    ends = np.zeros((height, height // 4), np.float32)
    return np.hstack([ends, *padded, ends])
