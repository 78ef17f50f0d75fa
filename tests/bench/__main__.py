"""`python -m tests.bench`: measures the farm against what its users could use instead. Promises docs/bench.json, docs/bench.png and a table; judges nothing.

Run it on an idle machine: about 45 minutes on two cores.
"""

import json
import os
import platform
import sys
from datetime import date
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from tests.bench.apart import ROOT
from tests.bench.figures import Figures
from tests.bench.films import clip_of
from tests.bench.measurements import (
    HD,
    contest,
    extra_frames,
    generator_alone,
    lengths,
    seam_cost,
    stitch_rates,
    streaming,
)
from tests.bench.plot import plot
from tests.bench.scale import day_planned, dispatched, forecast_error, long_measured, scale_lines


class Part(StrEnum):
    """What can be measured alone."""

    CONTEST = "contest"
    STITCH = "stitch"
    STREAMING = "streaming"
    EXTRA = "extra"
    LENGTHS = "lengths"
    SEAM = "seam"
    GENERATOR = "generator"
    INDEX = "index"
    DISPATCH = "dispatch"
    FORECAST = "forecast"
    LONG = "long"


def main(
    only: Annotated[
        list[Part] | None, typer.Option(help="Measure this part alone; may be given several times.")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="Runs of every contender and of the seam, in turn.")] = 3,
    seconds: Annotated[float, typer.Option(help="Length of the clip that is made for the contest.")] = 60,
    clip: Annotated[Path | None, typer.Option(help="A clip of your own for the contest, of constant rate.")] = None,
    chunks: Annotated[int, typer.Option(min=200, help="Of the film that is dispatched to 64 workers.")] = 10_000,
    out: Annotated[Path, typer.Option(help="Folder for bench.json and bench.png.")] = ROOT / "docs",
) -> None:
    """Measure, write the results, draw them and print a table."""
    here: Figures = {"date": date.today().isoformat(), "machine": machine()}
    kept = json.loads((out / "bench.json").read_text()) if only and (out / "bench.json").is_file() else {}
    # Parts measured elsewhere or on another day are not held against these.
    results = kept if {name: kept.get(name) for name in here} == here else here
    parts = {
        Part.CONTEST: lambda: contest(clip.absolute() if clip else clip_of(seconds, HD), runs, say),
        Part.STITCH: lambda: stitch_rates(say),
        Part.STREAMING: lambda: streaming(say),
        Part.EXTRA: lambda: extra_frames(say),
        Part.LENGTHS: lambda: lengths(say),
        Part.SEAM: lambda: seam_cost(runs, say),
        Part.GENERATOR: lambda: generator_alone(runs, say),
        Part.INDEX: lambda: day_planned(say),
        Part.DISPATCH: lambda: dispatched(say, chunks),
        Part.FORECAST: lambda: forecast_error(say),
        Part.LONG: lambda: long_measured(say),
    }
    out.mkdir(parents=True, exist_ok=True)
    for part in only or list(Part):
        results[part.value] = parts[part]()
        (out / "bench.json").write_text(json.dumps(results, indent=1) + "\n")
    plot(results, out / "bench.png")
    print("\n".join(table(results)))


def say(sentence: str) -> None:
    """Progress, for people."""
    print(sentence, file=sys.stderr, flush=True)


def machine() -> dict[str, Any]:
    """What the figures hold for."""
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").is_file() else ""
    models = [line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "av", "ray")},
    }


def table(results: Figures) -> list[str]:
    """The results in lines, for a terminal."""
    lines = []
    if contested := results.get("contest"):
        lines += [f"{'':10}{'frames/s':>10}{'x bare':>8}{'CPU s':>8}{'x bare':>8}{'peak MiB':>10}{'x bare':>8}"]
        for name in (one for one in contested if one != "clip"):
            found, ratio = contested[name]["median"], contested[name]["ratio"]
            lines += [
                f"{name:10}{found['frames_per_second']:10.1f}{ratio['frames_per_second']:8.2f}"
                f"{found['cpu_seconds']:8.1f}{ratio['cpu_seconds']:8.2f}{found['peak_mib']:10.0f}{ratio['peak_mib']:8.2f}"
            ]
    for codec, rate in results.get("stitch", {}).items():
        lines += [f"stitch {codec}: {rate['frames_per_second']:.0f} frames/s over {rate['frames']} frames"]
    for container, found in results.get("streaming", {}).items():
        lines += [
            f"stream {container}: memory of the longest film over that of the shortest {found['last_by_first_mib']:.2f}"
        ]
    if extra := results.get("extra"):
        lines += [f"extra frames, {extra['film']}: {extra['extra_frames_percent']:.2f} %"]
    if by_length := results.get("lengths"):
        lines += [f"{'minutes':10}{'peak MiB':>10}{'driver':>8}{'first chunk s':>15}{'frames/s':>10}"]
        for minutes, found in by_length["minutes"].items():
            lines += [
                f"{minutes:10}{found['peak_mib']:10.0f}{found['peak_mib_by']['main']:8.0f}"
                f"{found['first_segment_seconds']:15.1f}{found['frames_per_second']:10.0f}"
            ]
    if seam := results.get("seam"):
        one = seam["median"]
        lines += [
            f"one seam: {one['cpu_seconds']:.2f} s CPU, {one['wall_seconds']:.2f} s, {one['extra_frames']:.1f} extra frames"
        ]
    if alone := results.get("generator"):
        height, width = alone["shape"]
        lines += [f"generator alone, {height}x{width}: {alone['median']['frames_per_second']:.1f} frames/s"]
    return lines + scale_lines(results)


if __name__ == "__main__":
    typer.run(main)
