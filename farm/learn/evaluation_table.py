"""Prints an evaluation of looks: a table of figures by strength for each look."""

from farm.progress.plain_console import Column, PlainConsole
from jobs.errors import number_of
from jobs.records.evaluation import Evaluation, Interval, LookFigures, StrengthPoint

WIDTH = 110
"""Columns of the tables where there is no terminal."""


def show(evaluation: Evaluation, console: PlainConsole | None = None) -> None:
    """The evaluation for people, on stderr."""
    console = console or PlainConsole(width=WIDTH)
    passed = f"; {len(evaluation.passed_over)} passed over, being grey" if evaluation.passed_over else ""
    console.note(f"{number_of(evaluation.pictures, 'picture')} of {evaluation.on}{passed}")
    console.note(f"truth: CF {_of(evaluation.truth)}; grey: dE00 {_of(evaluation.grey)}")
    for look in evaluation.looks:
        _show_curve(look, console)
        if look.domain == "chroma":
            console.note(f"{look.name}: lowest dE00: {_at(look.lowest)}")
            console.note(f"{look.name}: at half the truth's CF: {_at(look.half)}")
    for one in evaluation.differences:
        parts = [f"as rendered {_of(one.rendered)}"]
        parts += [f"at the lowest {_of(one.lowest)}"] if one.lowest else []
        parts += [f"at half the truth's CF {_of(one.half)}"] if one.half else []
        console.note(f"dE00 of {one.look} less that of {one.other}: {', '.join(parts)}")


def _show_curve(look: LookFigures, console: PlainConsole) -> None:
    rows = []
    for point in look.curve:
        decibels = (f"{one.mean:.1f}" for one in (point.psnr, point.chroma_psnr))
        cells = (_of(point.less_grey), f"{point.colourfulness.mean:.1f}", f"{point.less_truth.mean:+.1f}", *decibels)
        rows.append((f"{point.strength:g}", _of(point.de00), *cells, f"{point.ssim.mean:.4f}"))
    heads = ("strength", "dE00", "less grey", "CF", "less truth", "PSNR", "chroma", "SSIM")
    title = f"{look.name}, which gives {look.domain}: means over pictures, 95 % intervals"
    console.table(title, rows, [Column(head, right=True) for head in heads])


def _at(place: StrengthPoint | None) -> str:
    if place is None:
        return "not on this curve"
    return f"{_of(place.de00)} at strength {place.strength:.2f}, less grey {_of(place.less_grey)}"


def _of(one: Interval) -> str:
    return f"{one.mean:.2f} ({one.low:.2f} to {one.high:.2f})"
