"""Which program a still was saved by, as its metadata says: plain text, and short."""

import re

from PIL import Image

from jobs.untrusted import spoken

LONGEST = 80
"""Characters of a program's name that are kept."""
OWN = "film-farm"
"""What the farm's own exports say."""
_LARGEST_XMP = 1 << 20
_CREATOR = re.compile(rb"CreatorTool\s*(?:=\s*[\"']|>)([^\"'<>]{1,400})")
_SOFTWARE = 0x0131


def tool_of(image: Image.Image) -> str:
    """The program that XMP (CreatorTool), EXIF or TIFF, or a PNG's text names, in this order; empty where none does.

    Programs leave an older program's name behind where they do not write their own: any goes before the farm's.
    """
    found = [name for name in map(_plain, (_xmp(image), _exif(image), image.info.get("Software"))) if name]
    return next((name for name in found if name != OWN), found[0] if found else "")


def _xmp(image: Image.Image) -> object:
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    data = packet.encode("utf-8", "replace") if isinstance(packet, str) else packet
    if not isinstance(data, bytes):
        return None
    name = _CREATOR.search(data[:_LARGEST_XMP])
    return name[1] if name else None


def _exif(image: Image.Image) -> object:
    try:
        return image.getexif().get(_SOFTWARE)
    except Exception:  # a damaged block raises whatever it likes, and a picture needs none
        return None


def _plain(value: object) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value if isinstance(value, str) else ""
    return spoken(text.replace("\0", " ").strip()[:LONGEST]).strip()
