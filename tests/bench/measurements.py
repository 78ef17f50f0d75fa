"""What is measured, each by a function of its own. Promises plain JSON, every run under its own clock; prints nothing."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.apart import Work, measured
from tests.bench.contenders import bare, jpeg, ray_data
from tests.bench.farming import farm
from tests.bench.figures import Figures, figures_of, medians, per_seam, ratios
from tests.bench.films import MANY_CUTS, clip_of, footage, frames_of, looped, still_film
from tests.bench.generating import SHAPE, generate
from tests.bench.stitching import stitch
from tests.bench.streaming import stream

CONTENDERS: dict[str, Work] = {"bare": bare, "jpeg": jpeg, "ray data": ray_data, "farm": farm}
HD = (1280, 720)
SMALL = (320, 180)
Say = Callable[[str], None]


def contest(clip: Path, runs: int, say: Say) -> Figures:
    """Every contender `runs` times on one clip, in turn, so that no one has the machine's better hour."""
    frames = frames_of(clip)
    made: dict[str, list[Figures]] = {name: [] for name in CONTENDERS}
    for turn in range(runs):
        for name, work in CONTENDERS.items():
            found = once(work, clip)
            assert found["frames"] == frames, f"{name} made {found['frames']} frames of {frames}"
            made[name].append(found)
            say(f"{name}, run {turn + 1}: {found['frames_per_second']:.1f} frames/s, {found['cpu_seconds']:.1f} s CPU")
    return {
        "clip": {"name": clip.name, "frames": frames},
        **{
            name: {"median": medians(found), "ratio": ratios(found, made["bare"]), "runs": found}
            for name, found in made.items()
        },
    }


def once(work: Work, clip: Path, **options: Any) -> Figures:
    """One run of one contender in a fresh process and a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as folder:
        return figures_of(*measured(work, clip=str(clip), folder=folder, **options))


def measured_alone(work: Work, **options: Any) -> Figures:
    """One run of work that takes no clip, in a fresh process and a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as folder:
        return figures_of(*measured(work, folder=folder, **options))


def stitch_rates(say: Say) -> Figures:
    """Frames a second of the stitcher alone, by codec: over ten thousand in h264, fewer in ffv1, which is fifty times as large."""
    clip = clip_of(60, HD)
    rates = {}
    for codec, film in (("h264", looped(clip, 8)), ("ffv1", clip)):
        rates[codec] = once(stitch, film, codec=codec)
        say(f"stitch, {codec}: {rates[codec]['frames_per_second']:.0f} frames/s")
    return rates


def streaming(say: Say, minutes: tuple[int, ...] = (5, 20)) -> Figures:
    """A stitch from S3 to S3, by the film's length and container, with the proof: peaks of temporary disk, and of memory over what the process had before, which prepared the film."""
    clip = clip_of(60, (640, 360))
    found: Figures = {}
    for container in ("mp4", "mkv"):
        films = {str(one): once(stream, looped(clip, one), container=container) for one in minutes}
        peaks = [one["peak_mib_by"]["main"] - one["before_mib"] for one in films.values()]
        found[container] = {"minutes": films, "last_by_first_mib": round(peaks[-1] / peaks[0], 3)}
        for length, one in films.items():
            say(
                f"stream, {container}, {length} min: {one['frames'] / one['stitched_seconds']:.0f} frames/s, proven "
                f"{one['frames_per_second']:.0f}; {one['peak_mib_by']['main'] - one['before_mib']:.0f} MiB, {one['peak_disk_mib']:.1f} MiB of disk"
            )
    return found


def extra_frames(say: Say) -> Figures:
    """Handles and pre-roll of the default plan, in percent, of a film with many cuts."""
    film = footage(MANY_CUTS)
    command = [str(Path(sys.executable).with_name("farm")), "plan", str(film), "--json"]
    plan = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    say(f"extra frames, {film.name}: {plan['extra_frames_percent']:.2f} %")
    kept = ("frames", "shots", "chunks", "seams", "extra_frames", "extra_frames_percent", "lead_in_percent")
    return {"film": film.name, **{name: plan[name] for name in kept}}


def lengths(say: Say, minutes: tuple[int, ...] = (1, 4, 16)) -> Figures:
    """Memory and the time to the first finished chunk, by the film's length: small pictures, look `none`, Ray already started."""
    films = {}
    for one in minutes:
        film = looped(clip_of(60, SMALL), one)
        found = films[str(one)] = once(farm, film, look={"name": "none"})
        assert found["frames"] == frames_of(film)
        say(f"{one} min: {found['peak_mib']:.0f} MiB, first chunk after {found['first_segment_seconds']:.1f} s")
    first, last = films[str(minutes[0])], films[str(minutes[-1])]
    names = ("peak_mib", "first_frames_seconds", "first_segment_seconds")
    return {"minutes": films, "last_by_first": {name: round(last[name] / first[name], 3) for name in names}}


def seam_cost(runs: int, say: Say) -> Figures:
    """One shot as one chunk and as twenty, by one renderer, in turn."""
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as folder:
        clip = still_film(Path(folder, "shot.mp4"), 480, (640, 360))
        alone = {"workers": {"count": 1}}
        rounds = [
            (once(farm, clip, chunk_seconds=60, **alone), once(farm, clip, chunk_seconds=1, **alone))
            for _ in range(runs)
        ]
    found = [{**per_seam(whole, parted), "whole": whole, "parted": parted} for whole, parted in rounds]
    say(f"one seam: {medians(found)['cpu_seconds']:.2f} s CPU, {medians(found)['extra_frames']:.1f} extra frames")
    return {"seams": rounds[0][1]["seams"], "median": medians(found), "runs": found}


def generator_alone(runs: int, say: Say, frames: int = 150) -> Figures:
    """The colouriser's network on all cores, pictures that lie in memory: frames a second, median of the runs."""
    found = [figures_of(*measured(generate, frames=frames)) for _ in range(runs)]
    height, width = SHAPE
    say(f"generator alone, {height}x{width}: {medians(found)['frames_per_second']:.1f} frames/s")
    return {"shape": [height, width], "median": medians(found), "runs": found}
