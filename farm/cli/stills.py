"""The command `farm stills`: exports the frames of each shot that are worth painting, as PNG files for any painting program."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from farm.cli.contact_sheets import spec_beside, spec_of_film
from farm.cli.options import (
    AsJson,
    Film,
    JobOptions,
    LookName,
    OfShots,
    Setting,
    SourceOptions,
    Workers,
    fields_of,
    with_groups,
)
from farm.film.shot_selection import ALL, shots_chosen
from farm.progress.plain_output import answer
from jobs.errors import BadSpec, FilmFailed, number_of

if TYPE_CHECKING:
    from jobs.spec.job import JobSpec


@with_groups
def stills(
    film: Film,
    out: Annotated[str | None, typer.Option(help="Folder or s3://bucket/prefix for the stills.")] = None,
    look: LookName = None,
    grey: Annotated[
        bool, typer.Option("--grey", help="Export them without colour, instead of in the film's look.")
    ] = False,
    hints: Annotated[
        bool,
        typer.Option("--hints", help="Export a transparent layer for a few strokes of colour, beside the grey frame."),
    ] = False,
    setting: Setting = None,
    shots: OfShots = None,
    frames: Annotated[
        str | None,
        typer.Option("--frames", metavar="LIST", help="Only these frames, as in '123,200-204,00:00:05:03'."),
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, max=3, help="Most stills of a shot.")] = 3,
    workers: Workers = None,
    as_json: AsJson = False,
    *,
    source: SourceOptions,
    job: JobOptions,
) -> None:
    """Export the frames of each shot that are worth painting.

    They are PNG files for any painting program. What was painted on since stays as it is.
    """
    chosen = ALL if shots is None else shots_chosen(shots)
    settings = fields_of(setting=setting).get("settings", {})
    if (grey or hints) and (look or setting or (grey and hints)):
        raise BadSpec(f"{'--hints' if hints else '--grey'} goes without --look{', --grey' if hints else ''} and --set.")
    grey = grey or hints
    options = fields_of(workers=workers) | source.fields() | job.fields()
    looks = [look] if look else []
    spec = _spec(film, ["none"] if grey else looks, settings, (out, job.store), options)

    # Takes seconds: what is wrong with the options is said before.
    from farm.cli.sessions import stills_of_film
    from farm.contact_sheets.export_run import ExportRequest
    from farm.contact_sheets.still_run import looks_beside

    beside = (None,) if grey else looks_beside(looks, settings) if looks else ()
    found = stills_of_film(spec, ExportRequest(beside, chosen, frames or "", most, hints), address=job.address)
    if as_json:
        answer(found)
    if found.lacking:
        raise FilmFailed(
            f"{found.output} lacks {number_of(len(found.lacking), 'still')}, the first: {found.lacking[0]}"
        )


def _spec(
    film: str,
    looks: list[str],
    settings: dict[str, Any],
    places: tuple[str | None, str | None],
    options: dict[str, Any],
) -> "JobSpec":
    """A spec as it is but for its output, or what a film and options mean."""
    from farm.specs.spec_files import is_spec

    out, store = places
    if out is None:
        raise BadSpec("--out is missing: name a folder or s3://bucket/prefix for the stills.")
    if is_spec(film):
        return spec_beside(film, looks, settings, out, store, options)
    return spec_of_film(film, looks, out, store, options | {"settings": settings})
