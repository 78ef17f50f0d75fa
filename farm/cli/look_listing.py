"""Lists looks for `farm looks`: those installed, those in the library, and the settings of each.

No weights are loaded, and a broken look is listed with its problem, so that it hides no other.
"""

from typing import Any

from actors.looks import find, fit, names, placed
from actors.looks.package import Package, library, open_package, shelved
from farm.progress.plain_console import Column, PlainConsole
from jobs.errors import BadInput, BadLook
from jobs.spec.job import LookChoice

FIGURES = 3
"""Of a look that the list of all shows; `farm looks show` has them all."""


def catalogue() -> list[dict[str, Any]]:
    """Installed looks by name, then the library's: `described`, or the name, place and `problem` of one that cannot be had."""
    return [described(name) for name in names()] + _library()


def described(name: str) -> dict[str, Any]:
    """A look by name or place: its line, version, needs and settings (JSON Schema); of a package what its look.json says.

    `place` is empty for an installed look. One that cannot run without a package or a setting has `alone` false, and no
    weights and support. Where it cannot be had there is a `problem`, and nothing else.
    """
    place = ""
    try:
        place = "" if (called := placed(name)) in names() else called
        return _package(open_package(place)) if place else _kind(called)
    except BadLook as error:
        return {"name": name, "place": place, "problem": str(error)}


def _library() -> list[dict[str, Any]]:
    try:
        return [described(f"{library().rstrip('/')}/{name}") for name in shelved()]
    except BadInput as error:
        return [{"name": "", "place": library(), "problem": str(error)}]


def _kind(name: str) -> dict[str, Any]:
    made = find(name)
    schema = made.settings.model_json_schema()
    settings = schema.get("properties", {})
    shipped = open_package(str(made.shipped)) if made.shipped else None
    try:
        fitted = fit(LookChoice(name=name))
    except BadLook:
        # It wants a package, or a setting that only a film's spec can give.
        fitted = None
    return {
        "name": name,
        "place": "",
        "problem": "",
        "about": made.about,
        "version": made.version,
        "alone": fitted is not None,
        "weights": fitted.weights if fitted else (),
        "support": fitted.support.model_dump() if fitted else {},
        "required": schema.get("required", []),
        "defaults": {one: facts["default"] for one, facts in settings.items() if "default" in facts}
        | (shipped.paper.settings if shipped else {}),
        "settings": settings,
        "paper": shipped.paper.model_dump(mode="json") if shipped else None,
    }


def _package(package: Package) -> dict[str, Any]:
    # What it needs around a frame hangs on its settings, as a film would have them.
    fitted = fit(LookChoice(name=package.place))
    return {
        "name": fitted.title,
        "place": package.place,
        "problem": "",
        "about": package.paper.about,
        "version": fitted.version,
        "kind": package.paper.kind,
        "licence": package.paper.licence,
        "figures": package.paper.figures,
        "digest": package.digest,
        "support": fitted.support.model_dump(),
        "defaults": fitted.choice.settings,
        "settings": find(package.paper.kind).settings.model_json_schema().get("properties", {}),
        "paper": package.paper.model_dump(mode="json"),
    }


def show(entries: list[dict[str, Any]]) -> None:
    """The catalogue for people, on stderr."""
    console = PlainConsole()
    installed = [_row(one) for one in entries if not one["place"]]
    console.table("looks", installed, [*map(Column, ("name", "what it does", "settings", "context"))])
    if shelf := [_row(one) for one in entries if one["place"]]:
        columns = [*map(Column, ("name", "kind", "what it does", "licence", "figures", "digest"))]
        console.table(f"in the library, {library()}", shelf, columns)


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    if entry["problem"]:
        name = entry["name"].rpartition("/")[2]
        return (name, "", entry["problem"]) if entry["place"] else (name, entry["problem"])
    if entry["place"]:
        told = [f"{name} {value:.4g}" for name, value in entry["figures"].items()]
        figures = ", ".join(told[:FIGURES] + ([f"{len(told) - FIGURES} more"] if len(told) > FIGURES else []))
        return entry["name"], entry["kind"], entry["about"], entry["licence"], figures, entry["digest"][:12]
    settings = [f"{name}=... (required)" for name in entry["required"]]
    settings += [f"{name}={value}" for name, value in entry["defaults"].items()]
    context = f"{entry['support']['context']} frames" if entry["alone"] else "by its package or settings"
    return entry["name"], entry["about"], ", ".join(settings) or "none", context


def show_one(entry: dict[str, Any]) -> None:
    """One look for people, on stderr: everything its paper says, and its settings. Raises BadLook for one with a problem."""
    if entry["problem"]:
        raise BadLook(entry["problem"])
    paper = entry["paper"] or {}
    facts: dict[str, Any] = {"what it does": entry["about"], "place": entry["place"] or "installed"}
    facts |= {name: paper[name] for name in ("kind", "domain", "licence") if name in paper}
    facts |= {"size": _size(paper["size"]), "digest": entry.get("digest", "")} if paper else {}
    facts |= {name: f"{value} frames" for name, value in entry["support"].items() if value}
    facts |= {f"figure: {name}": f"{value:.4g}" for name, value in paper.get("figures", {}).items()}
    training = paper.get("training") or {}
    facts |= {f"training: {name}": "; ".join(value) if name == "data" else value for name, value in training.items()}
    for name, rule in entry["settings"].items():
        value = entry["defaults"].get(name, "(required)" if name in entry.get("required", ()) else None)
        facts[f"setting: {name}"] = f"{value}{'   ' + _bounds(rule) if _bounds(rule) else ''}"
    rows = ((name, str(fact)) for name, fact in facts.items() if fact not in ("", None))
    PlainConsole().table(entry["name"], rows)


def _size(size: dict[str, Any]) -> str:
    side = f" {size['side']}" if size["side"] else ""
    return f"{size['rule']}{side}, multiples of {size['multiple']}"


def _bounds(rule: dict[str, Any]) -> str:
    least, most = rule.get("minimum"), rule.get("maximum")
    return f"{least} to {most}" if least is not None and most is not None else ""
