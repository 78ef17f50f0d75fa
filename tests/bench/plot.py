"""The benchmarks as one picture. Promises bars that begin at zero and numbers on them; measures nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes

FARM, OTHER, SECOND = "#1f5fa8", "#b4bcc6", "#c0582b"


def plot(results: dict[str, Any], path: Path) -> None:
    """Draw what `results` holds (the contest, the lengths) into a PNG."""
    pyplot.rcParams.update({"font.size": 10, "axes.titlesize": 11, "axes.titlelocation": "left", "figure.dpi": 130})
    drawings = [(_speed, "contest"), (_cpu, "contest"), (_memory, "lengths"), (_first, "lengths")]
    here = [(draw, results[part]) for draw, part in drawings if part in results]
    if not here:
        return
    figure, places = pyplot.subplots(len(here) // 2, 2, figsize=(10, 3.4 * (len(here) // 2)), squeeze=False)
    for (draw, found), axes in zip(here, places.flat, strict=True):
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes, found)
    machine = results["machine"]
    figure.suptitle(f"{machine['cpu']}, {machine['cores']} cores, {results['date']}", x=0.99, ha="right", fontsize=8)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


def _contenders(found: dict[str, Any]) -> list[str]:
    return [name for name in found if name != "clip"]


def _speed(axes: Axes, found: dict[str, Any]) -> None:
    _bars(axes, found, "frames_per_second", "{:.1f}")
    axes.set_title(f"Frames a second ({found['clip']['frames']} frames)")


def _cpu(axes: Axes, found: dict[str, Any]) -> None:
    _bars(axes, found, "cpu_seconds", "{:.0f}")
    axes.set_title("CPU seconds")


def _bars(axes: Axes, found: dict[str, Any], what: str, form: str) -> None:
    names = _contenders(found)
    heights = [found[name]["median"][what] for name in names]
    bars = axes.bar(names, heights, color=[FARM if name == "farm" else OTHER for name in names], width=0.6)
    ratios = [found[name]["ratio"][what] for name in names]
    axes.bar_label(bars, [f"{form.format(h)}\n×{r:.2f}" for h, r in zip(heights, ratios, strict=True)], padding=2)
    axes.margins(y=0.25)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _memory(axes: Axes, found: dict[str, Any]) -> None:
    minutes, films = _films(found)
    _line(axes, minutes, [film["peak_mib"] for film in films], "all processes", FARM)
    _line(axes, minutes, [film["peak_mib_by"]["main"] for film in films], "driver", SECOND)
    axes.set_title("Peak memory of the farm, MiB")
    _by_length(axes, minutes)


def _first(axes: Axes, found: dict[str, Any]) -> None:
    minutes, films = _films(found)
    _line(axes, minutes, [film["first_segment_seconds"] for film in films], "first chunk kept", FARM)
    axes.set_title("Seconds to the first finished chunk")
    _by_length(axes, minutes)


def _films(found: dict[str, Any]) -> tuple[list[int], list[dict[str, Any]]]:
    return [int(one) for one in found["minutes"]], list(found["minutes"].values())


def _line(axes: Axes, minutes: Sequence[int], values: Sequence[float], label: str, colour: str) -> None:
    axes.plot(minutes, values, marker="o", color=colour, label=label)
    for minute, value in zip(minutes, values, strict=True):
        axes.annotate(
            f"{value:.0f}" if value >= 100 else f"{value:.1f}",
            (minute, value),
            textcoords="offset points",
            xytext=(0, 7),
            ha="center",
        )


def _by_length(axes: Axes, minutes: Sequence[int]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xticks(minutes, [str(one) for one in minutes])
    axes.minorticks_off()
    axes.set_xlabel("minutes of film")
    axes.margins(x=0.12)
    axes.set_ylim(0, axes.get_ylim()[1] * 1.2)
    axes.legend(frameon=False, loc="center right")
