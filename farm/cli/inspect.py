"""The command `farm inspect`: describes a film, or compares two frame for frame, on this machine and without Ray."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from farm.cli.options import Head, trims
from farm.progress.plain_output import answer

if TYPE_CHECKING:
    from jobs.records.report import Comparison, Inspection


def inspect(
    film: Annotated[str, typer.Argument(help="A film: path, file://, s3:// or an image sequence.")],
    against: Annotated[str | None, typer.Argument(help="Another film, to compare with the first.")] = None,
    head: Head = None,
) -> None:
    """Describe a film, or compare two frame for frame.

    Prints JSON: what a survey finds, or how picture, times and sound differ. Exits with 1 where they differ.
    """
    trim = trims(head)
    if against is None:
        answer(describe_film(film, trim=trim))
        return
    comparison = compare_films(film, against, trim=trim)
    answer(comparison)
    if not comparison.same:
        raise typer.Exit(1)


def describe_film(place: str, *, trim: bool = False) -> "Inspection":
    """What a film says of itself, and the farm's survey of it, or why it would refuse it. Raises BadMedia where it cannot be opened.

    `trim`: as a spec's `head: trim`; so in `compare_films`.
    """
    from actors.survey.describe import inspection  # takes a second, as `compare` does

    return inspection(_place(place), trim=trim)


def compare_films(film: str, other: str, *, trim: bool = False) -> "Comparison":
    """Two films frame for frame. Raises BadMedia."""
    from actors.verify.compare import compare

    return compare(_place(film), _place(other), trim=trim)


def _place(place: str) -> str:
    from jobs.store.sequence import rated

    # Where nobody said a sequence's rate, any will do to look at it.
    return rated(place if "://" in place else str(Path(place).absolute()))
