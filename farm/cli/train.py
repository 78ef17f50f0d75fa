"""The command `farm train`: trains a look by a recipe, from its last checkpoint if there is one."""

from typing import Annotated

import typer

from farm.cli.options import Address, MetricsPort, TakeOver


def train(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="A recipe in YAML or JSON: a path, file:// or s3://.")
    ],
    address: Address = None,
    metrics_port: MetricsPort = 0,
    take_over: TakeOver = False,
) -> None:
    """Train a look by a recipe; run again, it resumes.

    It resumes at its last checkpoint. docs/training/ has recipes to begin with.
    """
    from farm.specs.spec_files import read_recipe

    read = read_recipe(recipe)

    from farm.learn.train import train_look  # takes seconds: what is wrong with the recipe is said before

    train_look(read, address=address, metrics_port=metrics_port, take_over=take_over)
