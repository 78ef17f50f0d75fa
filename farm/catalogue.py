"""The catalogue of looks, for `farm looks`: what is installed and what each can be told. Promises to load no weights, and that a broken look hides no other."""

from typing import Any

from rich.console import Console
from rich.table import Table

from actors.looks import find, fit, names
from jobs.errors import BadLook
from jobs.spec import LookChoice


def catalogue() -> list[dict[str, Any]]:
    """Each look's name, line, version, temporal needs, and the JSON Schema of its settings; or the `problem` with it."""
    return [_entry(name) for name in names()]


def _entry(name: str) -> dict[str, Any]:
    try:
        made, fitted = find(name), fit(LookChoice(name=name))
    except BadLook as error:
        return {"name": name, "problem": str(error)}
    return {
        "name": name,
        "problem": "",
        "about": made.about,
        "version": made.version,
        "weights": fitted.weights,
        "support": fitted.support.model_dump(),
        "defaults": fitted.choice.settings,
        "settings": made.settings.model_json_schema().get("properties", {}),
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
        settings = ", ".join(f"{name}={value}" for name, value in entry["defaults"].items()) or "none"
        table.add_row(entry["name"], entry["about"], settings, f"{entry['support']['context']} frames")
    Console(stderr=True).print(table)
