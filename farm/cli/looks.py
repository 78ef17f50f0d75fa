"""The commands `farm looks`, `farm looks show` and `farm looks add`. A look is imported whole or not at all."""

from typing import Annotated, Any

import typer

from farm.cli.options import AsJson
from farm.progress.plain_output import answer_json, tell

looks = typer.Typer(invoke_without_command=True, help="The looks that are installed and in the library; import others.")
"""The commands `farm looks ...`."""


@looks.callback()
def listing(context: typer.Context, as_json: AsJson = False) -> None:
    """The looks that are installed and those in the library, and their settings."""
    if context.invoked_subcommand:
        return
    from farm.cli.look_listing import catalogue, show

    found = catalogue()
    answer_json(found) if as_json else show(found)


@looks.command("show")
def one(
    name: Annotated[str, typer.Argument(metavar="NAME_OR_PLACE", help="By name, or where its folder lies.")],
    as_json: AsJson = False,
) -> None:
    """All that is known of a look: what it is, its licence, how it was trained, its figures and its settings."""
    from farm.cli.look_listing import described, show_one

    found = described(name)
    if as_json and not found["problem"]:
        answer_json(found)
    else:
        show_one(found)


@looks.command()
def add(
    place: Annotated[
        str,
        typer.Argument(
            help="A look's folder, s3:// of one, a .safetensors file of a fast style network, an .onnx file."
        ),
    ],
    name: Annotated[str, typer.Option("--name", help="Its name in the library; by default its own.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="Of a bare file: the installed look that runs it.")] = "",
    licence: Annotated[str, typer.Option("--licence", help="Of a bare file's weights.")] = "",
    about: Annotated[str, typer.Option("--about", help="Of a bare file: one line for `farm looks`.")] = "",
    manifest: Annotated[
        str,
        typer.Option("--manifest", help="Of a bare file: the rest of its look.json, as YAML or JSON (docs/looks.md)."),
    ] = "",
) -> None:
    """Bring a look into the library ($FILM_FARM_LOOKS: a folder or s3://), from where films can name it."""
    from farm.specs.spec_files import read_manifest

    fields: dict[str, Any] = read_manifest(manifest) if manifest else {}
    fields |= {word: said for word, said in (("kind", kind), ("licence", licence), ("about", about)) if said}

    from actors.looks.importing import add as added  # takes seconds

    tell(f"Added {added(place, name or fields.pop('name', ''), fields).place}")
