"""An evaluation on paper: what was measured of each picture, and what all of them say of each look. Promises definitions of its numbers' meaning (docs/evaluation.md); reckons nothing."""

from typing import Annotated, Literal

from pydantic import Field

from jobs.document import Document
from jobs.spec.job import LookChoice


class Figures(Document):
    """One picture held against the truth."""

    de00: float
    """Mean CIEDE2000 difference."""
    colourfulness: float
    """Hasler and Süsstrunk's, signed."""
    psnr: float
    """In dB, over R'G'B'; at most 100."""
    chroma_psnr: float
    """In dB, over BT.709's Cb and Cr; at most 100."""
    ssim: float
    """Of BT.709 luma."""


class JudgedPicture(Document):
    """All that was measured of one picture."""

    name: str
    """The file, or the number of the film's frame."""
    colourfulness: float
    """The truth's."""
    grey: Figures
    """Of the truth without its chroma."""
    looks: tuple[tuple[Figures, ...], ...]
    """For each look, at each strength of its curve."""


class SkippedPicture(Document):
    """A picture that cannot judge colours."""

    name: str
    why: Literal["grey"] = "grey"


class Interval(Document):
    """A mean over pictures, and where it lies with 95 % confidence."""

    mean: float
    low: float
    high: float


class Point(Document):
    """All pictures at one strength."""

    strength: float
    de00: Interval
    less_grey: Interval
    """dE00 less that of grey, picture by picture: below 0 is better than grey."""
    colourfulness: Interval
    less_truth: Interval
    """Colourfulness less the truth's."""
    psnr: Interval
    chroma_psnr: Interval
    ssim: Interval


class StrengthPoint(Document):
    """A place on a curve of dE00 over strength."""

    strength: float
    de00: Interval
    less_grey: Interval


class LookFigures(Document):
    """What all pictures say of one look."""

    name: str
    choice: LookChoice
    """With every setting filled in."""
    weights: tuple[str, ...]
    version: int
    domain: Literal["chroma", "rgb", "luma"]
    """chroma: it was shown the picture without its colours; rgb, luma: the picture as it is."""
    curve: tuple[Point, ...]
    lowest: StrengthPoint | None
    """Where the curve's dE00 is lowest; of looks that give chroma."""
    half: StrengthPoint | None
    """Where the mean colourfulness is half the truth's, between two points of the curve; None where it never is."""


class Difference(Document):
    """dE00 of one look less that of another, picture by picture: below 0, the first is better."""

    look: str
    other: str
    rendered: Interval
    """Both as they are rendered, at strength 1."""
    lowest: Interval | None
    """Each where its own curve is lowest."""
    half: Interval | None
    """Each where it has half the truth's colourfulness."""


class Evaluation(Document):
    """evaluation.json."""

    version: Literal[1] = 1
    on: str
    pictures: Annotated[int, Field(ge=1)]
    """Judged; those passed over are not among them."""
    passed_over: tuple[SkippedPicture, ...]
    truth: Interval
    """Colourfulness of the truth."""
    grey: Interval
    """dE00 of grey."""
    looks: tuple[LookFigures, ...]
    differences: tuple[Difference, ...]
    """Of the first look to each of the others."""
    each: tuple[JudgedPicture, ...]
