"""Documents of an evaluation: what was measured of each picture, and the summary for each look (see docs/evaluation.md)."""

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


class ColourError(Document):
    """How far a frame's colours are from the truth's."""

    de00: float
    """Mean CIEDE2000 difference."""
    chroma_rms: float
    """Of BT.709's Cb and Cr, in steps of 0..255."""


class Jitter(Document):
    """How much chroma changes along motion from one frame to the next, in steps of 0..255: the mean over some pixels."""

    pixels: int
    """Whose motion is sure, at the size at which it is measured."""
    propagated: float
    truth: float
    """Of the film itself: what its own grain, light and compression change."""


class OutsideStrokes(Document):
    """Mean dE00 of the pixels whose true colour is that of no stroke: what strokes should leave as it was."""

    share: float
    """Of the frame's pixels."""
    look: float
    strokes: float


class JudgedFrame(Document):
    """All that was measured of one frame that got its colour from anchors."""

    frame: int
    distance: int
    """Frames to the nearest anchor."""
    propagated: ColourError
    grey: ColourError
    """Of the truth without its chroma."""
    still: Jitter | None
    """From this frame to the next, where nothing moves; None where there is no next one that was propagated, or no such pixel."""
    moving: Jitter | None
    """The same where something does."""
    look: ColourError | None = Field(default=None, exclude_if=lambda error: error is None)
    """Where the look's own colour of the anchors is propagated in the place of the truth's."""
    strokes: ColourError | None = Field(default=None, exclude_if=lambda error: error is None)
    """The same, with strokes on the anchors."""
    outside: OutsideStrokes | None = Field(default=None, exclude_if=lambda outside: outside is None)
    """Where strokes were drawn, and not all of the frame has one's colour."""


class ErrorShare(Document):
    """A figure's mean over frames, and its share of grey's: the sum of errors over the sum of grey's. 0 is the truth, 1 is as far as grey."""

    propagated: float
    grey: float
    share: float | None
    """None where grey has no error."""


class DistanceFigures(Document):
    """What the frames of some distances from the nearest anchor say."""

    nearest: int
    farthest: int | None
    """None: all beyond."""
    frames: int
    de00: ErrorShare
    chroma_rms: ErrorShare


class StrokesGain(Document):
    """What strokes on the anchors gain over the look alone, beside what anchors gain whose every pixel is true: mean dE00 of the judged frames."""

    count: int
    """Strokes on each anchor, at most."""
    name: str
    """The look's."""
    look: float
    strokes: float
    still: float
    gained: float | None
    """By strokes, as a share of what true anchors gain; None where these gain nothing."""
    outside: OutsideStrokes | None = None
    """The mean of all frames, each counting alike."""
    worst: float | None = None
    """The most that any frame's dE00 outside is above that of the look alone."""


class PropagationEvaluation(Document):
    """evaluation.json of a film that got its colour from true frames, its anchors."""

    kind: Literal["propagation"] = "propagation"
    version: Literal[1] = 1
    on: str
    frames: Annotated[int, Field(ge=1)]
    """Judged; no anchor is among them."""
    propagated: int
    """All frames that got their colour from an anchor: of these the judged ones are chosen."""
    left_out: int
    """Frames of shots without an anchor, and too far from one."""
    shots: int
    anchors: tuple[int, ...]
    total: DistanceFigures
    by_distance: tuple[DistanceFigures, ...]
    still: Jitter | None
    moving: Jitter | None
    strokes: StrokesGain | None = Field(default=None, exclude_if=lambda gain: gain is None)
    """Where strokes were asked for."""
    each: tuple[JudgedFrame, ...]


class StillElsewhere(Document):
    """One frame of a pair as a look colours it, where the pair's other frame, in another shot, is a true still."""

    frame: int
    unmatched: float
    """dE00 between its patches and the still's, where stills count in their own shots alone (`match: shot`)."""
    matched: float
    """The same, where it takes colours from the still (`match: film`)."""
    grey: ColourError
    """Of the whole frame, against the truth; so are the next two."""
    unmatched_error: ColourError
    matched_error: ColourError


class ShotPair(Document):
    """Two frames of different shots that show the same patches: how far the colours of these are apart."""

    frames: tuple[int, int]
    patches: int
    truth: float
    """dE00 between the patches of the true frames."""
    alone: float
    """The same, where the look colours both and there is no still."""
    sides: tuple[StillElsewhere, StillElsewhere]
    """The earlier frame where the later one is a still, and the other way round."""


class BetweenShotsEvaluation(Document):
    """evaluation.json of a look on what several shots of a film show. Means are over pairs, each counting alike."""

    kind: Literal["between shots"] = "between shots"
    version: Literal[1] = 1
    on: str
    look: LookChoice
    """With every setting filled in."""
    shots: int
    """Those between which the picture goes on are one."""
    compared: int
    """Pairs of shots that were looked at, being near enough."""
    alike: int
    """Those of them that show the same: of these the judged ones are chosen."""
    pairs: Annotated[int, Field(ge=1)]
    """Judged: of each two shots the two frames that share most patches."""
    patches: int
    truth: float
    alone: float
    """Both frames coloured by the look, no still anywhere."""
    unmatched: float
    """A true still in one of the two shots, the other coloured by the look alone; mean of both ways."""
    matched: float
    """The same, matched with the still."""
    unmatched_error: float
    """dE00 of the whole frames that are coloured beside a still, against the truth."""
    matched_error: float
    each: tuple[ShotPair, ...]
