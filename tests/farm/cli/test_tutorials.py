"""The tutorials, done as they are read: each command is run in order, on a small film, and answers in kind as the page shows.

All work is done in this process (tests/farm/inline.py); what needs a cluster is run by the tests that `ELSEWHERE` names.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from farm.cli import sessions
from farm.cli.app import app
from jobs.store import open_store
from tests.farm.inline import InlineFleet
from tests.films import Recipe
from tests.s3 import MotoServer

DOCS = Path(__file__).parents[3] / "docs"
ELSEWHERE = {
    "submit": "tests/farm/ops/test_submit.py",
    "doctor s3://farm/work --address head:6379": "tests/farm/cli/test_app.py",
}
"""What is not run here, and by which tests it is."""
NUMBER = r"\d[\d,.]*"


class Shown:
    """A page's commands, each with what it is said to answer."""

    def __init__(self, name: str) -> None:
        self.page = (DOCS / name).read_text(encoding="utf-8")
        self.steps: list[tuple[list[str], list[str]]] = []
        for block in re.findall(r"(?ms)^```console\n(.*?)^```$", self.page):
            for line in block.splitlines():
                if line.startswith("$ "):
                    self.steps.append((shlex.split(line[2:], comments=True), []))
                elif line.strip():
                    self.steps[-1][1].append(line)

    def answers(self, lines: list[str], said: str) -> None:
        """Each line is answered, in this order, with other numbers and spaces perhaps; "…" stands for anything."""
        left = said
        for line in lines:
            pattern = "".join(map(_kind, re.split(rf"(…|\s+|{NUMBER})", line)))
            found = re.search(pattern, left)
            assert found, f"{line!r} is not answered, but:\n{left}"
            left = left[found.end() :]


def _kind(part: str) -> str:
    if part == "…":
        return ".*"
    return NUMBER if re.fullmatch(NUMBER, part) else r"\s+" if part.isspace() else re.escape(part)


@pytest.fixture(autouse=True)
def _inline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    @contextmanager
    def fleet(spec: object, address: str | None, watcher: object, *_: object) -> Iterator[InlineFleet]:
        made: Any = InlineFleet()
        made.watcher = watcher
        yield made

    monkeypatch.setattr(sessions, "_fleet", fleet)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shots."""
    recipe = Recipe(frames=16, cuts=(8,), size=(192, 112), sound="aac")
    return recipe.make(tmp_path_factory.mktemp("film") / "film.mp4")


def follow(page: str, before: Callable[[list[str]], None]) -> int:
    """Do what a page says; gives the number of commands that were run. `before` each, somebody does what the text around it says."""
    shown, count = Shown(page), 0
    for words, lines in shown.steps:
        said = " ".join(words[1:])
        if said in ELSEWHERE or words[1] in ELSEWHERE:
            continue
        before(words)
        done = CliRunner().invoke(app, words[1:])
        told = done.stdout + done.stderr
        assert done.exit_code == (2 if any(line.startswith("farm: ") for line in lines) else 0), f"{said}: {told}"
        shown.answers(lines, told)
        count += 1
    return count


@pytest.mark.minutes
def test_a_colourist_paints_a_still_renders_changes_it_and_renders_again(film: Path, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(film.read_bytes())
    colours = iter(((1.0, 0.7, 0.5), (0.6, 0.8, 1.0)))

    def paint(words: list[str]) -> None:
        if "--stills" in words and words[1] == ("plan" if (tmp_path / "delivered").exists() else "render"):
            for still in sorted((tmp_path / "to-paint").glob("shot0001*.png")):
                red, green, blue = next(colours)
                Image.open(still).convert("RGB").convert("RGB", (red, 0, 0, 0, 0, green, 0, 0, 0, 0, blue, 0)).save(
                    still
                )

    def work(words: list[str]) -> None:
        paint(words)
        if words[1:] == ["plan", "job.yaml"]:
            spec = tmp_path / "job.yaml"
            text = spec.read_text(encoding="utf-8").replace("name: my-film ", "name: film ")
            text = text.replace("source: film.mov", "source: film.mp4").replace("#-stills: painted", "stills: to-paint")
            spec.write_text(text, encoding="utf-8")

    assert follow("tutorial-colourist.md", work) >= 9
    assert (tmp_path / "delivered/film.review/index.html").is_file()


@pytest.mark.minutes
def test_an_engineer_and_an_operator(
    film: Path, tmp_path: Path, s3_server: MotoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3_server.env.items():
        monkeypatch.setenv(name, value)
    for bucket in ("films", "farm"):
        s3_server.ask("PUT", bucket)
    open_store("s3://films").write("film.mp4", film.read_bytes())
    (spec,) = re.findall(r"(?ms)^```yaml\n(.*?)^```$", Shown("tutorial-engineer.md").page)

    def write(words: list[str]) -> None:
        if words[1] == "plan":
            (tmp_path / "job.yaml").write_text(spec, encoding="utf-8")

    assert follow("tutorial-engineer.md", write) >= 7
    assert follow("tutorial-operator.md", write) >= 5
