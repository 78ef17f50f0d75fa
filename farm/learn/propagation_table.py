"""Prints an evaluation of colour propagation: errors as shares of grey's, by distance from the anchors, and jitter."""

import sys

from rich.console import Console
from rich.table import Table

from farm.learn.evaluation_table import WIDTH
from jobs.records.evaluation import DistanceFigures, ErrorShare, Jitter, PropagationEvaluation


def show_propagation(evaluation: PropagationEvaluation, console: Console | None = None) -> None:
    """The evaluation for people, on stderr."""
    console = console or Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else WIDTH)
    out = (
        f", {evaluation.left_out} left out: no anchor in their shot, or too far from one" if evaluation.left_out else ""
    )
    anchors = f"{_counted(len(evaluation.anchors), 'anchor')} in {_counted(evaluation.shots, 'shot')}"
    console.print(
        f"{evaluation.frames} of {evaluation.propagated} propagated frames of {evaluation.on}; {anchors}{out}",
        markup=False,
        soft_wrap=True,
    )
    table = Table(title="means over frames, and as a share of grey's", title_justify="left")
    for name in ("from anchor", "frames", "dE00", "grey", "share", "chroma RMS", "grey", "share"):
        table.add_column(name, justify="right")
    for some in evaluation.by_distance:
        table.add_row(_distance(some), *_cells(some))
    table.add_row("all", *_cells(evaluation.total))
    console.print(table)
    for where, jitter in (("still", evaluation.still), ("moving", evaluation.moving)):
        console.print(f"jitter in {where} areas: {_of(jitter)}", markup=False)


def _distance(some: DistanceFigures) -> str:
    return f"{some.nearest}-{some.farthest}" if some.farthest else f"{some.nearest}+"


def _cells(some: DistanceFigures) -> list[str]:
    return [str(some.frames), *_shares(some.de00), *_shares(some.chroma_rms)]


def _shares(figure: ErrorShare) -> list[str]:
    share = "-" if figure.share is None else f"{100 * figure.share:.1f} %"
    return [f"{figure.propagated:.2f}", f"{figure.grey:.2f}", share]


def _of(jitter: Jitter | None) -> str:
    if jitter is None:
        return "not measured"
    ratio = f", {jitter.propagated / jitter.truth:.2f} times as much" if jitter.truth else ""
    return f"{jitter.propagated:.3f} of 255 a frame, the truth's {jitter.truth:.3f}{ratio}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
