"""The commands `farm looks`, `farm looks show` and `farm looks add`. A look is imported whole or not at all."""

from typing import Annotated, Any

import typer

from farm.cli.options import AsJson
from farm.progress.plain_output import answer_json, tell

looks = typer.Typer(
    rich_markup_mode=None, invoke_without_command=True, help="List looks, show one, or add one to the library."
)
"""The commands `farm looks ...`."""


@looks.callback()
def listing(context: typer.Context, as_json: AsJson = False) -> None:
    """List looks, show one, or add one to the library.

    Without a command: those that are installed and in the library, with their settings.
    """
    if context.invoked_subcommand:
        return
    from farm.cli.look_listing import catalogue, show

    found = catalogue()
    answer_json(found) if as_json else show(found)


@looks.command("show")
def one(
    name: Annotated[
        str, typer.Argument(metavar="NAME_OR_PLACE", help="A look, by name or by place (folder or s3://).")
    ],
    as_json: AsJson = False,
) -> None:
    """Show a look: licence, training, figures and settings."""
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
            help="A look's folder (a path or s3://), a .safetensors file of a fast style network, or an .onnx file."
        ),
    ],
    name: Annotated[str, typer.Option("--name", help="Its name in the library; default: its own.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="Installed look that runs it, of a bare file.")] = "",
    licence: Annotated[str, typer.Option("--licence", help="Licence of the weights, of a bare file.")] = "",
    about: Annotated[str, typer.Option("--about", help="One line for `farm looks`, of a bare file.")] = "",
    manifest: Annotated[
        str,
        typer.Option("--manifest", help="The rest of its look.json in YAML or JSON, of a bare file (docs/looks.md)."),
    ] = "",
) -> None:
    """Add a look to the library, from where films can name it.

    The library is the folder or s3:// in FILM_FARM_LOOKS; default: ~/.film-farm/looks.
    """
    from farm.specs.spec_files import read_manifest

    fields: dict[str, Any] = read_manifest(manifest) if manifest else {}
    fields |= {word: said for word, said in (("kind", kind), ("licence", licence), ("about", about)) if said}

    from actors.looks.importing import add as added  # takes seconds

    tell(f"Added {added(place, name or fields.pop('name', ''), fields).place}")
