"""The command `farm doctor`: exits 0 where films can be made here, 2 where something is in the way."""

from typing import Annotated

import typer

from farm.cli import stopping
from farm.cli.options import Address, AsJson
from farm.progress.plain_output import answer


def doctor(
    places: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[STORE]...",
            help="Stores and outputs to try: folders, s3://bucket/prefix, or a job spec for its own.",
        ),
    ] = None,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Check machine, Ray, codecs, GPU, terminal and stores.

    Says what to do about what is in the way. Stores are tried with small objects, which are deleted again.
    """
    from farm.ops.doctor import checkups, show
    from farm.specs.spec_files import is_spec, read_spec

    stopping.says("No longer looking: nothing was changed.")
    stores: list[str] = []
    for place in places or []:
        if is_spec(place):
            spec = read_spec(place)
            stores += [spec.store, spec.output]
        else:
            stores.append(place)
    found = checkups(dict.fromkeys(stores), address)
    if as_json:
        listed = list(found)
        answer(listed)
        well = all(one.verdict != "fail" for one in listed)
    else:
        well = show(found)
    if not well:
        raise typer.Exit(2)
