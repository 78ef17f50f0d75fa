"""What the command line reads before a film begins: a spec from a file, or from a film and options. Promises one sentence for what is wrong; starts nothing."""

import json
from pathlib import Path
from typing import Any

import yaml

from jobs.errors import BadSpec
from jobs.spec import JobSpec, parse_spec, stem
from jobs.store import read_small

SPEC_ENDINGS = (".yaml", ".yml", ".json")


def is_spec(place: str) -> bool:
    """A job spec, by its ending; anything else is a film."""
    return place.lower().endswith(SPEC_ENDINGS)


def read_spec(place: str) -> JobSpec:
    """The job spec in a YAML or JSON file, at a path, file:// or s3://. Relative paths in it are the caller's own.

    Raises BadSpec where it cannot be read or parsed, or a field is wrong.
    """
    try:
        text = read_small(place).decode()
        fields = json.loads(text) if place.lower().endswith(".json") else yaml.safe_load(text)
    except UnicodeDecodeError:
        raise BadSpec(f"{place} is not text; a job spec is YAML or JSON in UTF-8.") from None
    except json.JSONDecodeError as error:
        raise BadSpec(f"{place}, line {error.lineno}: {error.msg}; a job spec ending in .json is JSON.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise BadSpec(f"{place}{where}: {getattr(error, 'problem', None) or 'not YAML'}; see `farm schema`.") from None
    return _absolute(parse_spec(fields, place))


def spec_for_film(
    film: str,
    *,
    look: str,
    out: str,
    store: str | None,
    options: dict[str, Any],
) -> JobSpec:
    """The spec that `farm render FILM --look NAME --out DIR` means. `options` are fields of the spec that were given."""
    name = stem(film)
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
    places = {name: getattr(spec, name) for name in ("source", "store", "output")}
    return spec.model_copy(update={name: _whole(place) for name, place in places.items()})


def _whole(place: str) -> str:
    if place.startswith("s3://"):
        return place.rstrip("/")
    return str(Path(place.removeprefix("file://")).expanduser().absolute())
