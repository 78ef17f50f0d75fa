"""What is done with a look's picture as it is put on the film's frame: controls, which may ramp, and the legal gamut. Pure."""

from dataclasses import dataclass
from typing import Literal

from jobs.document import Document
from jobs.plan.ranges import Range
from jobs.spec.controls import HUES, Controls, Gamut, Hue
from jobs.spec.grade import Cdl

VERSION = 1
"""Of grading: raised whenever its pictures change."""
GAMUT_VERSION = 2
"""The same of the legal gamut alone."""


class ControlledRange(Document):
    """Frames of a shot that have controls of their own."""

    frames: Range
    ramps: tuple[int, int]
    """Frames at its beginning and at its end over which they come in and go out again."""
    controls: Controls

    def within(self, frames: Range, shot: Range) -> "ControlledRange | None":
        """What it is for some frames of a shot; None where it holds none of them. At the shot's edges nothing ramps."""
        if not self.frames.meets(frames):
            return None
        rise = self.ramps[0] if self.frames.start > shot.start else 0
        fall = self.ramps[1] if self.frames.stop < shot.stop else 0
        start, stop = self.frames
        # A ramp that lies wholly before or after these frames is none of theirs.
        if start + rise <= frames.start:
            start, rise = frames.start, 0
        if stop - fall >= frames.stop:
            stop, fall = frames.stop, 0
        return self.model_copy(update={"frames": Range(start, stop), "ramps": (rise, fall)})

    def weight(self, frame: int) -> float:
        """How much they count on a frame: 0 outside, 1 between the ramps."""
        if not self.frames.start <= frame < self.frames.stop:
            return 0.0
        rise = (frame - self.frames.start + 1) / (self.ramps[0] + 1)
        fall = (self.frames.stop - frame) / (self.ramps[1] + 1)
        return min(1.0, rise, fall)


@dataclass(frozen=True)
class FrameControls:
    """The controls of one frame, as figures."""

    strength: float = 1.0
    saturation: float = 1.0
    warmth: float = 0.0
    hue: tuple[tuple[float, float], ...] = ((0.0, 1.0),) * len(HUES)
    """Shift and saturation of each of HUES."""

    @property
    def rest(self) -> bool:
        """Whether they change nothing."""
        return self == FrameControls()

    @property
    def hues_rest(self) -> bool:
        """Whether no single hue is changed."""
        return self.hue == FrameControls().hue

    def towards(self, controls: Controls, weight: float) -> "FrameControls":
        """These, moved by `weight` towards what `controls` name."""

        def moved(value: float, to: float | None) -> float:
            # Bit for bit at both ends.
            return value if to is None or weight == 0 else to if weight == 1 else value + weight * (to - value)

        def hue(name: Hue, shift: float, saturation: float) -> tuple[float, float]:
            to = controls.hue.get(name)
            return (moved(shift, to.shift), moved(saturation, to.saturation)) if to else (shift, saturation)

        return FrameControls(
            moved(self.strength, controls.strength),
            moved(self.saturation, controls.saturation),
            moved(self.warmth, controls.warmth),
            tuple(hue(name, *values) for name, values in zip(HUES, self.hue, strict=True)),
        )


class Grading(Document):
    """All that is done with a look's picture after the look, in a shot or in a chunk of it."""

    version: int = VERSION
    controls: Controls = Controls()
    """Of all its frames."""
    ranges: tuple[ControlledRange, ...] = ()
    """Of some of them; where two overlap, the later counts."""
    cdl: Cdl | None = None
    lut: str = ""
    """SHA-256 of a .cube file, which lies in the job's folder (`lut_name`)."""
    gamut: Gamut | Literal[""] = ""

    def at(self, frame: int) -> FrameControls:
        """The controls of a frame."""
        found = FrameControls().towards(self.controls, 1.0)
        for one in self.ranges:
            found = found.towards(one.controls, one.weight(frame))
        return found

    def over(self, frames: Range, shot: Range) -> "Grading | None":
        """What it is for some frames of a shot alone, without what changes nothing there; None where nothing is left.

        It depends on nothing beyond these frames, so that what is done elsewhere renders nothing of them again.
        """
        controls, ranges = self.controls, list[ControlledRange]()
        for some in (one.within(frames, shot) for one in self.ranges):
            if some is None or not (ranges or _changes(some.controls, controls)):
                continue
            if not ranges and (some.frames, some.ramps) == (frames, (0, 0)):
                controls = some.controls.over(controls)
            else:
                ranges.append(some)
        left = self.model_copy(update={"controls": controls.resting, "ranges": tuple(ranges)})
        return None if left == Grading() else left

    def settled(self, known: Range) -> int:
        """The frame before which no frame to come changes it, in a shot that goes on: whether a range's end is a cut is not known yet."""
        ends = (one.frames.stop - one.ramps[1] for one in self.ranges if one.frames.stop >= known.stop)
        return min([known.stop, *ends])

    @property
    def has_grade(self) -> bool:
        """Whether R'G'B' is graded, by a CDL or a LUT."""
        return bool(self.cdl or self.lut)

    @property
    def changes_pictures(self) -> bool:
        """False where it only counts."""
        return self.model_copy(update={"gamut": ""}) != Grading() or self.gamut in ("hold", "clip")

    def named(self) -> dict[str, object]:
        """What tells it from any other."""
        held = {"gamut_version": GAMUT_VERSION} if self.gamut in ("hold", "clip") else {}
        return {**self.model_dump(mode="json", exclude_defaults=True), "version": self.version, **held}

    @property
    def words(self) -> dict[str, object]:
        """What people are told of it, by name."""
        told: dict[str, object] = self.controls.model_dump(exclude={"hue"}, exclude_none=True)
        for name, one in self.controls.hue.items():
            told |= {f"hue {name} {what}": value for what, value in one.model_dump(exclude_defaults=True).items()}
        for place, some in enumerate(self.ranges, 1):
            told[f"range {place}"] = f"frames {some.frames.start} to {some.frames.stop - 1}"
        if self.cdl:
            told |= {f"cdl {name}": value for name, value in self.cdl.model_dump(exclude_defaults=True).items()}
        told |= {"lut": self.lut[:12]} if self.lut else {}
        return told | ({"gamut": self.gamut} if self.gamut else {})


def lut_name(sha256: str) -> str:
    """Where a LUT lies in a job's folder."""
    return f"grades/{sha256}.cube"


def _changes(controls: Controls, under: Controls) -> bool:
    return controls.over(under).resting != under.resting
