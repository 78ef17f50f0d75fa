"""Reads CMX3600 edit decision lists: their events as spans on the record side. A line it cannot read is an error.

An event's line is `NNN REEL CHANNELS TRANSITION [LENGTH] SOURCE-IN SOURCE-OUT RECORD-IN RECORD-OUT`. Only the record side
counts: a speed effect (M2) changes the source's length alone. The incoming picture of a dissolve or wipe is there from the
transition's first frame on, so that is where its shot begins. An event without length is the outgoing side of a transition.
Black (BL) is a picture. The foreground of a key (K) lies over a picture that goes on, and is no shot where there is one.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from actors.shot_lists.layers import LayerSpan
from jobs.film.timecode import TimecodeCounting

DROPPING = (Fraction(30000, 1001), Fraction(60000, 1001))
"""Rates whose time codes may leave frames out."""

LONGEST_LINE = 1000
"""Characters of an event's line: a reel's name of the longest file name, and four time codes."""

_TIME = r"(\d\d[:;]\d\d[:;]\d\d[:;.,]\d\d)"
_EVENT = re.compile(
    r"\s*(?P<number>\d+\w*)\s+(?P<reel>\S.*?)\s+(?P<channels>[A-Z0-9/+,]+)\s+"
    r"(?P<transition>C|D|W\d*|K\s*[BO]?)\s*(?P<length>\s\d+|\s\(\w+\))?\s+"
    rf"{_TIME}\s+{_TIME}\s+{_TIME}\s+{_TIME}(\s.*)?",
    re.IGNORECASE,
)
_BEGINS = re.compile(r"\s*\d{1,6}[A-Z]?\s+\S", re.IGNORECASE)
"""How an event's line begins; comments, titles, effects and notes begin otherwise."""

_PICTURE = re.compile(r"(?:^|[/+,A0-9])V(\d*)", re.IGNORECASE)


class UnreadableLine(ValueError):
    """A line of an event that is not understood: why, and which."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")


@dataclass(frozen=True)
class EdlEvents:
    """The events of a list that have a picture, counted from 00:00:00:00."""

    spans: list[LayerSpan]
    """In frames; a later one covers those before it: higher tracks come last."""
    drop: bool
    """Whether its time codes leave frames out."""


@dataclass
class _Reader:
    """Reads events one after another: time codes begin anew at midnight, and lists go on."""

    rate: Fraction
    drop: bool = False
    dropped: bool = False
    recorded: int = 0

    def event(self, line: int, text: str) -> tuple[int, LayerSpan] | None:
        """The layer and the span of an event; None where it has no picture. Raises UnreadableLine."""
        # Runs of blanks could be shared out among the fields in so many ways that no line of some thousand would be read to its end.
        found = _EVENT.fullmatch(" ".join(text.split())) if len(text) <= LONGEST_LINE else None
        if found is None:
            raise UnreadableLine(
                line,
                f"'{text.strip()[:80]}' is not an event in a form that is read here: a number, a reel, channels, a transition "
                "(C, D, W or K) and four time codes",
            )
        if (layer := _layer(found)) is None:
            return None
        start = self._frame(line, found[8], self.recorded)
        stop = self._frame(line, found[9], start)
        if stop < start:
            raise UnreadableLine(line, f"the event ends, at {found[9]}, before it begins, at {found[8]}")
        self.recorded = stop
        return layer, LayerSpan(Fraction(start), Fraction(stop))

    def _frame(self, line: int, code: str, before: int) -> int:
        """The frame of a time code, counted on over midnight where it falls by half a day: what falls by less is out of order."""
        drop = self.rate in DROPPING and (self.drop or ";" in code)
        self.dropped |= drop
        counting = TimecodeCounting(self.rate, drop)
        days, hours = divmod(int(code[:2]), 24)
        label = f"{hours:02d}:{code[3:5]}:{code[6:8]}{';' if drop else ':'}{code[9:]}"
        try:
            number = counting.number(label) + days * counting.day
        except ValueError as wrong:
            raise UnreadableLine(line, str(wrong)) from None
        return number + max(0, round(Fraction(before - number, counting.day))) * counting.day


def events_of(text: str, rate: Fraction) -> EdlEvents:
    """The picture events of a list whose time codes count at `rate`, one that has time codes. Raises UnreadableLine."""
    reader = _Reader(rate)
    found: list[tuple[int, int, LayerSpan]] = []
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        if line.strip().upper().startswith("FCM"):
            reader.drop = "DROP" in line.upper() and "NON" not in line.upper()
        elif _BEGINS.match(line) and (event := reader.event(number, line)):
            found.append((event[0], number, event[1]))
    found.sort(key=lambda one: one[:2])
    return EdlEvents([span for _, _, span in found if span.start < span.stop], reader.dropped)


def _layer(event: re.Match[str]) -> int | None:
    """What an event covers: a track all lower ones, the foreground of a key nothing. None where it is sound alone."""
    channels = event["channels"].upper()
    picture = _PICTURE.search(channels)
    if picture is None and not re.fullmatch(r"B\d*", channels):  # B: both, sound and picture
        return None
    key = event["transition"].upper().startswith("K") and not event["transition"].upper().endswith("B")
    return -1 if key else int((picture and picture[1]) or 1)
