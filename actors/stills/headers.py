"""Reads the headers of stills: what can be told of a picture before it is decoded, and is refused then; and which are layers of strokes."""

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from actors.media.metadata.pictures import refuse_large_metadata
from jobs.errors import BadMedia
from jobs.stills.listing import StillFile

MOST_PIXELS = 64_000_000
STROKES = 0.9
"""Part of a still, wholly transparent, from which on it is a layer of strokes."""
FORMATS = ("PNG", "JPEG", "TIFF")
_lock = threading.Lock()
"""Held while Pillow reads: its warnings are turned off for the whole process."""


def measured(data: bytes, still: StillFile) -> StillFile:
    """A still with the size of its picture, and whether it is a layer of strokes, by what its file holds. Raises BadMedia for what cannot be read."""
    refuse_large_metadata(data, f"The still {still.name}")
    with refusals_of(still.name), quiet():
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        refuse_by_header(image, still.name)
        width, height = image.size
        strokes = is_strokes(image)
    return still.model_copy(update={"width": width, "height": height, "strokes": strokes})


def is_strokes(image: Image.Image) -> bool:
    """Whether at least STROKES of a picture is transparent. Only one that has alpha is decoded for it."""
    if not image.has_transparency_data or image.mode.startswith("I;16"):
        return False
    alpha = image.getchannel("A") if "A" in image.getbands() else image.convert("RGBA").getchannel("A")
    return bool(alpha.histogram()[0] >= STROKES * alpha.width * alpha.height)


def refuse_by_header(image: Image.Image, name: str) -> None:
    """Raises BadMedia for a picture that is too large, or whose colours are not known; nothing is decoded."""
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise BadMedia(
            f"The still {name} is {width}x{height}; up to {MOST_PIXELS // 1_000_000} megapixels are read: save it at the "
            "film's size."
        )
    if image.mode in ("I", "F", "LAB"):
        raise BadMedia(
            f"The still {name} is of a kind that is not read ({image.mode}); save it as RGB with 8 or 16 bits."
        )
    if image.mode == "CMYK" and not image.info.get("icc_profile"):
        raise BadMedia(
            f"The still {name} is CMYK without an ICC profile, so that its colours are not known; save it as RGB, or with "
            "its profile."
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Pillow warns of what is odd, and of 90 megapixels; here odd is either read or refused."""
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def refusals_of(name: str) -> Iterator[None]:
    """What Pillow, and what it decodes with, raise for a still's file, as BadMedia in one sentence."""
    try:
        yield
    except BadMedia:
        raise
    except Image.DecompressionBombError:
        raise BadMedia(
            f"The still {name} has far more than {MOST_PIXELS // 1_000_000} megapixels; save it at the film's size."
        ) from None
    except MemoryError:
        raise BadMedia(f"The still {name} needs more memory than there is; save it at the film's size.") from None
    except Exception:  # of damaged files decoders raise whatever comes to them
        raise BadMedia(
            f"The still {name} cannot be read as a PNG, JPEG or TIFF: it is cut off, damaged, or something else; save it again."
        ) from None
