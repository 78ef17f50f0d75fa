"""Processes of this machine: what came of one is found and ended, whichever of its parents has ended before."""

from __future__ import annotations

import subprocess
import sys

from jobs.processes import identity
from tests.waiting import poll_until

LEAVES_AN_ORPHAN = """
import os, subprocess, sys
from jobs.processes import adopt_orphans, descendants, kill_descendants
adopt_orphans()
begin_and_end = "import subprocess; print(subprocess.Popen(['sleep', '600'], start_new_session=True, stdout=-3, stderr=-3).pid)"
orphan = int(subprocess.run([sys.executable, "-c", begin_and_end], check=True, capture_output=True).stdout)
assert orphan in descendants(os.getpid())
kill_descendants(60)
print(orphan, flush=True)
"""
BEGINS_ANOTHER_WHEN_ITS_CHILD_IS_KILLED = """
import os, subprocess, sys
from jobs.processes import adopt_orphans, descendants, identity, kill_descendants
adopt_orphans()
again = "import subprocess, sys; print('up', flush=True); [subprocess.run(['sleep', '600']) for _ in range(9)]"
child = subprocess.Popen([sys.executable, "-c", again], stdout=subprocess.PIPE)
child.stdout.readline()
kill_descendants(60)
print([pid for pid in descendants(os.getpid()) if identity(pid)])
"""


def said_by(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=120
    ).stdout


def test_an_orphan_is_still_a_descendant_and_is_killed() -> None:
    orphan = int(said_by(LEAVES_AN_ORPHAN))
    poll_until(lambda: identity(orphan) == "", 60)


def test_what_is_begun_while_others_are_killed_is_killed_too() -> None:
    assert said_by(BEGINS_ANOTHER_WHEN_ITS_CHILD_IS_KILLED) == "[]\n"
