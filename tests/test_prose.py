"""README and tutorials as a reader meets them: no sentence is too long to be read at once, and every command in them is one that the farm has."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from farm.cli.app import app

HOUSE = Path(__file__).parents[1]
PAGES = (HOUSE / "README.md", *sorted((HOUSE / "docs").glob("tutorial-*.md")))
MOST_WORDS = 35
PROGRAMS = {"farm", "make", "cp", "docker", "deploy/secrets.sh"}


def sentences(page: str) -> list[str]:
    """Of the text, each table's cell and each line of a list by itself, without blocks of code."""
    prose = re.sub(r"(?ms)^```.*?^```$", "\n\n", page)
    prose = re.sub(r"(?m)^(#+ .*|[-*] |\d+\. |\|)", r"\n\n\1", prose)
    parts = [part for block in re.split(r"\n\s*\n", prose) for part in re.split(r"(?<=[.!?:])\s+|\s\|\s", block)]
    return [" ".join(part.split()) for part in parts if part.strip()]


def commands(page: str) -> list[str]:
    """Of all blocks that show a terminal."""
    blocks = re.findall(r"(?ms)^```console\n(.*?)^```$", page)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_sentence_is_too_long(page: Path) -> None:
    long = [each for each in sentences(page.read_text(encoding="utf-8")) if len(each.split()) > MOST_WORDS]
    assert long == []


def test_a_sentence_that_is_too_long_would_be_seen() -> None:
    page = "Short.\n\n" + "word " * 36 + "end. Then short.\n\n```console\n" + "word " * 50 + "\n```\n"
    assert [len(each.split()) for each in sentences(page)] == [1, 37, 2]


@pytest.mark.parametrize(
    "page", [*PAGES, HOUSE / "docs/commands.md", HOUSE / "docs/stills.md"], ids=lambda page: page.name
)
def test_every_command_is_one_that_the_farm_understands(page: Path) -> None:
    group: Any = typer.main.get_command(app)
    found = commands(page.read_text(encoding="utf-8"))
    assert found
    for line in found:
        program, *words = shlex.split(line, comments=True)
        assert program in PROGRAMS, line
        if program == "farm" and words[0] != "looks":
            group.commands[words[0]].make_context(words[0], words[1:])
