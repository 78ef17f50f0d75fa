"""Reads the headers of stills: what can be told of a picture before a pixel is decoded, and is refused then."""

import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from PIL import Image

from jobs.errors import BadMedia, BadSpec
from jobs.stills.listing import StillFile, refused_together
from jobs.store import open_store
from jobs.store.png_texts import refuse_large_texts

MOST_PIXELS = 64_000_000
FORMATS = ("PNG", "JPEG", "TIFF")
_lock = threading.Lock()
"""Held while Pillow reads: its warnings are turned off for the whole process."""


def measured(place: str, stills: Iterable[StillFile]) -> tuple[StillFile, ...]:
    """The stills of a folder, or of s3://bucket/prefix, each with its size. Raises BadSpec, which names all that cannot be read."""
    store, found, refused = open_store(place), list[StillFile](), list[str]()
    for still in stills:
        try:
            with store.open(still.name) as file:
                width, height = _size(file, still.name)
        except BadMedia as error:
            refused.append(str(error))
        else:
            found.append(still.model_copy(update={"width": width, "height": height}))
    if refused:
        raise BadSpec(refused_together(refused))
    return tuple(found)


def _size(file: BinaryIO, name: str) -> tuple[int, int]:
    refuse_large_texts(file, f"The still {name}")
    with refusals_of(name), quiet():
        image = Image.open(file, formats=FORMATS)
        refuse_by_header(image, name)
        return image.size


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
