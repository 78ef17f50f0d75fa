"""Tells a bucket what an object is, where browsers read it there: they apply no style sheet, and show no page, of another type."""

from pathlib import PurePosixPath

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".mp4": "video/mp4",
    ".m3u8": "application/vnd.apple.mpegurl",
}


def web_type(key: str) -> str:
    """The media type of an object, by its name; S3's own default for what no browser is shown."""
    return _TYPES.get(PurePosixPath(key).suffix.lower(), "binary/octet-stream")
