"""Splits overlapping text subtitles for containers that show one cue at a time, as mp4 and mov do.

At every moment all the words are there that a player would show of the source.
"""

from collections.abc import Iterator
from typing import NamedTuple


class Cue(NamedTuple):
    """Words shown from `start` to `stop`, in ticks of their stream."""

    start: int
    stop: int | None
    """None where the source tells no end: shown until the next cue begins."""
    text: str

    @property
    def length(self) -> int:
        """In ticks; 0 where no end is told."""
        return 0 if self.stop is None else self.stop - self.start


class Screen:
    """What is shown of one stream, as its cues come by. Holds those only that are visible."""

    def __init__(self) -> None:
        self._at = 0
        self._shown: list[Cue] = []

    def add(self, cue: Cue) -> Iterator[Cue]:
        """One more cue of the source; gives those that are finished by it, parted wherever the words change.

        Cues come by their start; what belongs before the last one's is cut.
        """
        start = max(cue.start, self._at) if self._shown else cue.start
        self._shown = [
            one if one.stop is not None or one.start == start else one._replace(stop=start) for one in self._shown
        ]
        yield from self._until(start)
        self._at = start
        if cue.text and (cue.stop is None or cue.stop > start):
            self._shown.append(cue._replace(start=start))

    def rest(self) -> Iterator[Cue]:
        """What is visible after the last one began."""
        yield from self._until(None)

    def _until(self, end: int | None) -> Iterator[Cue]:
        while self._shown and self._at != end:
            edges = [one for one in (end, *(cue.stop for cue in self._shown)) if one is not None]
            edge = min(edges, default=None)
            # Layers of one text (ASS draws shadows so) are one text to a reader.
            yield Cue(self._at, edge, "\n".join(dict.fromkeys(one.text for one in self._shown)))
            self._shown = [one for one in self._shown if edge is not None and (one.stop is None or one.stop > edge)]
            self._at = self._at if edge is None else edge
