"""Prints an evaluation of looks: a table of figures by strength for each look."""

import sys

from rich.console import Console
from rich.table import Table

from jobs.records.evaluation import Evaluation, Interval, LookFigures, StrengthPoint

WIDTH = 110
"""Columns of the tables where there is no terminal."""


def show(evaluation: Evaluation, console: Console | None = None) -> None:
    """The evaluation for people, on stderr."""
    narrow = None if sys.stderr.isatty() else WIDTH
    console = console or Console(stderr=True, highlight=False, width=narrow)
    passed = f"; {len(evaluation.passed_over)} passed over, being grey" if evaluation.passed_over else ""
    console.print(f"{evaluation.pictures} pictures of {evaluation.on}{passed}", markup=False, soft_wrap=True)
    console.print(f"truth: CF {_of(evaluation.truth)}; grey: dE00 {_of(evaluation.grey)}", markup=False)
    for look in evaluation.looks:
        console.print(_curve(look))
        if look.domain == "chroma":
            console.print(f"{look.name}: lowest dE00: {_at(look.lowest)}", markup=False)
            console.print(f"{look.name}: at half the truth's CF: {_at(look.half)}", markup=False)
    for one in evaluation.differences:
        parts = [f"as rendered {_of(one.rendered)}"]
        parts += [f"at the lowest {_of(one.lowest)}"] if one.lowest else []
        parts += [f"at half the truth's CF {_of(one.half)}"] if one.half else []
        console.print(f"dE00 of {one.look} less that of {one.other}: {', '.join(parts)}", markup=False)


def _curve(look: LookFigures) -> Table:
    title = f"{look.name}, which gives {look.domain}: means over pictures, 95 % intervals"
    table = Table(title=title, title_justify="left")
    for name in ("strength", "dE00", "less grey", "CF", "less truth", "PSNR", "chroma", "SSIM"):
        table.add_column(name, justify="right")
    for point in look.curve:
        decibels = (f"{one.mean:.1f}" for one in (point.psnr, point.chroma_psnr))
        cells = (_of(point.less_grey), f"{point.colourfulness.mean:.1f}", f"{point.less_truth.mean:+.1f}", *decibels)
        table.add_row(f"{point.strength:g}", _of(point.de00), *cells, f"{point.ssim.mean:.4f}")
    return table


def _at(place: StrengthPoint | None) -> str:
    if place is None:
        return "not on this curve"
    return f"{_of(place.de00)} at strength {place.strength:.2f}, less grey {_of(place.less_grey)}"


def _of(one: Interval) -> str:
    return f"{one.mean:.2f} ({one.low:.2f} to {one.high:.2f})"
