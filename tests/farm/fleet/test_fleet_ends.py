"""How a fleet begins and ends: refused where there is no cluster, with nothing left of its own Ray, in one sentence where its raylet is killed. No other Ray runs beside it here."""

import os
import signal
from pathlib import Path

import pytest

from farm.fleet.fleet import Fleet
from jobs.errors import BadSpec, FilmFailed
from tests.farm.fleet.fleets import Diary, alive, below_this, call, findings, pool
from tests.farm.fleet_workers import Clerk


def test_nothing_is_left_running_and_the_fleet_can_be_entered_again(capfd: pytest.CaptureFixture[str]) -> None:
    others, fleet = below_this(), Fleet("local", workers=2)
    fleet.watcher = Diary()
    for _ in range(2):
        with fleet:
            assert fleet.cluster.local
            assert fleet.cluster.cpus >= 2 + 4
            fleet.hire([pool(Clerk)])
            (pid,) = findings(fleet, call("who"))
            begun = below_this() - others
            assert pid in begun
        assert not [pid for pid in begun if alive(pid)]
    assert capfd.readouterr() == ("", "")


@pytest.mark.minutes
def test_a_raylet_that_is_killed_ends_the_film_where_a_worker_is_wanted() -> None:
    with Fleet("local", workers=2) as fleet:
        fleet.hire([pool(Clerk)])
        assert findings(fleet, call("greet", "Ada")) == ["hello Ada"]
        for pid in below_this():
            if b"raylet/raylet" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]:
                os.kill(pid, signal.SIGKILL)
        fleet.release("clerk")
        with pytest.raises(FilmFailed, match="the same command resumes"):
            findings(fleet, call("greet", "Bob"))


@pytest.mark.parametrize(
    ("address", "says"),
    [("127.0.0.1:1", "refused"), ("nonsense", "no Ray cluster could be joined"), ("ray://head:10001", "not supported")],
)
def test_an_address_without_a_cluster_is_refused(address: str, says: str) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(BadSpec, match=says), Fleet(address):
        pass
    assert signal.getsignal(signal.SIGTERM) == before
