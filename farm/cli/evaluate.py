"""The command `farm evaluate`, and its table for people. Promises the command line's contract; measures nothing itself."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from farm.cli.options import Address, AsJson, Deinterlace, Head, Setting, Video, Workers, fields_of, trims
from jobs.errors import BadSpec

if TYPE_CHECKING:
    from jobs.records.evaluation import Evaluation, Interval, LookFigures, StrengthPoint

WIDTH = 110
"""Columns of the tables where there is no terminal."""


def evaluate(
    look: Annotated[str, typer.Argument(metavar="LOOK", help="A look, by name or by its place; see `farm looks`.")],
    on: Annotated[str, typer.Option("--on", metavar="PLACE", help="A folder of photographs in colour, or a film.")],
    against: Annotated[
        list[str] | None, typer.Option(metavar="LOOK", help="Another look; may be given several times.")
    ] = None,
    setting: Setting = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="PLACE", help="Folder or s3://bucket/prefix for evaluation.json and picture sheets."),
    ] = None,
    strengths: Annotated[
        str | None, typer.Option(metavar="LIST", help="Of the curve, as in 0,0.5,1,1.5; 1 is as rendered.")
    ] = None,
    frames: Annotated[int, typer.Option(min=1, max=100_000, help="Of a film: how many, evenly spread.")] = 24,
    deinterlace: Deinterlace = None,
    head: Head = None,
    video: Video = None,
    workers: Workers = None,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Judge a look on pictures whose colours are known: dE00 over colourfulness, against grey and other looks."""
    from jobs.spec.job import LookChoice, Reading

    first = LookChoice(name=look, settings=fields_of(setting=setting).get("settings", {}))
    if deinterlace not in (None, "bwdif"):
        raise BadSpec(f"--deinterlace {deinterlace}: it reads bwdif.")
    trim = trims(head)
    wish = {} if strengths is None else {"strengths": _numbers(strengths)}
    reading = Reading(video=video, deinterlace=deinterlace is not None)

    from farm.learn.evaluate import EvaluationRequest  # takes seconds: what is wrong with the options is said before
    from farm.learn.evaluate import evaluate as judge

    looks = (first, *(LookChoice(name=name) for name in against or ()))
    question = EvaluationRequest(looks, on, frames=frames, out=out, reading=reading, trim=trim, **wish)
    evaluation = judge(question, address=address, workers=workers)
    print(evaluation.model_dump_json(indent=2)) if as_json else show(evaluation)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(one) for one in text.split(","))
    except ValueError:
        raise BadSpec(f"--strengths {text}: write numbers with commas between them, as in 0,0.5,1.") from None


def show(evaluation: "Evaluation", console: Console | None = None) -> None:
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


def _curve(look: "LookFigures") -> Table:
    title = f"{look.name}, which gives {look.domain}: means over pictures, 95 % intervals"
    table = Table(title=title, title_justify="left")
    for name in ("strength", "dE00", "less grey", "CF", "less truth", "PSNR", "chroma", "SSIM"):
        table.add_column(name, justify="right")
    for point in look.curve:
        decibels = (f"{one.mean:.1f}" for one in (point.psnr, point.chroma_psnr))
        cells = (_of(point.less_grey), f"{point.colourfulness.mean:.1f}", f"{point.less_truth.mean:+.1f}", *decibels)
        table.add_row(f"{point.strength:g}", _of(point.de00), *cells, f"{point.ssim.mean:.4f}")
    return table


def _at(place: "StrengthPoint | None") -> str:
    if place is None:
        return "not on this curve"
    return f"{_of(place.de00)} at strength {place.strength:.2f}, less grey {_of(place.less_grey)}"


def _of(one: "Interval") -> str:
    return f"{one.mean:.2f} ({one.low:.2f} to {one.high:.2f})"
