"""Reads LUTs in the .cube form of Adobe and Resolve: 1D, 3D, or both, of which the 1D comes first. What is no such text is refused in one sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from jobs.errors import BadSpec

Values = NDArray[np.float32]
Refusal = Callable[[str], NoReturn]

LARGEST_FILE = 64 << 20
"""Bytes: a table of 129 a side has fewer."""
SIDES = {"LUT_1D_SIZE": (2, 65_536), "LUT_3D_SIZE": (2, 129)}
"""Least and most entries along a side."""
IDENTITY = 1e-5
"""By which a table may differ from one that changes nothing, for its decimals: a fortieth of a step of 12 bits."""


@dataclass(frozen=True)
class Table:
    """One table: of each channel by itself (D x 3), or of R'G'B' together (D x D x D x 3, by blue, green, red)."""

    values: Values
    domain: tuple[tuple[float, float, float], tuple[float, float, float]]
    """R'G'B' of its first entry and of its last."""

    @property
    def rests(self) -> bool:
        """Whether it changes nothing."""
        low, high = (np.array(edge) for edge in self.domain)
        step = np.linspace(0, 1, len(self.values))
        if self.values.ndim == 2:
            same = np.stack([step] * 3, 1)
        else:
            same = np.stack(np.meshgrid(step, step, step, indexing="ij")[::-1], -1)
        return bool(np.abs(self.values - (low + same * (high - low))).max() <= IDENTITY)


def read_cube(data: bytes, name: str) -> tuple[Table, ...]:
    """The tables of a .cube file, less those that change nothing. Raises BadSpec."""

    def refuse(why: str) -> NoReturn:
        raise BadSpec(f"The LUT {name} cannot be read: {why}; export it again as .cube.") from None

    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        refuse("it is not a text")
    head: dict[str, list[str]] = {}
    first = len(lines)
    for number, line in enumerate(lines):
        words = line.split("#")[0].split()
        if not words:
            continue
        if not words[0][0].isalpha() or words[0].lower() in ("nan", "inf", "infinity"):
            first = number
            break
        head[words[0].upper()] = words[1:]
    sizes = {key: _size(key, head[key], refuse) for key in SIDES if key in head}
    if not sizes:
        refuse("it says neither LUT_1D_SIZE nor LUT_3D_SIZE, as a .cube does")
    counts = {"LUT_1D_SIZE": sizes.get("LUT_1D_SIZE", 0), "LUT_3D_SIZE": sizes.get("LUT_3D_SIZE", 0) ** 3}
    rows = _rows(lines[first:], sum(counts.values()), refuse)
    tables = []
    for key, size in sizes.items():
        part, rows = rows[: counts[key]], rows[counts[key] :]
        shape = (size, 3) if key == "LUT_1D_SIZE" else (size, size, size, 3)
        tables.append(Table(part.reshape(shape), _domain(key, head, refuse)))
    return tuple(table for table in tables if not table.rests)


def _size(key: str, said: list[str], refuse: Refusal) -> int:
    low, high = SIDES[key]
    if len(said) != 1 or not said[0].isascii() or not said[0].isdigit() or not low <= int(said[0][:9]) <= high:
        refuse(f"{key} {' '.join(said)[:20]} is not a whole number from {low} to {high:,}")
    return int(said[0])


def _rows(lines: list[str], wanted: int, refuse: Refusal) -> Values:
    words = " ".join(line.split("#")[0] for line in lines).split()
    if len(words) != 3 * wanted:
        refuse(f"it says {wanted:,} rows of three numbers, and has {len(words):,} numbers")
    try:
        values = np.array(words, np.float32).reshape(-1, 3)
    except ValueError:
        refuse("it has something else than numbers among its rows")
    if not np.isfinite(values).all() or np.abs(values).max() > 1000:
        refuse("it has a number that is no brightness (NaN, infinite or beyond 1000)")
    return values


def _domain(
    key: str, head: dict[str, list[str]], refuse: Refusal
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    own = head.get(key.replace("SIZE", "INPUT_RANGE"))
    said = (
        [[word] * 3 for word in own] if own else [head.get("DOMAIN_MIN", ["0"] * 3), head.get("DOMAIN_MAX", ["1"] * 3)]
    )
    try:
        low, high = ([float(word) for word in edge] for edge in said)
        usable = len(low) == len(high) == 3 and all(-1000 <= a < b <= 1000 for a, b in zip(low, high, strict=True))
    except ValueError:
        usable = False
    if not usable:
        refuse("its domain does not go from three numbers up to three greater ones")
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])
