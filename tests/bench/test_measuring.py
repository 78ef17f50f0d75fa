"""Tests of the meter on real processes."""

import os
import subprocess
import sys
import time

import pytest

from tests.bench.apart import Clock, Found, measured
from tests.bench.measuring import Meter, anonymous_bytes, name_of, parse_stat, pool_of

PARENT = """
import subprocess, sys
input()
subprocess.run([sys.executable, "-c", "import time\\nwhile time.process_time() < 0.6: pass"])
print("done", flush=True)
input()
"""
"""Starts a child that takes six tenths of a second of processor time, and waits for it."""


def begun(program: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )


def told(process: "subprocess.Popen[str]") -> str:
    assert process.stdin
    assert process.stdout
    print(file=process.stdin, flush=True)
    return process.stdout.readline()


@pytest.mark.parametrize("ignores", ["", "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)"])
def test_a_child_that_has_ended_is_counted_once(ignores: str) -> None:
    # With SIGCHLD ignored, as Ray's raylet does, nobody collects what the child took.
    with begun(f"{ignores}\n{PARENT}") as process:
        with Meter(process.pid) as meter:
            assert told(process) == "done\n"
        told(process)
    assert 0.35 < meter.reading.cpu < 1.1
    assert meter.reading.wall > 0.5


def test_memory_is_that_of_the_whole_tree() -> None:
    child = "import sys; held = b'x' * (64 << 20); print('done', flush=True); sys.stdin.read()"
    parent = f"import subprocess, sys; input(); subprocess.run([sys.executable, '-c', {child!r}])"
    with begun(parent) as process:
        with Meter(process.pid) as meter:
            assert told(process) == "done\n"
        process.communicate()
    assert 64 << 20 < meter.reading.peak < 256 << 20


def test_a_stat_line_is_read_past_any_name() -> None:
    fields = "S 7 7 7 0 -1 4194304 1 0 0 0 100 50 20 10 20 0 1 0 987 1 1"
    found = parse_stat(f"42 (a) name (b) {fields}")
    tick = 1 / os.sysconf("SC_CLK_TCK")
    assert (found.parent, found.born) == (7, 987)
    assert found.own == pytest.approx(150 * tick)
    assert found.collected == pytest.approx(30 * tick)


def test_processes_have_names_and_pools() -> None:
    assert name_of(os.getpid())
    assert anonymous_bytes(os.getpid()) > 1 << 20
    assert anonymous_bytes(2**22 + 1) == 0
    assert name_of(2**22 + 1) == "ended"
    assert pool_of("Renderer.boot") == pool_of("renderer.render") == "renderer"


def burn(seconds: float) -> None:
    stop = time.process_time() + seconds
    while time.process_time() < stop:
        pass


def work(clock: Clock, size: int) -> Found:
    """Takes half a second before the clock starts, and two tenths under it."""
    burn(0.5)
    with clock():
        burn(0.2)
    return {"size": size, "where": __name__}


def failing(clock: Clock) -> Found:
    """Fails under the clock."""
    with clock():
        raise ValueError("the last words")


def test_work_is_done_in_another_process_under_the_clock() -> None:
    reading, found = measured(work, size=3)
    assert found == {"size": 3, "where": "tests.bench.test_measuring"}
    assert 0.15 < reading.cpu < 0.45
    assert reading.wall > 0.15


def test_work_that_fails_is_heard() -> None:
    with pytest.raises(RuntimeError, match=r"failing failed:\n(.|\n)*the last words"):
        measured(failing)
