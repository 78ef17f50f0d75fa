"""Exports frames as stills to be painted (PNG, the film's own size), and tells whether one came back unedited."""

import hashlib
import io
from collections.abc import Collection

from PIL import Image, PngImagePlugin

from actors.picture.stills import Photo
from actors.stills.metadata import OWN


def export(photo: Photo) -> bytes:
    """A frame, upright and with square pixels, as PNG in sRGB: the same bytes for the same picture, by the same Pillow."""
    said = PngImagePlugin.PngInfo()
    said.add(b"sRGB", b"\1")  # relative colorimetric
    said.add_text("Software", OWN)
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "PNG", pnginfo=said, compress_level=6)
    return file.getvalue()


def empty_layer(width: int, height: int) -> bytes:
    """A transparent PNG in sRGB, on which strokes are drawn: the same bytes for the same size, by the same Pillow."""
    said = PngImagePlugin.PngInfo()
    said.add(b"sRGB", b"\1")
    said.add_text("Software", OWN)
    file = io.BytesIO()
    Image.new("RGBA", (width, height)).save(file, "PNG", pnginfo=said, compress_level=6)
    return file.getvalue()


def is_unedited(data: bytes, known_sha256s: Collection[str]) -> bool:
    """Whether a still is one of the exports of these hashes, bit for bit."""
    return hashlib.sha256(data).hexdigest() in known_sha256s
