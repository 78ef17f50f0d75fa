"""The commands `farm inspect`, which describes a film or compares two frame for frame, `farm qc`, which measures one, and `farm notes`, which makes a spec or markers of a review, and `farm share`, which makes a link to one; without Ray."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from farm.cli.options import AsJson, Head, trims
from farm.progress.plain_output import answer, answer_line, tell
from jobs.errors import BadSpec, number_of

if TYPE_CHECKING:
    from actors.shot_lists.markers import MarkerForm
    from jobs.records.quality import QualityReport
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
    from farm.progress.frames_console import FramesProgress

    with FramesProgress("compare") as progress:
        from actors.verify.compare import compare  # takes a second

        return compare(_place(film), _place(other), trim=trim, each_frame=progress.done)


def _place(place: str) -> str:
    from jobs.store.sequence import rated

    # Where nobody said a sequence's rate, any will do to look at it.
    return rated(place if "://" in place else str(Path(place).absolute()))


def qc(
    film: Annotated[str, typer.Argument(help="A film: path, file://, s3:// or an image sequence.")],
    against: Annotated[
        str | None, typer.Option("--against", metavar="SOURCE", help="Its source: what that does itself is no fault.")
    ] = None,
    shots: Annotated[
        str | None,
        typer.Option("--shots", metavar="LIST", help="Its shots as .csv, .edl or .otio. Default: they are detected."),
    ] = None,
    bounds: Annotated[
        str | None,
        typer.Option(
            "--bounds", metavar="SPEC", help="A job spec whose qc says what warns and fails. Default: none fails."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure any film shot by shot, as a render does.

    Flicker, wavering, drift, flashes, gamut, levels, set-ups, black and repeated frames, sound. Exits with 1 where a figure fails.
    """
    from farm.specs.spec_files import read_spec
    from jobs.spec.quality import QualityBounds

    limits = read_spec(bounds).qc if bounds else QualityBounds()
    from actors.verify.film_quality import film_quality, listed_cuts  # takes a second
    from farm.progress.frames_console import FramesProgress

    place, source = _place(film), _place(against) if against else None
    cuts = listed_cuts(_place(shots), source or place) if shots else None
    with FramesProgress("measure") as progress:
        found = film_quality(place, source, limits, cuts, each_frame=progress.done)
    if as_json:
        answer(found)
    else:
        _show_quality(found)
    if found.failures:
        raise typer.Exit(1)


def _show_quality(found: "QualityReport") -> None:
    from farm.progress.plain_console import Column, PlainConsole

    checks = list(found.quality.summary())
    rows = [
        [str(one.shot), f"{one.frames.start}-{one.frames.stop - 1}"]
        + [f"{one.figures[check].value:.2f}" if check in one.figures else "" for check in checks]
        for one in found.quality.shots
    ]
    console = PlainConsole()
    console.table(found.film, rows, [Column(head, right=True) for head in ("shot", "frames", *checks)])
    for one in found.sound:
        loudness = "silent" if one.loudness is None else f"{one.loudness:.1f} LUFS"
        console.note(f"sound {one.stream}: {one.seconds:.2f} s, {loudness}")
    for sentence in found.warnings:
        console.note(f"warning: {sentence}")
    for sentence in found.failures:
        console.note(f"fails: {sentence}")
    against = f"against {found.source}" if found.source else "without a source: what it does itself is no fault"
    console.note(
        f"{number_of(found.frames, 'frame')} {against}; warnings: {len(found.warnings)}, failures: {len(found.failures)}"
    )


def notes(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="The job's spec, a .yaml, .yml or .json.")],
    file: Annotated[str, typer.Argument(metavar="NOTES", help="The notes that the review page saved, a .json.")],
    apply: Annotated[
        str | None,
        typer.Option(
            "--apply",
            metavar="NEW_SPEC",
            help="Write a new spec: approved shots are locked, rejected ones get the settings asked for.",
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="FILE", help="Write markers: .otio, .edl (DaVinci Resolve) or .csv."),
    ] = None,
) -> None:
    """Make a new spec, or markers for an editor, of a review's notes."""
    if apply is None and to is None:
        raise BadSpec("--apply or --to is missing: name the new spec to be written, or a file for the markers.")
    form = _form_of(to) if to else None
    # Takes seconds: what is wrong with the options is said before.
    from farm.film.review.notes_files import apply_notes, write_markers

    if apply:
        for sentence in apply_notes(spec, file, apply):
            tell(sentence)
        tell(f"written: {apply}")
    if to and form:
        tell(f"written: {to}, {number_of(write_markers(spec, file, to, form), 'marker')}")


def share(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="The job's spec, a .yaml, .yml or .json.")],
    hours: Annotated[
        int, typer.Option("--hours", min=1, max=168, help="How long the link holds; at most a week.")
    ] = 24,
) -> None:
    """Print a signed link to a job's review page in S3.

    Whoever has it sees the page as it is now, without credentials. One that is signed with temporary credentials ends with them.
    """
    from farm.film.review.shared_page import share_page

    answer_line(share_page(spec, hours))


def _form_of(to: str) -> "MarkerForm":
    from actors.shot_lists.markers import MARKER_FORMS

    ending = to.rpartition(".")[2].lower()
    found = next((one for one in MARKER_FORMS if one == ending), None)
    if found is None:
        raise BadSpec(f"--to {to}: markers are written as .otio, .edl or .csv; give the file one of these endings.")
    return found
