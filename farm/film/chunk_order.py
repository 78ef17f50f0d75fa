"""The order in which a film's chunks are split and rendered. It changes no chunk and no digest.

film      in the film's order, so that deliverables grow with it
preview   the first chunk, the last, and every n-th between them before all others: what one wants to see of a whole film
          before it is paid for. Then in the film's order.
"""

from collections.abc import Iterable
from dataclasses import replace

from farm.film.calls import ChunkCall
from jobs.film.source import Film
from jobs.spec.job import JobSpec

MOST = 24
"""Chunks of a preview, about: as many as one looks at on one page."""
SHARE = 20
"""One chunk in so many is of the preview, where that makes fewer than MOST."""
SHOT_SECONDS = 4.0
"""Length of a film's shots, about: no chunk is longer than its shot."""


class ChunkOrder:
    """Which chunks of one film come first."""

    def __init__(self, spec: JobSpec, film: Film) -> None:
        expected = int(film.seconds / min(spec.chunk_seconds, SHOT_SECONDS))
        self.preview = spec.order == "preview"
        self.every = spec.preview_every or max(SHARE, -(-expected // MOST))
        self._last = 0
        self._shown = False

    def ends_with(self, number: int) -> None:
        """The film's last chunk is known; to be told before its calls are made."""
        self._last = number

    def is_early(self, number: int) -> bool:
        """Whether a chunk is of the preview. Chunks are counted from 1."""
        return self.preview and ((number - 1) % self.every == 0 or number == self._last)

    def prioritised(self, call: ChunkCall) -> ChunkCall:
        """A call for some chunks, at its place in this order: neighbours go early with any that does."""
        early = tuple(filter(self.is_early, call.chunks))
        return replace(call, early=early) if early else call

    def is_due(self, lacking: Iterable[int]) -> bool:
        """Once, when no early chunk of the whole film is `lacking`: the preview can be shown."""
        due = self.preview and self._last > 0 and not self._shown and not any(map(self.is_early, lacking))
        self._shown |= due
        return due
