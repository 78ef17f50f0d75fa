"""Work done in a process of its own, under the meter. Promises that nothing before the clock's start and nothing after its end is counted; knows no film.

The near end calls `measured`; the far end is this file, run as a program. They speak in lines: "ready" and "go", when the
clock starts; "done" and "thanks", when it stops; at last what the work found.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from tests.bench.measuring import Meter, Reading

ROOT = Path(__file__).parents[2]
MARK = "@bench "
"""Begins every line of ours: libraries print on standard output too."""


Clock = Callable[[], AbstractContextManager[None]]
"""What work does in this context is measured."""
Found = dict[str, Any]
Work = Callable[..., Found]
"""Called with a clock and its options; gives plain figures."""


def measured(work: Work, **options: Any) -> tuple[Reading, Found]:
    """Do `work` in a fresh process. `options` travel as JSON. Raises RuntimeError with the process's last words where it fails."""
    command = [sys.executable, "-m", "tests.bench.apart", f"{work.__module__}:{work.__qualname__}", json.dumps(options)]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
        ) as process,
    ):
        try:
            return _followed(process)
        except EOFError:
            process.wait()
            said.seek(0)
            raise RuntimeError(f"{work.__qualname__} failed:\n{said.read()[-4000:]}") from None
        finally:
            process.terminate()


def _followed(process: "subprocess.Popen[str]") -> tuple[Reading, Found]:
    assert process.stdin
    _expect(process, "ready")
    meter = Meter(process.pid)
    meter.wait_until_quiet()
    with meter:
        print("go", file=process.stdin, flush=True)
        _expect(process, "done")
    print("thanks", file=process.stdin, flush=True)
    found: Found = json.loads(_heard(process))
    process.wait()
    return meter.reading, found


def _expect(process: "subprocess.Popen[str]", word: str) -> None:
    heard = _heard(process)
    assert heard == word, heard


def _heard(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    for line in process.stdout:
        if line.startswith(MARK):
            return line.removeprefix(MARK).strip()
    raise EOFError


@contextmanager
def clock() -> Iterator[None]:
    """The far end's clock: waits until the meter watches, and holds still when the work is done until it has looked."""
    _tell("ready")
    yield
    _tell("done")


def _tell(word: str) -> None:
    print(MARK + word, flush=True)
    sys.stdin.readline()


def main(name: str, options: str) -> None:
    """The far end."""
    module, _, function = name.partition(":")
    found = getattr(importlib.import_module(module), function)(clock, **json.loads(options))
    print(MARK + json.dumps(found), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
