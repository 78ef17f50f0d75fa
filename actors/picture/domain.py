"""What a look gives for a frame: chroma, R'G'B' or luma, and what of the film's own picture stays with each."""

from enum import StrEnum

from jobs.plan.plan import Keeps


class Domain(StrEnum):
    """What a generator gives back."""

    CHROMA = "chroma"
    """B'-Y' and R'-Y' (N2HW, float, -1..1, of the film's own matrix) at any size; the film's luma stays, bit for bit."""
    RGB = "rgb"
    """R'G'B' (N3HW, float, 0..1) at the film's size."""
    LUMA = "luma"
    """Y' alone (N1HW, float, 0..1, of the film's own matrix) at the film's size; the film's own chroma stays, bit for bit."""

    @property
    def channels(self) -> int:
        """Channels of one picture."""
        return {Domain.CHROMA: 2, Domain.RGB: 3, Domain.LUMA: 1}[self]

    @property
    def keeps(self) -> Keeps:
        """What of the film's own picture stays."""
        kept: dict[Domain, Keeps] = {Domain.CHROMA: "luma", Domain.LUMA: "chroma"}
        return kept.get(self, "")

    @property
    def span(self) -> float:
        """Full scale: from the lowest value to the highest."""
        return 2.0 if self is Domain.CHROMA else 1.0
