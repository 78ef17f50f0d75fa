"""Checks that every decoded frame has the same size, sampling, depth, range and colour as the film that it belongs to.

Whoever decodes a source's frames asks here. A frame says some things of itself and leaves others to its film: what it does
not say is never held against it. A frame of another form that damage may have made is passed over where a chunk is concealed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorTrc

from actors.media.pixel_formats import is_linear, is_rgb, plain
from jobs.errors import BadMedia
from jobs.film.source import Colour, Picture

INTERLACED = "is interlaced; set deinterlace: bwdif (--deinterlace bwdif) to have it made progressive."
"""What is said of a film whose pictures are interlaced, unasked."""


def interlaced_at(number: int) -> str:
    """What is said of an interlaced frame in a film that seemed to have none."""
    return (
        f"is interlaced at frame {number}; set deinterlace: bwdif (--deinterlace bwdif) to have it made progressive, "
        "or where that is set already, split the film before that frame."
    )


_UNSPECIFIED = (0, 2, 3)
"""H.273 code points that say nothing: reserved and unspecified (of the matrix, 0 is R'G'B')."""
_MATRIX_NAMES = {0: "R'G'B'", 1: "BT.709", 5: "BT.601", 6: "BT.601", 9: "BT.2020"}
_SAME_CURVE = {6: 1, 14: 1, 15: 1}
"""Transfer characteristics that are BT.709's under another number."""
_RANGES = {1: False, 2: True}
"""libavutil's AVCOL_RANGE_MPEG and AVCOL_RANGE_JPEG."""


class Form(NamedTuple):
    """What of a frame its film must have throughout; None where it is not told, or may differ."""

    size: tuple[int, int]
    """Width and height."""
    pix_fmt: str
    """libav's name, without the range that yuvj420p and its like tell with it."""
    full_range: bool | None = None
    matrix: str | None = None
    primaries: int | None = None
    transfer: int | None = None
    """H.273 code points; of one curve under several numbers, one."""
    interlaced: bool | None = None
    aspect: Fraction | None = None
    """Sample aspect ratio."""
    rotation: int | None = None
    """Degrees counter-clockwise that a player turns the frame."""

    def change(self, other: Form) -> str:
        """In words, how `other` differs from this, as in "from 8 bit 4:2:0 to 10 bit 4:2:0"; empty where it does not."""
        before, after = [], []
        for ours, theirs, said in zip(self, other, _SAID, strict=True):
            if ours is not None and theirs is not None and ours != theirs:
                before.append(said(ours))
                after.append(said(theirs))
        return f"from {', '.join(before)} to {', '.join(after)}" if before else ""


def sampling(pix_fmt: str) -> str:
    """A pixel format in words, as in "10 bit 4:2:0"; libav's name where it is not planar Y'CbCr or grey."""
    form = VideoFormat(pix_fmt)
    parts = form.components
    if form.is_rgb or form.has_palette or not pix_fmt.startswith(("yuv", "gray")) or any(one.is_alpha for one in parts):
        return pix_fmt
    if len(parts) == 1:
        return f"{parts[0].bits} bit grey"
    wide, high = form.chroma_width(8), form.chroma_height(8)
    names = {(4, 4): "4:2:0", (4, 8): "4:2:2", (8, 8): "4:4:4", (8, 4): "4:4:0", (2, 8): "4:1:1", (2, 2): "4:1:0"}
    return f"{parts[0].bits} bit {names.get((wide, high), pix_fmt)}"


_SAID: tuple[Callable[[Any], str], ...] = (
    lambda size: f"{size[0]}x{size[1]}",
    sampling,
    lambda full: "full range" if full else "limited range",
    lambda matrix: f"matrix {matrix}",
    lambda primaries: f"primaries {_name(ColorPrimaries, primaries)}",
    lambda transfer: f"transfer {_name(ColorTrc, transfer)}",
    lambda woven: "interlaced" if woven else "progressive",
    lambda aspect: f"pixels {aspect.numerator}:{aspect.denominator}",
    lambda degrees: f"a rotation of {degrees} degrees",
)


def _name(kind: type[ColorPrimaries] | type[ColorTrc], number: int) -> str:
    try:
        return kind(number).name
    except ValueError:
        return str(number)


def form_of(width: int, height: int, stored: str, colour: Colour, woven: bool) -> Form:
    """What every frame of a film has: one decoded as `stored`. `woven`: frames may be interlaced or not."""
    has_matrix = _has_matrix(stored)
    return Form(
        (width, height),
        plain(stored),
        # R'G'B' is developed to limited range; what its frames say is of the R'G'B'.
        None if is_rgb(stored) else colour.full_range,
        _MATRIX_NAMES.get(colour.space, str(colour.space)) if has_matrix else None,
        colour.primaries,
        None if is_linear(stored) else _SAME_CURVE.get(colour.transfer, colour.transfer),
        None if woven else False,
    )


def film_form(picture: Picture) -> Form:
    """What every frame of a surveyed film has, as its decoder gives it."""
    return form_of(picture.width, picture.height, picture.stored, picture.colour, picture.deinterlace)


def kept_form(picture: Picture) -> Form:
    """What every frame of an FFV1 chunk has: its size and samples. All else was looked at before it was kept."""
    return Form((picture.width, picture.height), plain(picture.pix_fmt), interlaced=False)


def frame_form(frame: VideoFrame, stored: str) -> Form:
    """What a frame says of itself; `stored`: the pixel format of its film."""
    name = frame.format.name
    space, primaries, transfer = int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc)
    return Form(
        (frame.width, frame.height),
        plain(name),
        _range_of(frame, stored),
        _MATRIX_NAMES.get(space, str(space)) if _has_matrix(name) and space not in (2, 3) else None,
        None if primaries in _UNSPECIFIED else primaries,
        None if transfer in _UNSPECIFIED or is_linear(name) else _SAME_CURVE.get(transfer, transfer),
        frame.interlaced_frame,
    )


def _has_matrix(name: str) -> bool:
    return not is_rgb(name) and len(VideoFormat(name).components) >= 3


def _range_of(frame: VideoFrame, stored: str) -> bool | None:
    name = frame.format.name
    if name.startswith("yuvj"):
        return True
    # Of grey picture files, the range that their decoder makes up says nothing.
    if is_rgb(name) or name.startswith(("gray", "ya")):
        return None
    # Decoders that tell full range by the format mean limited range by the plain one.
    return _RANGES.get(int(frame.color_range), False if stored.startswith("yuvj") else None)


def changed_at(number: int, change: str) -> str:
    """What is said of a film whose picture changes for good; `change` as `Form.change` says it."""
    return (
        f"changes its picture {change} at frame {number}; split the film before that frame, "
        "or convert all of it to one form first."
    )


class OddFrame(Exception):
    """One frame alone has another form, as damage makes it; its number is the argument."""


class Constancy:
    """Looks at the frames of one reading of a source, in display order."""

    def __init__(self, what: str, picture: Picture, form: Form | None = None, *, mend: bool = False) -> None:
        """`what` names the source in errors; `form`: what its frames have, by default what the film's have.

        `mend`: frames that damage may have made are passed over, where the film's own form comes back.
        """
        self._what = what
        self._stored = picture.stored
        self._form = film_form(picture) if form is None else form
        self._mend = mend
        self._odd: Form | None = None
        self._first = self._count = 0

    def push(self, frame: VideoFrame, number: int) -> bool:
        """Whether a frame, number `number` of the film, has the film's form; where not, nobody may use it.

        Raises BadMedia where the picture changes for good, or is interlaced and nobody saw before; OddFrame where one frame
        alone was of another form.
        """
        form = frame_form(frame, self._stored)
        if not self._form.change(form):
            if self._odd and not self._mend:
                raise OddFrame(self._first)
            self._odd = None
            return True
        if frame.is_corrupt and not self._mend:
            raise OddFrame(number)
        if form == self._odd:
            self._count += 1
        else:
            self._odd, self._first, self._count = form, number, 1
        if not self._mend and (self._count > 1 or self._only_woven(form)):
            self._refuse(form)
        return False

    def end(self) -> None:
        """No more frames come. Raises BadMedia where the last ones were of another form."""
        if self._odd and (self._count > 1 or not self._mend):
            self._refuse(self._odd)

    def _only_woven(self, form: Form) -> bool:
        return not self._form._replace(interlaced=None).change(form)

    def _refuse(self, form: Form) -> None:
        if self._only_woven(form):
            raise BadMedia(f"{self._what} {interlaced_at(self._first)}")
        raise BadMedia(f"{self._what} {changed_at(self._first, self._form.change(form))}")


def constant(frames: Iterable[VideoFrame], constancy: Constancy, first: int) -> Iterator[VideoFrame]:
    """The frames, the first of which is frame `first` of the film. Raises BadMedia as `Constancy.push`.

    Raises LookupError(position) where one frame alone was of another form, as where it is missing.
    """
    try:
        for number, frame in enumerate(frames, first):
            if constancy.push(frame, number):
                yield frame
        constancy.end()
    except OddFrame as odd:
        raise LookupError(odd.args[0] - first) from None
