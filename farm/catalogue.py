"""The catalogue of looks, for `farm looks`: what is installed and what each can be told. Promises to load no weights, and that a broken look hides no other."""

from typing import Any

from rich.console import Console
from rich.table import Table

from actors.looks import find, fit, names
from jobs.errors import BadLook
from jobs.spec import LookChoice


def catalogue() -> list[dict[str, Any]]:
    """Each look's name, line, version, temporal needs where no setting is required, and the JSON Schema of its settings; or the `problem` with it."""
    return [_entry(name) for name in names()]


def _entry(name: str) -> dict[str, Any]:
    try:
        made = find(name)
        schema = made.settings.model_json_schema()
        required = schema.get("required", [])
        # What a look needs around a frame, and its weights, may hang on a setting that only a film's spec can give.
        fitted = None if required else fit(LookChoice(name=name))
    except BadLook as error:
        return {"name": name, "problem": str(error)}
    settings = schema.get("properties", {})
    return {
        "name": name,
        "problem": "",
        "about": made.about,
        "version": made.version,
        "weights": fitted.weights if fitted else (),
        "support": fitted.support.model_dump() if fitted else {},
        "required": required,
        "defaults": {one: facts["default"] for one, facts in settings.items() if "default" in facts},
        "settings": settings,
    }


def show(entries: list[dict[str, Any]]) -> None:
    """The catalogue for people, on stderr."""
    table = Table(title="looks")
    for column in ("name", "what it does", "settings", "context"):
        table.add_column(column)
    for entry in entries:
        if entry["problem"]:
            table.add_row(entry["name"], entry["problem"])
            continue
        settings = [f"{name}=... (required)" for name in entry["required"]]
        settings += [f"{name}={value}" for name, value in entry["defaults"].items()]
        context = f"{entry['support']['context']} frames" if entry["support"] else "by its settings"
        table.add_row(entry["name"], entry["about"], ", ".join(settings) or "none", context)
    Console(stderr=True).print(table)
