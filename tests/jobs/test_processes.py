"""Processes of this machine: what came of one is ended with it, whichever of its parents has ended before."""

from __future__ import annotations

import subprocess
import sys

from jobs.processes import identity
from tests.waiting import poll_until

PARENT_ENDS_FIRST = """
import os, subprocess, sys
from jobs.processes import descendants, kill_descendants, remember_descendants
begin = "import subprocess; print(subprocess.Popen(['sleep', '600'], start_new_session=True, stdout=-3, stderr=-3).pid, flush=True); input()"
parent = subprocess.Popen([sys.executable, "-c", begin], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
orphan = int(parent.stdout.readline())
remember_descendants()
parent.communicate(b"\\n")
assert orphan not in descendants(os.getpid())
kill_descendants()
print(orphan)
"""
BEGINS_ANOTHER_WHEN_ITS_CHILD_IS_KILLED = """
import os, subprocess, sys
from jobs.processes import descendants, identity, kill_descendants
again = "import subprocess; print('up', flush=True); [print(subprocess.Popen(['sleep', '600'], stderr=-3).wait()) for _ in range(99)]"
child = subprocess.Popen([sys.executable, "-c", again], stdout=subprocess.PIPE)
child.stdout.readline()
while len(descendants(os.getpid())) < 2:
    pass
begun = descendants(os.getpid())
kill_descendants()
child.wait()
print(*begun)
"""


def begun_by(program: str) -> list[int]:
    """The processes that a program says it has begun and killed."""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=120)
    return list(map(int, done.stdout.split()))


def test_what_lost_its_parent_is_remembered_and_killed() -> None:
    (orphan,) = begun_by(PARENT_ENDS_FIRST)
    poll_until(lambda: not identity(orphan), 60)


def test_what_begins_others_is_stopped_before_any_is_killed() -> None:
    begun = begun_by(BEGINS_ANOTHER_WHEN_ITS_CHILD_IS_KILLED)
    assert len(begun) == 2
    poll_until(lambda: not any(map(identity, begun)), 60)
