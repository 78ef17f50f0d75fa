"""One deliverable of each kind that a spec may name, for tests that hold for all of them. Promises to leave none out; encodes nothing."""

from jobs.spec.codecs import DEPTHS, PROFILES, Codec
from jobs.spec.formats import Deliverable

EVERY = [
    *(Deliverable(codec=codec, profile=one) for codec in PROFILES for one in PROFILES[codec]),
    *(Deliverable(codec=codec, depth=one) for codec in DEPTHS for one in DEPTHS[codec]),  # type: ignore[arg-type]
    Deliverable(codec=Codec.FFV1),
    Deliverable(codec=Codec.EXR),
]
"""One deliverable of each kind that a spec may name."""


def called(deliverable: Deliverable) -> str:
    """A short name for a kind, as in "prores-hq" or "dpx-10"."""
    return f"{deliverable.codec}-{deliverable.profile or deliverable.depth or 'own'}"
