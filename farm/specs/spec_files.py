"""Reads job specs, training recipes and look manifests from files, and makes a spec from a film and command line options."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from farm.specs.yaml_json import read_fields
from jobs.errors import BadSpec
from jobs.spec.grade import Grade
from jobs.spec.job import JobSpec, LookChoice
from jobs.spec.names import stem
from jobs.spec.parser import parse_spec
from jobs.spec.shots import GivenShots
from jobs.spec.training_recipe import Recipe, parse_recipe
from jobs.store.protocol import locate
from jobs.store.sequence import is_sequence
from jobs.untrusted import check_plain

REVIEW_COPY: Mapping[str, Any] = {
    "codec": "h264",
    "container": "mp4",
    "crf": 28,
    "preset": "veryfast",
    "height": 540,
    "burn_in": {},
    "drop": "unsupported",
}
"""The deliverable that --review adds."""
SPEC_ENDINGS = (".yaml", ".yml", ".json")


def is_spec(place: str) -> bool:
    """A job spec, by its ending; anything else is a film."""
    return place.lower().endswith(SPEC_ENDINGS)


def read_spec(place: str, instead: Mapping[str, Any] | None = None) -> JobSpec:
    """The job spec in a YAML or JSON file, at a path, file:// or s3://. Relative paths in it are the caller's own.

    `instead`: fields that the command says otherwise than the file. Raises BadSpec where it cannot be read or parsed, or a field is wrong.
    """
    fields = read_fields(place, "job spec")
    return _absolute(parse_spec({**fields, **(instead or {})} if isinstance(fields, dict) else fields, place))


def read_recipe(place: str) -> Recipe:
    """The recipe of a training in a YAML or JSON file, at a path, file:// or s3://. Relative paths in it are the caller's own.

    Raises BadSpec where it cannot be read or parsed, or a field is wrong.
    """
    recipe = parse_recipe(read_fields(place, "recipe"), place)
    # Workers have another working directory.
    data = tuple(source.model_copy(update={"pictures": whole(source.pictures)}) for source in recipe.data)
    return recipe.model_copy(update={"data": data, "out": whole(recipe.out)})


def read_manifest(place: str) -> dict[str, Any]:
    """Fields of a look.json for a bare file, in YAML or JSON, at a path, file:// or s3://. Raises BadSpec where it cannot be read."""
    fields = read_fields(place, "manifest")
    if not isinstance(fields, dict):
        raise BadSpec(
            f"{place}: a manifest is a mapping of fields such as domain, size and network; see docs/looks.md."
        )
    try:
        check_plain(fields)
    except ValueError as wrong:
        raise BadSpec(f"{place}: {wrong}.") from None
    return fields


def spec_named(film: str, look: str | None, out: str | None, store: str | None, options: dict[str, Any]) -> JobSpec:
    """The spec that a command names: its file, beside which `priority`, `stills` and `review` are the only options, or a film's with options. Raises BadSpec."""
    review = options.pop("review", False)
    if is_spec(film):
        beside: dict[str, Any] = {name: options.pop(name) for name in ("priority", "stills") if name in options}
        if look or store or options or out is not None:
            raise BadSpec(
                f"{film} is a job spec: write its look, places and options into it; only --address, --priority, --stills and --review go beside it."
            )
        return _reviewed(read_spec(film, beside), film) if review else read_spec(film, beside)
    if out is None:
        raise BadSpec("--out is missing: name a folder or s3://bucket/prefix for the deliverables.")
    spec = spec_for_film(film, look=look or "colorize", out=out, store=store, options=options)
    return _reviewed(spec, "The command line") if review else spec


def _reviewed(spec: JobSpec, place: str) -> JobSpec:
    """With a light copy beside its deliverables."""
    copy = {"name": f"{spec.title(spec.deliverables[0])}-review", **REVIEW_COPY}
    fields = spec.model_dump(mode="json", exclude_unset=True)
    return parse_spec({**fields, "deliverables": [*fields.get("deliverables", [{}]), copy]}, place)


def spec_for_film(
    film: str,
    *,
    look: str,
    out: str,
    store: str | None,
    options: dict[str, Any],
) -> JobSpec:
    """The spec that `farm render FILM --look NAME --out DIR` means. `options` are fields of the spec that were given."""
    name = stem(film, sequence="rate" in options)
    fields: dict[str, Any] = {
        "name": name,
        "source": film,
        "store": store or str(Path(out, "store") if "://" not in out else f"{out.rstrip('/')}/store"),
        "output": out,
        "look": {"name": look, "settings": options.pop("settings", {})},
        **options,
    }
    return _absolute(parse_spec(fields, "The command line"))


def _absolute(spec: JobSpec) -> JobSpec:
    # Workers have another working directory, and job.json must mean the same film tomorrow.
    places: dict[str, Any] = {name: whole(getattr(spec, name)) for name in ("source", "store", "output")}
    if isinstance(spec.shots, GivenShots):
        places["shots"] = GivenShots(file=whole(spec.shots.file))
    if spec.stills is not None:
        places["stills"] = whole(spec.stills)
    places["look"] = _whole_look(spec.look)
    places["grade"] = spec.grade and _whole_grade(spec.grade)
    looks = (
        {"look": one.look and _whole_look(one.look), "grade": one.grade and _whole_grade(one.grade)}
        for one in spec.overrides
    )
    places["overrides"] = tuple(one.model_copy(update=own) for one, own in zip(spec.overrides, looks, strict=True))
    return spec.model_copy(update=places)


def _whole_look(look: LookChoice) -> LookChoice:
    return look.model_copy(update={"name": whole(look.name)}) if "/" in look.name else look


def _whole_grade(grade: Grade) -> Grade:
    cdl = whole(grade.cdl) if isinstance(grade.cdl, str) else grade.cdl
    return grade.model_copy(update={"cdl": cdl, "lut": grade.lut and whole(grade.lut)})


def whole(place: str) -> str:
    """A place as any machine and any working directory would have it."""
    if place.startswith("s3://"):
        return place.rstrip("/")
    folder, _, name = place.rpartition("/")
    # In a file URL the number of an image sequence, %04d, would be taken for an escaped character.
    return f"{locate(folder)}/{name}" if folder.startswith("file://") and is_sequence(place) else str(locate(place))
