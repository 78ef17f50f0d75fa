"""A shell completes the farm's commands, options and values once `farm --install-completion` was typed into it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.farm.interactive import Terminal

READY = "echo rea''dy\r"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_once_it_is_asked_to(shell: str, tmp_path: Path) -> None:
    if not (program := shutil.which(shell)):
        pytest.skip(f"no {shell} here")
    # fish would read all manuals at its first start, and zsh ask whether it is new here.
    (tmp_path / ".local/share/fish/generated_completions").mkdir(parents=True)
    (tmp_path / ".zshrc").touch()
    places = {"HOME": tmp_path, "XDG_CONFIG_HOME": tmp_path / ".config", "XDG_DATA_HOME": tmp_path / ".local/share"}
    env = {name: str(place) for name, place in places.items()} | {"TERM": "xterm", "SHELL": program}
    with Terminal(tmp_path, env, (program, "-i")) as terminal:
        terminal.type(READY, "ready")
        terminal.type("farm --install-completion\r", f"{shell} completion installed")
    with Terminal(tmp_path, env, (program, "-i")) as terminal:
        terminal.type(READY, "ready")
        # zsh reads the completion at the first Tab, and uses it from the second on.
        terminal.type("farm stat\t" + "\t" * (shell == "zsh"), "status")
        terminal.type("delivered --js\t", "--json")
        terminal.type("\x15farm render --codec pror\t", "prores")
