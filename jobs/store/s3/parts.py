"""Part sizes of multipart uploads. Parts have one size as long as an object is no larger than was expected.

S3 takes 10,000 parts of 5 MiB to 5 GiB each, the last of any size. Some services that speak S3 (Cloudflare R2, for one) complete
an upload only where all parts but the last are of one size.
"""

import math

MIB = 1 << 20
PART = 16 * MIB
"""The smallest part that is sent; files up to here are sent whole."""
LARGEST_PART = 4 << 30
MOST_PARTS = 10_000
RESERVE = 2_000
"""Of these parts, the last, which an object needs only where it outgrows what was expected."""
STEP = 250
"""Parts of the reserve after which its parts are twice as large."""


def part_size(size: int) -> int:
    """Bytes of each part of a file of `size` bytes: `PART`, or what keeps their number within `MOST_PARTS`."""
    return max(PART, math.ceil(size / MOST_PARTS))


def equal_part(expected: int) -> int:
    """Bytes of each part of a growing object, in whole MiB, which leave the reserve untouched up to `expected` bytes."""
    return min(LARGEST_PART, max(PART, MIB * math.ceil(expected / (MOST_PARTS - RESERVE) / MIB)))


def growing_part(number: int, equal: int) -> int:
    """Bytes of part `number`, from 1, of a growing object whose parts have `equal` bytes.

    In the reserve they double every 250 parts: with parts of 16 MiB, 125 GiB are sent in equal parts, and an object may
    still grow to 2 TiB.
    """
    doubled = math.ceil(max(0, number - (MOST_PARTS - RESERVE)) / STEP)
    return min(LARGEST_PART, equal << doubled)
