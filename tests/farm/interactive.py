"""An interactive shell on a pseudo-terminal of its own, with job control, as a person has it in a window. Promises that what is typed there ends, or is ended; reads no code of the farm."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.farm.shell import DEADLINE, living
from tests.waiting import poll_until

BIN = Path(sys.executable).parent
BASH = (shutil.which("bash") or "bash", "--norc", "--noprofile", "-i")


def _takes_the_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """A context manager; `env` beside this process's own environment, but for where Ray is."""

    def __init__(self, folder: Path, env: Mapping[str, str], command: Sequence[str] = BASH) -> None:
        """`folder`: where it may write. `command`: a shell; `run` wants bash."""
        self._folder, self._command = folder, command
        self._env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **env, "PS1": "$ "}
        self._env.pop("RAY_ADDRESS", None)
        self._shown = bytearray()
        self._typed = 0

    def __enter__(self) -> Self:
        self._screen, shells = pty.openpty()
        self.shell = subprocess.Popen(
            self._command,
            stdin=shells,
            stdout=shells,
            stderr=shells,
            env=self._env,
            start_new_session=True,
            preexec_fn=_takes_the_terminal,
        )
        os.close(shells)
        threading.Thread(target=self._show, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        while left := living(self.shell.pid):
            for pid, _ in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.shell.poll()
        self.shell.wait(DEADLINE)
        os.close(self._screen)

    @property
    def shown(self) -> str:
        """All that was shown so far."""
        return self._shown.decode(errors="replace")

    def run(self, line: str, seconds: float = DEADLINE) -> int:
        """Type a command, and give its exit code. Fails, with what was shown, where it has not ended after so many seconds."""
        self._typed += 1
        ended = self._folder / f"ended-{self._typed}"
        os.write(self._screen, f"{line}; echo $? > {ended}.new; mv {ended}.new {ended}\n".encode())
        poll_until(ended.exists, seconds, lambda: f"{self.shown}\n{self.stopped()}")
        return int(ended.read_text())

    def type(self, keys: str, until: str) -> None:
        """Type these keys, and wait until this is shown after them, wherever colours and the cursor go."""
        before = len(self._shown)
        os.write(self._screen, keys.encode())
        poll_until(lambda: until in _words(bytes(self._shown[before:])), DEADLINE, lambda: self.shown)

    def stopped(self) -> list[str]:
        """The command lines of processes of this terminal that the kernel has stopped."""
        return [name for pid, name in living(self.shell.pid) if _state(pid) == "T"]

    def _show(self) -> None:
        with suppress(OSError):  # nobody is left on the other side
            while more := os.read(self._screen, 1 << 16):
                self._shown += more


def _words(shown: bytes) -> str:
    return re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|\(B)|\x07", "", shown.decode(errors="replace"))


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[0]
    except OSError:
        return ""
