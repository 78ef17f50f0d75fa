"""Controls of colour: what a colourist turns after a look has given its picture. They make no cut, and propagate nothing anew."""

from typing import Annotated, Literal

from pydantic import Field

from jobs.document import Document

Hue = Literal["red", "skin", "yellow", "green", "cyan", "blue", "magenta"]
HUES: tuple[Hue, ...] = ("red", "skin", "yellow", "green", "cyan", "blue", "magenta")

Gamut = Literal["hold", "clip", "report"]


class HueControl(Document):
    """What becomes of the colours near one hue; it fades out towards the neighbouring hues."""

    shift: Annotated[float, Field(ge=-60, le=60)] = 0.0
    """Degrees by which the hue is turned on the vectorscope: positive from red over yellow to green, as in 8. By default 0."""
    saturation: Annotated[float, Field(ge=0, le=3)] = 1.0
    """Factor on the chroma of these colours, as in 0.8. By default 1."""

    @property
    def rests(self) -> bool:
        """Whether it changes nothing."""
        return self == HueControl()


class Controls(Document):
    """Strength, saturation, warmth and hues of a look's colour. What is not named stays as it is without these controls."""

    strength: Annotated[float, Field(ge=0, le=1)] | None = None
    """0 is the film's own picture, 1 the look's, as in 0.9. By default 1."""
    saturation: Annotated[float, Field(ge=0, le=3)] | None = None
    """Factor on all chroma, as in 0.85; 0 is grey. By default 1."""
    warmth: Annotated[float, Field(ge=-1, le=1)] | None = None
    """From -1, cold, to 1, warm: at 1 red is raised and blue lowered by a fifth, on the luma that is there. By default 0."""
    hue: dict[Hue, HueControl] = Field(default_factory=dict)
    """Colours near one hue, as in {skin: {shift: -4, saturation: 0.9}}: red, skin, yellow, green, cyan, blue, magenta. By default
    none is changed."""

    def over(self, under: "Controls") -> "Controls":
        """These, and for what they do not name, those `under` them."""
        said = {
            name: value for name in ("strength", "saturation", "warmth") if (value := getattr(self, name)) is not None
        }
        return under.model_copy(update=said | {"hue": {**under.hue, **self.hue}})

    @property
    def resting(self) -> "Controls":
        """The same without what changes nothing."""
        rest = {"strength": 1.0, "saturation": 1.0, "warmth": 0.0}
        said = {name: None for name, value in rest.items() if getattr(self, name) == value}
        hue = {name: one for name, one in self.hue.items() if not one.rests}
        return self.model_copy(update=said | {"hue": hue})
