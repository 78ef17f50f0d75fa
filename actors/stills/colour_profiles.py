"""Converts stills to sRGB by their ICC profile: RGB profiles of curves and a matrix in 16 bits, all others by LittleCMS in 8."""

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

Samples = NDArray[np.uint16]
Floats = NDArray[np.float32]

LARGEST_PROFILE = 16 << 20
MOST_TAGS = 200
_SRGB_D50 = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
"""Linear sRGB to XYZ of D50, the white of profiles (Bradford)."""
_SAME = 2 / 255
"""A profile that moves no colour further than this is sRGB in other words, and pixels stay as they are."""
_BAND = 1 << 18
"""Pixels converted at a time."""


class NoProfileFor(Exception):
    """The profile cannot be read, or is not for pictures of this kind."""


@dataclass(frozen=True)
class ShaperProfile:
    """A profile of one curve for each channel, and of a matrix to XYZ where there are three."""

    curves: tuple[Floats, ...]
    """Linear light of each of 65,536 steps."""
    matrix: NDArray[np.float64] | None
    """Linear light to linear sRGB; None for grey."""

    def converted(self, samples_HWC: Samples) -> Samples:
        """Pictures of one channel or of three as sRGB, H W 3."""
        if self.matrix is not None and self._is_srgb:
            return samples_HWC
        flat = samples_HWC.reshape(-1, samples_HWC.shape[-1])
        made = np.empty((len(flat), 3), np.uint16)
        for begin in range(0, len(flat), _BAND):
            band = slice(begin, begin + _BAND)
            made[band] = np.rint(self._encoded(flat[band]) * 65535)
        return made.reshape(*samples_HWC.shape[:2], 3)

    @property
    def _is_srgb(self) -> bool:
        steps = np.linspace(0, 65535, 9).astype(np.uint16)
        grid = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
        return bool(np.abs(self._encoded(grid) - grid / np.float32(65535)).max() < _SAME)

    def _encoded(self, samples_PC: Samples) -> Floats:
        linear = np.stack([curve[samples_PC[:, place]] for place, curve in enumerate(self.curves)], 1)
        linear = np.repeat(linear, 3, 1) if self.matrix is None else linear @ self.matrix.T.astype(np.float32)
        linear = linear.clip(0, 1)
        return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** np.float32(1 / 2.4) - 0.055)


def shaper_in(profile: bytes, channels: int) -> ShaperProfile | None:
    """The curves and the matrix of a profile; None where it is of another kind.

    Raises NoProfileFor for one that is damaged, or for pictures of other channels than 1 (grey) or 3 (RGB).
    """
    if len(profile) > LARGEST_PROFILE or len(profile) < 132 or profile[36:40] != b"acsp":
        raise NoProfileFor
    if profile[16:20] != {1: b"GRAY", 3: b"RGB "}.get(channels):
        raise NoProfileFor
    try:
        tags = _tags(profile)
        if b"A2B0" in tags or (channels == 3 and profile[20:24] != b"XYZ "):
            return None
        if channels == 1:
            return ShaperProfile((_curve(tags[b"kTRC"]),), None)
        curves = tuple(_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
        columns = [_fixed(tags[name], 8, 3) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    except KeyError:
        return None
    except (struct.error, ValueError, OverflowError):
        raise NoProfileFor from None
    return ShaperProfile(curves, np.linalg.inv(_SRGB_D50) @ np.array(columns).T)


def by_littlecms(image: Image.Image, profile: bytes) -> Samples:
    """An image of 8 bits in the mode RGB, L or CMYK as sRGB, H W 3. Raises NoProfileFor."""
    if len(profile) > LARGEST_PROFILE:
        raise NoProfileFor
    try:
        found = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        raise NoProfileFor from None
    assert found is not None
    return deepened(np.asarray(found))


def deepened(samples: NDArray[np.uint8]) -> Samples:
    """8 bits as 16: 255 becomes 65535."""
    return samples.astype(np.uint16) * np.uint16(257)


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = (struct.unpack_from(">4sII", profile, 132 + 12 * place) for place in range(min(count, MOST_TAGS)))
    return {name: profile[begin : begin + size] for name, begin, size in entries}


def _fixed(data: bytes, begin: int, count: int) -> list[float]:
    return [value / 65536 for value in struct.unpack_from(f">{count}i", data, begin)]


_PARAMETERS = (1, 3, 4, 5, 7)
"""Numbers of each kind of parametric curve."""


def _curve(tag: bytes) -> Floats:
    steps = np.linspace(0, 1, 65536)
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count > 65536:
            raise ValueError
        table = np.array(struct.unpack_from(f">{count}H", tag, 12), np.float64)
        if count == 0:
            return steps.astype(np.float32)
        if count == 1:
            return np.asarray(steps ** (table[0] / 256), np.float32)
        return np.asarray(np.interp(steps, np.linspace(0, 1, count), table / 65535), np.float32)
    if tag[:4] != b"para":
        raise ValueError
    (kind,) = struct.unpack_from(">H", tag, 8)
    if kind >= len(_PARAMETERS):
        raise ValueError
    return np.asarray(_parametric(_fixed(tag, 12, _PARAMETERS[kind]), kind)(steps).clip(0, 1), np.float32)


def _parametric(found: list[float], kind: int) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """ICC.1:2010, 10.16: g, a, b, c, d, e, f."""
    g, a, b, c, d, e, f = {
        0: lambda: [*found, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        1: lambda: [*found, 0.0, -found[2] / found[1] if found[1] else 0.0, 0.0, 0.0],
        2: lambda: [*found[:3], 0.0, -found[2] / found[1] if found[1] else 0.0, found[3], found[3]],
        3: lambda: [*found, 0.0, 0.0],
        4: lambda: found,
    }[kind]()
    if not 0 < g <= 16:
        raise ValueError
    return lambda x: np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f)
