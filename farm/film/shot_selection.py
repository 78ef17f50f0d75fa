"""Parses which shots are to be rendered (`--shots 3,5-7`), and formats runs of numbers in the same way."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from jobs.errors import BadSpec


@dataclass(frozen=True)
class ShotSelection:
    """Some shots, by number, counted from 1; or all."""

    said: str = ""
    """As it was said: "3,5-7"; empty for all."""
    ranges: tuple[tuple[int, int], ...] = ()
    """First and last, both included."""

    def __contains__(self, shot: int) -> bool:
        return not self.ranges or any(first <= shot <= last for first, last in self.ranges)

    def refuse_beyond(self, shots: int) -> None:
        """Raises BadSpec where a film of so many shots lacks one of these."""
        if any(last > shots for _, last in self.ranges):
            raise BadSpec(f"--shots {self.said}: the film has shots 1 to {shots}; see them with `farm plan`.")


ALL = ShotSelection()


def told(numbers: Iterable[int]) -> str:
    """Numbers for people, runs of them by their ends: "1-3, 7"."""
    runs = [list(several) for _, several in groupby(enumerate(sorted(set(numbers))), lambda one: one[1] - one[0])]
    ends = ((run[0][1], run[-1][1]) for run in runs)
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ends)


def shots_chosen(said: str) -> ShotSelection:
    """Numbers and inclusive ranges of shots: "3", "12-18", "3,5-7". Raises BadSpec for anything else."""
    parts = [re.fullmatch(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", part) for part in said.split(",")]
    ranges = tuple((int(one[1]), int(one[2] or one[1])) for one in parts if one)
    if len(ranges) < len(parts) or any(min(one) < 1 for one in ranges):
        raise BadSpec(f"--shots {said}: shots are numbers counted from 1, as in 3, 12-18 or 3,5-7.")
    if back := next((one for one in ranges if one[0] > one[1]), None):
        raise BadSpec(
            f"--shots {said}: the first shot is not after the last; for shots {back[1]} to {back[0]} write {back[1]}-{back[0]}."
        )
    return ShotSelection(said, ranges)
