"""Bounds beyond which what renderers measure deserves a look, or keeps a film from being delivered."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from jobs.document import Document


class Limits(Document):
    """Two bounds of one check."""

    warn: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """From here on a shot deserves a look, as in {warn: 0.5}. By default the check's own bound, and `fail` where that is lower."""
    fail: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """From here on the film is not delivered, as in {fail: 2}. By default it is, whatever was measured."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.warn is not None and self.fail is not None and self.fail < self.warn:
            raise ValueError("fail is lower than warn; raise it, or leave warn out")
        return self


NOT_JUDGED = Limits()


# At their defaults the younger checks are in no document, so that specs keep the digests that they had.


def _is_true(value: object) -> bool:
    return value is True


def _is_none(value: object) -> bool:
    return value is None


def _is_one(value: object) -> bool:
    return value == 1.0


def _is_two(value: object) -> bool:
    return value == 2.0


def _is_one_and_a_half(value: object) -> bool:
    return value == 1.5


def _is_three(value: object) -> bool:
    return value == 3.0


def _is_six(value: object) -> bool:
    return value == 6.0


class QualityBounds(Document):
    """How far a picture may go: before the review page says that its shot deserves a look, and, where that is asked for, before the film is held back. No
    picture changes, and a bound that is moved renders nothing again."""

    flicker: Annotated[float, Field(gt=0, le=100)] | Limits | None = 0.75
    """Steps of 8 bits that still areas may change by from frame to frame, beyond what the source's do, as in 0.5 or {warn: 0.5, fail: 2}. A fifth of a chunk's
    frames must change by more. By default 0.75; clean films have less than 0.2. null: it is not looked for."""
    seam: Annotated[float, Field(ge=1, le=1000)] | Limits | None = 3.0
    """How many times a step of colour in still areas, where two chunks meet, may exceed those inside them, as in 2 or {fail: 6}; steps inside count as 0.4 of
    8 bits at least. By default 3. null: it is not looked for."""
    black: bool | Limits = True
    """Whether frames that are black where the source's are not are told, or from how many in a shot on, as in {fail: 1}. By default from the first on."""
    frozen: bool | Limits = True
    """Whether frames that repeat the one before where the source moves are told, or from how many in a shot on, as in {fail: 2}. By default from the first on."""

    jump: Annotated[Annotated[float, Field(gt=0, le=100)] | Limits | None, Field(exclude_if=_is_two)] = 2.0
    """Steps of 8 bits that still areas may change by at once, beyond what the source's do and beyond flicker, as in 1.5: a cut within a shot that a look
    makes. By default 2. null: it is not looked for."""
    flash: Annotated[bool | Limits, Field(exclude_if=_is_true)] = True
    """Whether frames within flashes that may harm viewers with photosensitive epilepsy (ITU-R BT.1702) are told where the source's do not, or from how
    many in a shot on, as in {fail: 1}. By default from the first on."""
    gamut: Annotated[Annotated[float, Field(gt=0, le=100)] | Limits | None, Field(exclude_if=_is_one)] = 1.0
    """Percent of a frame's pixels that may lie beyond the gamut of EBU R103 and do not in the source, as in 0.5 or {fail: 2}. By default 1, which is
    what R103 tolerates. null: it is not looked for."""
    legal: Annotated[Annotated[float, Field(gt=0, le=100)] | Limits | None, Field(exclude_if=_is_none)] = None
    """Percent of a frame's pixels that may lie beyond nominal levels (16 to 235, chroma 240, of 8 bits) and do not in the source, as in 1 or {fail: 1}. By
    default, null, it is not looked for: R103 lets levels go farther."""
    setup: Annotated[Annotated[float, Field(gt=0, le=100)] | Limits | None, Field(exclude_if=_is_two)] = 2.0
    """dE (CIE 1976) that the mean colour of two shots of the same set-up may differ by, as in 1.5. Shots at most eight apart whose luma is alike show the
    same. By default 2, about what one sees across a cut. null: it is not looked for."""

    warp: Annotated[Annotated[float, Field(gt=0, le=100)] | Limits | None, Field(exclude_if=_is_one_and_a_half)] = 1.5
    """Steps of 8 bits that colour or light may change by from frame to frame along what moves, beyond what the source's does, as in 1 or {fail: 3}: the
    warping error of Lai et al. (2018). By default 1.5; clean films have less than 0.9. null: it is not looked for."""
    drift: Annotated[Annotated[float, Field(gt=0, le=100)] | Limits | None, Field(exclude_if=_is_three)] = 3.0
    """Steps of 8 bits that the colour of what stays in view may go over a shot, beyond what light and the source do, as in 2. By default 3; clean films
    have less than 1.7. null: it is not looked for."""
    stills: Annotated[Annotated[float, Field(gt=0, le=100)] | Limits | None, Field(exclude_if=_is_six)] = 6.0
    """Steps of 8 bits that the colour of what a still shows may be from what was painted, elsewhere in its shot, as in 4: where it is more, another still
    helps. By default 6. null: it is not looked for."""

    def limits(self, check: str) -> Limits:
        """Both bounds of a check, as far as it is judged at all."""
        match getattr(self, check):
            case Limits(warn=warn, fail=fail):
                bounds = [one for one in (warn or _DEFAULTS[check], fail) if one is not None]
                return Limits(warn=warn or min(bounds, default=None), fail=fail)
            case True:
                return Limits(warn=_DEFAULTS[check])
            case False | None:
                return NOT_JUDGED
            case bound:
                return Limits(warn=bound)


_DEFAULTS: dict[str, float | None] = {
    name: 1.0 if field.default is True else field.default for name, field in QualityBounds.model_fields.items()
}
"""What warns where nothing else is said; true: from the first on."""
