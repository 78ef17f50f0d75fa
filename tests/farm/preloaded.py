"""Runs the command `farm` in processes forked from one that has loaded its modules already: Python's start and its imports, seconds each time, are paid once.

What is run is a process of its own all the same, with its own environment, folder, output and exit code.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import closing, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

_REQUEST_BYTES = 1 << 20


def run(command: list[str], env: dict[str, str], cwd: Path | None, seconds: float) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command line that begins with `farm`. Raises TimeoutExpired as `subprocess` does."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, closing(_connected()) as line:
        request = {"argv": command, "env": env, "cwd": str(cwd or Path.cwd())}
        socket.send_fds(line, [json.dumps(request).encode()], [out.fileno(), err.fileno()])
        with line.makefile() as replies:
            pid = int(replies.readline())
            line.settimeout(seconds)
            try:
                code = int(replies.readline())
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(command, seconds) from None
        out.seek(0)
        err.seek(0)
        return code, out.read().decode(), err.read().decode()


def _connected() -> socket.socket:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.connect(_server())
    return line


@cache
def _server() -> str:
    """The address of this process's server, which ends with it."""
    ours, its = socket.socketpair()
    with its:
        start = [sys.executable, "-c", f"import {__name__} as server; server.main()", str(its.fileno())]
        process = subprocess.Popen(start, pass_fds=[its.fileno()], stdin=subprocess.DEVNULL)

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours.recv(100).decode()


def _load() -> None:
    """Whatever a command may load, but the pixel libraries, which no driver has."""
    import farm

    for module in pkgutil.walk_packages(farm.__path__, "farm."):
        import_module(module.name)


class _Server:
    """Forks a process for each connection, and says its number and then its exit code there."""

    def __init__(self, owner: socket.socket) -> None:
        self._owner = owner
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind("")  # Linux chooses an abstract address
        self._listener.listen()
        self._running: dict[int, socket.socket] = {}
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)

    def serve(self) -> dict[str, Any] | None:
        """Until the owner has gone: None. In a forked process: the request that it is to carry out."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake)
        self._owner.send(self._listener.getsockname())
        with selectors.DefaultSelector() as events:
            for each in (self._owner, self._listener, self._woken):
                events.register(each, selectors.EVENT_READ)
            while True:
                for key, _ in events.select():
                    if key.fileobj is self._owner:
                        return None
                    if key.fileobj is self._listener and (request := self._forked()):
                        return request
                    if key.fileobj == self._woken:
                        os.read(self._woken, 100)
                        self._reap()

    def _forked(self) -> dict[str, Any] | None:
        line, _ = self._listener.accept()
        request, fds, _, _ = socket.recv_fds(line, _REQUEST_BYTES, 2)
        if pid := os.fork():
            self._running[pid] = line
            line.send(b"%d\n" % pid)
            for fd in fds:
                os.close(fd)
            return None
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for fd, standard in zip(fds, (1, 2), strict=True):
            os.dup2(fd, standard)
            os.close(fd)
        for own in (line, self._listener, self._owner, *self._running.values()):
            own.close()
        os.close(self._woken)
        os.close(self._wake)
        found: dict[str, Any] = json.loads(request)
        return found

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                with closing(self._running.pop(ended[0])) as line, suppress(BrokenPipeError):
                    line.send(b"%d\n" % os.waitstatus_to_exitcode(ended[1]))


def main() -> None:
    _load()
    gc.freeze()  # else a forked process copies every page at its end, to find that nothing of this is garbage
    if request := _Server(socket.socket(fileno=int(sys.argv[1]))).serve():
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["env"])
        sys.argv = request["argv"]
        from farm.cli.app import app

        sys.exit(app())
