"""Settings shared by all looks that make a whole new picture of each frame."""

from typing import Annotated

from pydantic import Field

from actors.looks.package import SizeRule
from jobs.document import Document
from jobs.plan.plan import Keeps, Support


class PaintSettings(Document):
    """What a colourist can ask of any such look."""

    strength: Annotated[float, Field(ge=0, le=1)] = 1.0
    """0 keeps the film's own picture, 1 takes the painted one."""
    saturation: Annotated[float, Field(ge=0, le=2)] = 1.0
    """Factor on the painted picture's chroma."""
    keep_chroma: bool = False
    """Paint luma alone: the film's own chroma stays, bit for bit."""
    size: Annotated[int, Field(ge=64, le=8192)] | None = None
    """Long side of the picture that is painted, in pixels: smaller makes strokes broader. None: the film's own."""
    steady: Annotated[int, Field(ge=0, le=16)] = 0
    """Radius, in frames, of a temporal window that calms flicker where the film's luma stands still."""

    def support(self) -> Support:
        """Frames that are needed around a frame."""
        return Support(context=self.steady if self.strength else 0)

    @property
    def keeps(self) -> Keeps:
        """What of the film's own picture stays."""
        return "chroma" if self.keep_chroma else ""

    def shown(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the picture that is painted, of a film's."""
        return SizeRule(rule="long", side=self.size).of(height, width) if self.size else (height, width)
