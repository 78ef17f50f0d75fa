"""The lease: one holds it, the second is told who; taken over, asked to stop, left by the dead. Over a folder and over S3 (moto)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import pytest

from jobs.errors import BadStore, FilmFailed, JobHeld, Stopped
from jobs.ledger.lease import RENEW_SECONDS, VOID_SECONDS, Lease, LeaseDocument, ask_to_stop, read_lease
from jobs.store import FolderStore, Store, open_store
from jobs.store.age import answer_age
from jobs.store.s3.store import S3Store
from tests.jobs.clock import FakeClock
from tests.s3 import FaultyServer, Step, fail, last_writer, reset

KEY = "film/lease.json"


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return open_store(str(tmp_path / "store"))
    return open_store(f"s3://{request.getfixturevalue('s3_bucket')}/some/prefix")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def lease(store: Store, clock: FakeClock, *, take_over: bool = False, said: list[str] | None = None) -> Lease:
    say = (said if said is not None else []).append
    return Lease(store, KEY, "The job 'film'", take_over=take_over, say=say, clock=clock)


def elsewhere(held: Lease) -> None:
    """Have a lease be that of a machine of which nothing is known here."""
    held.paper = held.paper.model_copy(update={"process": "another boot 1 2", "pid": 2**22 + 1})
    held.renew()


def paper(store: Store) -> LeaseDocument:
    found = read_lease(store, KEY)
    assert found
    assert found.paper
    return found.paper


# compare and set


def test_a_replacement_is_for_one_version_alone(store: Store) -> None:
    assert store.replace("a", b"none", "1") is None
    store.write("a", b"one")
    first = store.stat("a")
    assert first
    second = store.replace("a", b"two", first.version)
    assert (store.read("a"), store.stat("a")) == (b"two", (3, second))
    assert store.replace("a", b"late", first.version) is None
    assert store.read("a") == b"two"
    store.delete("a")
    assert second
    assert store.replace("a", b"late", second) is None
    assert list(store.list("")) == []


def test_one_of_eight_who_replace_succeeds(store: Store) -> None:
    barrier = Barrier(8)
    store.write("a", b"first")
    versions = [there.version] if (there := store.stat("a")) else []

    def replace(number: int) -> str | None:
        barrier.wait()
        return store.replace("a", b"%d-%d" % (len(versions), number), versions[-1])

    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            made = list(pool.map(replace, range(8)))
            (winner,) = [number for number in range(8) if made[number]]
            assert store.read("a") == b"%d-%d" % (len(versions), winner)
            versions.append(made[winner] or "")
            assert store.stat("a") == (3, versions[-1])


@pytest.mark.parametrize(
    ("script", "made"),
    [([reset, fail(412, "PreconditionFailed"), last_writer], "1"), ([fail(412, "PreconditionFailed")], None)],
)
def test_a_replacement_whose_reply_was_lost_is_known_again(
    script: list[Step], made: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An object of another writer stands where the script has no other answer left.
    with FaultyServer(*script, *([] if made else [lambda request: request.reply(200, ETag='"1"')])) as server:
        for name, value in server.env.items():
            monkeypatch.setenv(name, value)
        assert S3Store("bucket", "").replace("a", b"one", "0") == made


# the lease


def test_a_second_driver_is_told_who_works_on_the_job(store: Store, clock: FakeClock) -> None:
    with lease(store, clock) as first:
        clock.awake = first.tick
        said: list[str] = []
        with pytest.raises(JobHeld) as refused, lease(store, clock, said=said):
            pass
        who = f"process {first.paper.pid} on {first.paper.host}, begun 1970-01-12 13:46:40 UTC"
        assert said == [f"The job 'film' has a lease of {who}: waiting up to 30 s to see whether that one is alive."], (
            "it is said once, before anybody waits"
        )
        assert str(refused.value) == (
            f"The job 'film' is held by {who}, which is at work on it: wait for it, stop it with `farm cancel "
            f"'{store.url}/film'`, or go on in its place with --take-over."
        )
        assert refused.value.exit_code == 2
        assert clock.seconds <= RENEW_SECONDS + 1, "it is told at the holder's next renewal"
    assert paper(store).released
    began = clock.seconds
    with lease(store, clock):
        assert clock.seconds == began, "what was let go is taken at once"


@pytest.mark.parametrize("ahead", [0.0, 31.0, 3600.0, 1e9, -31.0, -3600.0, -1e6])
def test_a_wrong_clock_takes_no_live_job(store: Store, ahead: float) -> None:
    """Whatever the clock of the second machine says, one that renews keeps its job, and one that does not loses it."""
    holder, other = FakeClock(), FakeClock(1_000_000.0 + ahead)
    with lease(store, holder) as held:
        elsewhere(held)

        def renews() -> None:
            holder.go(0.5)
            held.tick()

        other.awake = renews
        for _ in range(3):
            with pytest.raises(JobHeld), lease(store, other):
                pass
        assert paper(store).token == held.paper.token
        other.awake, other.seconds = lambda: None, 0.0  # its machine is gone
        with lease(store, other) as taken:
            assert VOID_SECONDS <= other.seconds <= VOID_SECONDS + 1
            assert paper(store).token == taken.paper.token


def test_a_clock_that_is_set_while_somebody_works_changes_nothing(store: Store) -> None:
    holder, other = FakeClock(), FakeClock()
    with lease(store, holder) as held:
        elsewhere(held)

        def renews() -> None:
            holder.go(0.5)
            holder.unix -= 3600  # set back at each turn
            other.unix += 3600
            held.tick()

        other.awake = renews
        with pytest.raises(JobHeld), lease(store, other):
            pass


def test_what_another_changes_is_no_sign_of_life(store: Store, clock: FakeClock) -> None:
    other = FakeClock()
    with lease(store, clock) as held:
        elsewhere(held)
        other.awake = lambda: ask_to_stop(store, KEY)
        with lease(store, other):
            assert other.seconds >= VOID_SECONDS


def test_it_is_renewed_while_it_is_ticked(store: Store, clock: FakeClock) -> None:
    with lease(store, clock) as first:
        for _ in range(10):
            clock.go(RENEW_SECONDS)
            first.tick()
            assert paper(store).until == clock.unix + VOID_SECONDS
        clock.go(RENEW_SECONDS - 1)
        first.tick()
        assert paper(store).until == clock.unix + VOID_SECONDS - RENEW_SECONDS + 1
        clock.unix -= 3600  # set back
        clock.go(1)
        first.tick()
        assert paper(store).until == clock.unix + VOID_SECONDS


def test_without_renewal_it_is_void_and_its_holder_finds_another(store: Store, clock: FakeClock) -> None:
    with lease(store, clock) as first, lease(store, clock) as second:
        assert clock.seconds >= VOID_SECONDS
        with pytest.raises(
            Stopped, match=r"^The job 'film' was taken over by process \d+ on .*\. Finished work is kept\.$"
        ):
            first.tick()
        assert paper(store).token == second.paper.token


def test_one_that_was_void_goes_on_where_nobody_took_it(store: Store, clock: FakeClock) -> None:
    with lease(store, clock) as first:
        clock.go(10 * VOID_SECONDS)
        first.tick()
        assert paper(store).until == clock.unix + VOID_SECONDS


def test_it_is_taken_over_on_request(store: Store, clock: FakeClock) -> None:
    with lease(store, clock, take_over=True) as first, lease(store, clock, take_over=True) as second:
        with pytest.raises(Stopped, match="taken over"):
            first.renew()
        second.renew()
        assert paper(store).token == second.paper.token
    assert paper(store) == second.paper


def test_of_eight_who_begin_at_once_one_holds_it(store: Store) -> None:
    barrier = Barrier(8)

    def wait() -> None:
        raise JobHeld("it would wait and see")

    def begin(_: int) -> Lease | None:
        own = FakeClock()
        own.awake = wait
        barrier.wait()
        try:
            return lease(store, own).__enter__()
        except JobHeld:
            return None

    with ThreadPoolExecutor(8) as pool:
        (holder,) = [one for one in pool.map(begin, range(8)) if one]
    assert paper(store).token == holder.paper.token


def test_its_holder_stops_when_asked(store: Store, clock: FakeClock) -> None:
    with lease(store, clock) as held:
        assert ask_to_stop(store, KEY)
        held.tick()  # not due yet
        clock.go(RENEW_SECONDS)
        with pytest.raises(
            Stopped, match=r"was stopped by `farm cancel` \(process \d+ on .*\)\. .* from here\.$"
        ) as stopped:
            held.tick()
        assert stopped.value.exit_code == 130
        assert paper(store).until == clock.unix + VOID_SECONDS  # who waits for its end sees that it has heard
    assert paper(store).released
    assert ask_to_stop(store, KEY) is None
    with lease(store, clock) as again:
        again.renew()
    assert ask_to_stop(store, "other/lease.json") is None


def test_asked_to_stop_in_the_last_moment_it_is_released(store: Store, clock: FakeClock) -> None:
    with lease(store, clock):
        assert ask_to_stop(store, KEY)
    assert paper(store).released


def test_what_failed_because_the_lease_was_lost_says_so(store: Store, clock: FakeClock) -> None:
    with pytest.raises(Stopped, match="taken over"), lease(store, clock), lease(store, clock, take_over=True):
        raise FilmFailed("Another run has begun.")
    with pytest.raises(FilmFailed, match="of its own"), lease(store, clock):
        raise FilmFailed("A reason of its own.")


def test_one_that_was_deleted_or_cannot_be_read_is_written_anew(store: Store, clock: FakeClock) -> None:
    with lease(store, clock) as held:
        store.delete(KEY)
        held.renew()
        assert paper(store).token == held.paper.token
        held.renew()
        store.write(KEY, b'{"kind": "le')
        held.renew()
        assert paper(store).token == held.paper.token
    store.write(KEY, b"\xff")
    with lease(store, clock):
        assert clock.seconds == 0.0
        assert not paper(store).ended


HOLD = """
import sys
from jobs.ledger.lease import Lease
from jobs.store import open_store
with Lease(open_store(sys.argv[1]), sys.argv[2], "x"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_dead_process_of_this_machine_holds_nothing(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, store.url, KEY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        assert not paper(store).ended
        holder.kill()
        holder.wait()
        assert not paper(store).released
        clock = FakeClock()
        with Lease(store, KEY, "x", clock=clock):
            assert clock.seconds == 0.0, "nobody waits for a process that is known to be gone"


def test_of_other_machines_nothing_is_known(store: Store, clock: FakeClock) -> None:
    with lease(store, clock) as held:
        other = held.paper.model_copy(update={"process": "another boot 1 2", "pid": 2**22 + 1})
        assert not other.ended
        assert not other.model_copy(update={"process": ""}).ended
        assert other.model_copy(update={"released": True}).ended


def test_an_objects_age_is_by_the_stores_own_clock(store: Store) -> None:
    assert store.age("a") is None
    store.write("a", b"one")
    age = store.age("a")
    assert age is not None
    assert -2 < age < 60, "S3 tells whole seconds"
    if isinstance(store, FolderStore):
        long_ago = time.time() - 3600
        os.utime(store.root / "a", (long_ago, long_ago))
        assert 3590 < (store.age("a") or 0) < 3700
    assert list(store.list("")) == ["a"]
    assert list(store.unfinished("")) == []


def test_an_answers_own_date_tells_an_age_whatever_this_machine_thinks() -> None:
    written = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert answer_age("Sat, 03 Feb 2001 04:05:46 GMT", written) == 40
    assert answer_age(None, written) is None


def test_a_store_that_fails_in_passing_stops_nobody(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    put: Step = lambda request: request.reply(200, ETag='"1"')  # noqa: E731
    gone = fail(404, "NoSuchKey")
    with FaultyServer(gone, put, put, fail(503), fail(503), fail(503), fail(503), put) as server:
        for name, value in server.env.items():
            monkeypatch.setenv(name, value)
        with lease(S3Store("bucket", ""), clock) as held:
            held.renew()
            held.renew()
    with FaultyServer(gone, put, put, fail(403, "ExpiredToken")) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.env["AWS_ENDPOINT_URL"])
        with pytest.raises(BadStore, match="have expired"), lease(S3Store("bucket", ""), clock) as held:
            held.renew()
