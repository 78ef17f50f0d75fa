"""What quality control says of a film's shots: the figures measured of each, and which of them warn or keep the film from being delivered."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from jobs.document import Count, Document
from jobs.errors import number_of
from jobs.plan.ranges import Range

Check = Literal[
    "flicker", "jump", "seam", "black", "frozen", "flash", "gamut", "legal", "setup", "warp", "drift", "stills"
]
CHECKS: tuple[Check, ...] = get_args(Check)
SAID: dict[Check, str] = {
    "flicker": "flickers by {:.1f} steps of 8 bits where the source is still",
    "jump": "jumps by {:.1f} steps of 8 bits from one frame to the next where the source is still",
    "seam": "has a colour that jumps {:.1f} times as far at a seam as inside",
    "black": "is black in {frames}",
    "frozen": "repeats the frame before in {frames}",
    "flash": "has {frames} within flashes that may harm viewers",
    "gamut": "has {:.1f} % of a frame's pixels beyond the gamut of EBU R103",
    "legal": "has {:.1f} % of a frame's pixels beyond nominal levels",
    "setup": "is of another colour, by {:.1f} dE, than shot {other}, which shows the same",
    "warp": "wavers by {:.1f} steps of 8 bits along what moves",
    "drift": "has a colour that goes {:.1f} steps of 8 bits from how it begins",
    "stills": "has a colour {:.1f} steps of 8 bits from what was painted",
}
"""Of a shot, with its figure. What the source has too is in none of them."""
MOST_NAMED = 5
"""Shots that a sentence names."""


class QualityFigure(Document):
    """One figure of a shot, the worst of its chunks'."""

    value: Annotated[float, Field(ge=-1e6, le=1e6)]
    """flicker, jump, warp, drift, stills: steps of 8 bits; seam: times the step inside; black, frozen, flash: frames; gamut, legal: percent; setup: dE (CIE 1976)."""
    at: Count
    """The frame where it was found."""
    verdict: Literal["pass", "warn", "fail"] = "pass"
    limit: float | None = None
    """The bound that it came to, where it is not let pass."""
    other: Count | None = None
    """setup: the shot that comes nearest of those that show the same."""

    def said(self, check: Check) -> str:
        """It in words, of a shot."""
        return SAID[check].format(self.value, frames=number_of(round(self.value), "frame"), other=self.other)


class ShotQuality(Document):
    """What was measured of one shot."""

    shot: Count
    frames: Range
    measured: Count
    """Of its frames: chunks that were rendered before figures were taken, or transcoded from another deliverable, have none."""
    figures: dict[Check, QualityFigure]
    """By check, as far as it could be measured."""

    def said(self, check: Check) -> str:
        """One figure, in words."""
        figure = self.figures[check]
        return f"shot {self.shot} {figure.said(check)} (frame {figure.at}, {figure.verdict}: {figure.limit:g})"


class CheckSummary(Document):
    """One check over all shots."""

    warnings: Count = 0
    """Shots that warn or fail."""
    failures: Count = 0
    worst: float = 0.0


class FilmQuality(Document):
    """What was measured of a film."""

    shots: tuple[ShotQuality, ...] = ()

    def judged(self, *verdicts: str) -> list[tuple[ShotQuality, Check]]:
        """The shots and checks with one of these verdicts, in film order."""
        return [(one, check) for one in self.shots for check, found in one.figures.items() if found.verdict in verdicts]

    def summary(self) -> dict[Check, CheckSummary]:
        """By check, as far as anything was measured of it."""
        found: dict[Check, list[QualityFigure]] = {}
        for one in self.shots:
            for check, figure in one.figures.items():
                found.setdefault(check, []).append(figure)
        return {
            check: CheckSummary(
                warnings=sum(one.verdict != "pass" for one in figures),
                failures=sum(one.verdict == "fail" for one in figures),
                worst=max(one.value for one in figures),
            )
            for check, figures in found.items()
        }

    @property
    def unmeasured(self) -> int:
        """Frames of which nothing was measured."""
        return sum(one.frames.frames - one.measured for one in self.shots)

    def said(self, *verdicts: str) -> list[str]:
        """The shots with one of these verdicts, each in words, and how many more there are."""
        found = self.judged(*verdicts)
        rest = len(found) - MOST_NAMED
        more = [f"{number_of(rest, 'finding')} more, on the review page"] if rest > 0 else []
        return [one.said(check) for one, check in found[:MOST_NAMED]] + more

    def refusal(self) -> str:
        """Why the film is not delivered, and what to do, in words; empty where nothing fails."""
        failed = self.judged("fail")
        if not failed:
            return ""
        shots = ",".join(str(number) for number in sorted({one.shot for one, _ in failed})[:MOST_NAMED])
        bounds = " and ".join(f"qc.{check}.fail" for check in dict.fromkeys(check for _, check in failed))
        return (
            f"{'; '.join(self.said('fail'))}. Have it made again with other settings (overrides: shots {shots}), or raise "
            f"{bounds} in the spec; then run the job again: finished work is kept, and a bound renders nothing again."
        )


class SoundQuality(Document):
    """A sound stream, counted from 1."""

    stream: Count
    seconds: float
    loudness: float | None
    """Integrated, in LUFS (EBU R128, ITU-R BS.1770); None where all of it is silent."""
    source_seconds: float | None = None
    source_loudness: float | None = None


class QualityReport(Document):
    """What `farm qc` found of any film."""

    version: Literal[1] = 1
    film: str
    source: str | None
    """What it was held against; without one, what a film does itself is no fault, and gamut, levels, flashes and set-ups alone are told."""
    frames: Count
    source_frames: Count | None
    quality: FilmQuality
    sound: tuple[SoundQuality, ...]
    warnings: tuple[str, ...]
    """Everything that deserves a look, in sentences."""
    failures: tuple[str, ...]
    """Everything that is beyond a bound of `fail`, or not as long as the source."""
