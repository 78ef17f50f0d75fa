"""The command `farm proof`: contact sheets with a still of every shot in each look, before the film is rendered."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from farm.cli.options import (
    AsJson,
    ColourOptions,
    Film,
    JobOptions,
    OfShots,
    SourceOptions,
    Workers,
    fields_of,
    with_groups,
)
from farm.film.shot_selection import ALL, shots_chosen
from farm.progress.plain_output import answer
from jobs.errors import BadSpec, FilmFailed

if TYPE_CHECKING:
    from jobs.records.stills import Proof
    from jobs.spec.job import JobSpec


@with_groups
def proof(
    film: Film,
    look: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LOOK",
            help="A column of the sheet; repeatable. Default: the spec's own look of each shot.",
        ),
    ] = None,
    shots: OfShots = None,
    out: Annotated[
        str | None,
        typer.Option(help="Folder or s3://bucket/prefix for the sheets; default: the spec's output."),
    ] = None,
    workers: Workers = None,
    as_json: AsJson = False,
    *,
    colour: ColourOptions,
    source: SourceOptions,
    job: JobOptions,
) -> None:
    """Show a frame of every shot in each look, on contact sheets.

    The sheets are pictures and a page in the output. Run it again to make what lacks.
    """
    chosen = ALL if shots is None else shots_chosen(shots)
    options = fields_of(workers=workers) | colour.fields() | source.fields() | job.fields()
    looks, settings = look or [], options.pop("settings", {})
    spec, looks = _asked(film, looks, settings, (out, job.store), options)

    from farm.cli.sessions import prove_film
    from farm.contact_sheets.still_run import (  # takes seconds: what is wrong with the options is said before
        StillRequest,
        looks_beside,
    )

    found = prove_film(spec, StillRequest(looks_beside(looks, settings) if looks else (), chosen), address=job.address)
    if as_json:
        answer(found)
    _refuse_lacking(found)


def _asked(
    film: str,
    looks: list[str],
    settings: dict[str, Any],
    places: tuple[str | None, str | None],
    options: dict[str, Any],
) -> "tuple[JobSpec, list[str]]":
    """The spec, and the looks beside it. A film's one look is its own; where there are several, each is a column."""
    from farm.specs.spec_files import is_spec

    out, store = places
    if looks and (len(looks) > 1 or is_spec(film)) and options.keys() & {"stills", "propagate"}:
        raise BadSpec(
            "--stills and --propagate show the film's own look; leave out --look, or propose one look for a film."
        )
    if is_spec(film):
        return spec_beside(film, looks, settings, out, store, options), looks
    several = len(looks) > 1
    spec = spec_of_film(film, looks, out, store, options | {"settings": {} if several else settings})
    return spec, looks if several else []


def _refuse_lacking(found: "Proof") -> None:
    if found.lacking:
        many = f"{len(found.lacking):,} of {len(found.shots) * len(found.columns):,} stills"
        raise FilmFailed(f"The proof {found.output}/{found.page} lacks {many}, the first: {found.lacking[0]}")


def spec_of_film(film: str, looks: list[str], out: str | None, store: str | None, options: dict[str, Any]) -> "JobSpec":
    """The spec that a film and options mean, in the first of the looks."""
    from farm.specs.spec_files import spec_for_film

    if out is None:
        raise BadSpec("--out is missing: name a folder or s3://bucket/prefix for it.")
    return spec_for_film(film, look=looks[0] if looks else "colorize", out=out, store=store, options=options)


def spec_beside(
    film: str, looks: list[str], settings: dict[str, Any], out: str | None, store: str | None, options: dict[str, Any]
) -> "JobSpec":
    """A spec as it is, but for where stills go, and for those that are painted."""
    from farm.specs.spec_files import read_spec, whole

    beside = {"stills": options["stills"]} if "stills" in options else {}
    if store or options.keys() - beside:
        raise BadSpec(
            f"{film} is a job spec: write its places and options into it; only --look, --set, --shots, --stills, --out and "
            "--address go beside it."
        )
    if settings and not looks:
        raise BadSpec(f"--set goes with --look; the settings of the spec's own looks are written into {film}.")
    spec = read_spec(film, beside)
    return spec.model_copy(update={"output": whole(out)}) if out else spec
