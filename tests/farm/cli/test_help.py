"""Help, as a person meets it: headings, one line and an example for every command, options in groups, and a shell that completes."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from farm.cli.app import COMMANDS, app

GROUP: Any = typer.main.get_command(app)
LONGEST_LINE = 66
"""Characters, so that a command and what it does fit a line of 80."""


def test_every_command_is_listed_under_a_heading_in_one_line() -> None:
    shown = CliRunner().invoke(app, ["--help"]).stdout
    headings = ("Render", "Colour", "Review", "Cluster", "Looks and training", "Store")
    places = [shown.index(f"\n{heading}:\n") for heading in headings]
    assert places == sorted(places)
    assert "\nCommands:" not in shown
    assert "..." not in shown.partition("\nRender:")[2]
    firsts = {name: command.help.partition("\n")[0] for name, command in GROUP.commands.items()}
    assert {name: line for name, line in firsts.items() if len(line) > LONGEST_LINE or not line.endswith(".")} == {}


@pytest.mark.parametrize("example", [example for _, _, example in COMMANDS])
def test_every_example_is_a_command_that_is_understood(example: str) -> None:
    words = shlex.split(example.partition(" > ")[0])
    command = GROUP.commands[words[1]]
    command.make_context(words[1], words[2:])
    assert command.epilog == f"Example: {example}"


def test_options_of_a_group_stand_together_wherever_they_are() -> None:
    for command in ("render", "plan", "proof", "stills", "shots"):
        panels = {option.name: option.rich_help_panel for option in GROUP.commands[command].params}
        assert [panels[name] for name in ("rate", "drop", "store", "address")] == ["Source", "Source", "Job", "Job"]


def test_no_option_is_declared_anew_where_a_group_has_it() -> None:
    render, plan = (GROUP.commands[name].params for name in ("render", "plan"))
    grouped = {option.name: option.help for option in render if option.rich_help_panel}
    assert grouped
    assert {option.name: option.help for option in plan if option.rich_help_panel} == grouped


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("farm re", {"render", "retry"}),
        ("farm render f.mp4 --codec ff", {"ffv1"}),
        ("farm render f.mp4 --deint", {"--deinterlace"}),
    ],
)
def test_a_shell_completes(typed: str, offered: set[str]) -> None:
    env = {"_FARM_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    said = CliRunner().invoke(app, [], env=env, prog_name="farm")
    assert set(said.stdout.split()) == offered
