"""The arithmetic of the benchmarks: figures of one run, medians of several, ratios taken round by round. Promises plain JSON; measures nothing."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from tests.bench.measuring import Reading

MIB = 1 << 20
RATIOS = ("frames_per_second", "cpu_seconds", "peak_mib")
LEAST_SECONDS = 0.05
"""Processes that took less processor time than this are not listed."""

Figures = dict[str, Any]


def figures_of(reading: Reading, found: Mapping[str, Any]) -> Figures:
    """One run: what the work found, and what the meter read. Seconds, MiB (2**20 bytes), frames a second of wall time."""
    return {
        **found,
        "wall_seconds": round(reading.wall, 3),
        "frames_per_second": round(found["frames"] / reading.wall, 3),
        "cpu_seconds": round(reading.cpu, 2),
        "peak_mib": round(reading.peak / MIB, 1),
        "cpu_seconds_by": {
            name: round(seconds, 2)
            for name, seconds in sorted(reading.cpu_by.items(), key=lambda one: -one[1])
            if seconds >= LEAST_SECONDS
        },
        "peak_mib_by": {name: round(size / MIB, 1) for name, size in reading.peak_by.most_common()},
    }


def medians(runs: Sequence[Figures]) -> Figures:
    """The median of every number that all runs have."""
    names = [name for name, value in runs[0].items() if isinstance(value, int | float)]
    return {name: round(median(run[name] for run in runs), 3) for name in names}


def ratios(runs: Sequence[Figures], base: Sequence[Figures]) -> Figures:
    """Medians of the ratios to `base`, run by run of one round: the machine's mood of a minute is in both."""
    return {
        name: round(median(run[name] / other[name] for run, other in zip(runs, base, strict=True)), 3)
        for name in RATIOS
    }


def per_seam(whole: Figures, parted: Figures) -> Figures:
    """What one seam costs, by the same shot in one chunk and in many."""
    seams = parted["seams"] - whole["seams"]
    return {
        "cpu_seconds": round((parted["cpu_seconds"] - whole["cpu_seconds"]) / seams, 3),
        "wall_seconds": round((parted["wall_seconds"] - whole["wall_seconds"]) / seams, 3),
        "extra_frames": round(parted["extra_frames_percent"] * parted["frames"] / 100 / seams, 3),
    }
