"""What is measured of scale: a day of film planned, ten thousand chunks dispatched, and how far forecasts are off. Promises plain JSON, and lines for a terminal."""

import tempfile
from pathlib import Path

from tests.bench.dispatching import dispatch
from tests.bench.figures import Figures
from tests.bench.films import clip_of, footage
from tests.bench.foretelling import cases_of, held_against
from tests.bench.long import two_hours
from tests.bench.measurements import Say, measured_alone
from tests.bench.planning import DAY, plan_film
from tests.bench.rehearsing import rehearsed

WORKERS = 64
CHUNK_SECONDS = 1.5


def day_planned(say: Say) -> Figures:
    """A day of film, from pages of its index to orders for the splitters."""
    found = measured_alone(plan_film, frames=DAY)
    say(f"index of {DAY:,} frames: {found['wall_seconds']:.0f} s, {found['peak_mib']:.0f} MiB")
    return found


def dispatched(say: Say, chunks: int) -> Figures:
    """Chunks to workers that wait, on real Ray; and by the rehearsal, to so many and to 512."""
    real = measured_alone(dispatch, chunks=chunks, workers=WORKERS, seconds=CHUNK_SECONDS)
    simulated = {str(workers): rehearsed(chunks, workers, CHUNK_SECONDS) for workers in (WORKERS, 512)}
    say(f"dispatch, {chunks} chunks to {WORKERS}: {real['of_ideal']:.3f} of the ideal")
    return {"real": real, "simulated": simulated}


def forecast_error(say: Say) -> Figures:
    """Real films by one renderer and by two, each foretold by the paces of the others."""
    found = held_against(cases_of([clip_of(20, (320, 180)), clip_of(30, (640, 360)), footage("sintel-30s.mp4")]))
    say(f"forecast: off by {found['median_error']:.0%} in the median, {found['largest_error']:.0%} at most")
    return found


def long_measured(say: Say) -> Figures:
    """Two hours of film, whole commands, stopped in the middle and gone on with."""
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as folder:
        found = two_hours(Path(folder))
    say(
        f"{found['frames']:,} frames: {found['stopped']['wall_seconds']:.0f} and {found['gone_on']['wall_seconds']:.0f} s"
    )
    return found


def scale_lines(results: Figures) -> list[str]:
    """What of these the results hold, for a terminal."""
    lines = []
    if index := results.get("index"):
        lines += [
            f"plan {index['frames']:,} frames, {index['chunks']:,} chunks: {index['wall_seconds']:.1f} s, "
            f"{index['planning_cpu_seconds']:.1f} s CPU, {index['peak_mib']:.0f} MiB"
        ]
    if found := results.get("dispatch"):
        real = found["real"]
        lines += [
            f"dispatch {real['chunks']:,} chunks to {real['workers']} workers: {real['of_ideal']:.3f} of the ideal, "
            f"driver {real['driver_ms_a_chunk']:.1f} ms a chunk, {real['driver_peak_mib']:.0f} MiB"
        ]
        lines += [
            f"simulated, {workers} workers: {one:.3f} of the ideal" for workers, one in found["simulated"].items()
        ]
    if found := results.get("long"):
        stopped, ended = found["stopped"], found["gone_on"]
        lines += [
            f"{found['frames']:,} frames end to end: {stopped['wall_seconds']:.0f} s, stopped, and {ended['wall_seconds']:.0f} s; "
            f"{found['store']['objects']:,} objects, driver {ended['resident_mib']['driver']['most']} MiB"
        ]
    if told := results.get("forecast"):
        lines += [f"forecast: off by {told['median_error']:.3f} in the median, {told['largest_error']:.3f} at most"]
    return lines
