"""The fleet on a real, local Ray: everything a cluster does to a film, done to classes of one line each."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import torch

from actors.encode.nvenc_settings import encoders_wanted
from actors.render.renderer import Renderer
from farm.film.setup import ask
from farm.fleet.calls import Call, PoolSpec, RetryPolicy
from farm.fleet.fleet import Fleet
from farm.fleet.worker_pool import STOPPED, STOPPED_SECONDS
from jobs.errors import BadLook, BadMedia, BadSpec, FilmFailed
from jobs.spec.formats import Deliverable
from tests.farm.fleet.fleets import Diary, alive, call, diary, findings, nothing, pool
from tests.farm.fleet_workers import Clerk, Crammed, Doomed, LateRiser, Mortal, Pair, Standing, Unfit, Unlucky
from tests.farm.plain_call import PlainCall


@pytest.fixture(scope="module")
def ray_here() -> Iterator[Fleet]:
    with Fleet("local", workers=2) as fleet:
        yield fleet


@pytest.fixture
def fleet(ray_here: Fleet) -> Iterator[Fleet]:
    """The module's fleet, with nobody hired, a fresh diary and the ordinary budget."""
    ray_here.budget = RetryPolicy()
    ray_here.watcher = Diary()
    yield ray_here
    for name in ("clerk", "unlucky", "other"):
        ray_here.release(name)


# calls and findings


def test_a_generator_brings_many_findings_and_a_plain_method_one_or_none(fleet: Fleet) -> None:
    fleet.hire([pool(Clerk, "good day")])
    assert findings(fleet, call("count", 3), call("greet", "Ada"), call("say_nothing")) == [0, 1, 2, "good day Ada"]


def test_each_finding_says_what_can_be_done_next(fleet: Fleet) -> None:
    fleet.hire([pool(Clerk), pool(Clerk, name="other")])

    def then(done: Call, found: object) -> Iterable[Call]:
        if done.method == "count":
            yield call("greet", str(found), name="other")

    found = [found for _, found in fleet.run([call("count", 3)], then)]
    assert sorted(map(str, found)) == ["0", "1", "2", "hello 0", "hello 1", "hello 2"]


def test_findings_arrive_while_the_call_goes_on(fleet: Fleet, tmp_path: Path) -> None:
    fleet.hire([pool(Clerk, limit=2)])
    one, two = tmp_path / "one", tmp_path / "two"
    # Each waits for the other: they can only end if both are at work at one time.
    assert findings(fleet, call("meet", one, two), call("meet", two, one)) == [True, True]


def test_calls_are_made_by_rank(fleet: Fleet, tmp_path: Path) -> None:
    fleet.hire([pool(Clerk)])
    ranks = [4, 1, 3, 0, 2]
    findings(fleet, *[call("note", str(rank), tmp_path / "paper", rank=rank) for rank in ranks])
    assert (tmp_path / "paper").read_text().split() == ["0", "1", "2", "3", "4"]


def test_a_call_that_works_ahead_gives_way_to_others_on_its_machine(fleet: Fleet) -> None:
    fleet.hire([pool(Clerk), pool(Clerk, name="other")])
    here, later = call("niceness"), PlainCall("other", "niceness", ahead=True)
    found = dict(fleet.run([here, later], nothing))
    assert found[here] < found[later] == 19


def test_no_more_workers_than_calls_and_no_more_than_the_limit(fleet: Fleet) -> None:
    fleet.hire([pool(Clerk, limit=3)])
    assert len(set(findings(fleet, *[call("rest", 0.3) for _ in range(2)]))) <= 2
    assert max(sum(staff) for _, *staff in diary(fleet).sizes) == 2
    findings(fleet, *[call("rest", 0.1) for _ in range(9)])
    assert max(sum(staff) for _, *staff in diary(fleet).sizes) == 3


def test_who_is_expected_to_be_needed_starts_before_there_is_a_call(fleet: Fleet) -> None:
    fleet.hire([pool(Clerk), pool(Clerk, name="other", limit=2)])
    fleet.expect("other", 5)
    findings(fleet, call("who"))
    assert ("other", 0, 0, 2) in diary(fleet).sizes
    # They stay when fewer calls than workers have come, until it is known that no more will.
    findings(fleet, call("who", name="other"))
    assert fleet._pools["other"].demand == 2
    fleet.expect("other", 0)
    assert fleet._pools["other"].demand == 0


def test_workers_stay_for_the_next_run(fleet: Fleet) -> None:
    fleet.hire([pool(Clerk)])
    assert findings(fleet, call("who")) == findings(fleet, call("who"))


def test_an_idle_worker_goes_while_others_work(fleet: Fleet) -> None:
    fleet.hire([pool(Clerk, idle_seconds=0.0), pool(Clerk, name="other")])
    pids = findings(fleet, call("who"), call("rest", 2.5, name="other"))
    assert len(pids) == 2
    assert ("clerk", 0, 0, 0) in diary(fleet).sizes
    assert diary(fleet).ticks >= 2


def test_whoever_is_surely_not_needed_goes_at_once(fleet: Fleet) -> None:
    fleet.hire([pool(Clerk, limit=2), pool(Clerk, name="other")])
    fleet.expect("clerk", 1, sure=True)
    findings(fleet, call("rest", 0.1), call("rest", 3.0, name="other"))
    assert sum(diary(fleet).sizes[-1][1:]) == 1
    assert fleet._pools["clerk"].demand == 1
    fleet.expect("clerk", 0, sure=True)
    findings(fleet, call("rest", 1.5, name="other"))
    assert ("clerk", 0, 0, 0) in diary(fleet).sizes


# errors


def test_an_error_is_tried_again_and_findings_may_come_twice(fleet: Fleet, tmp_path: Path) -> None:
    fleet.hire([pool(Unlucky)])
    assert findings(fleet, call("raise_until", 3, tmp_path / "tries")) == [-1, -2, -3, 3]
    assert diary(fleet).retries == [("chunk 1", "ValueError", 1), ("chunk 1", "ValueError", 2)]


def test_too_many_errors_fail_the_film(fleet: Fleet, tmp_path: Path) -> None:
    fleet.hire([pool(Unlucky)])
    with pytest.raises(FilmFailed, match=r"^chunk 1 failed 3 times, at last with ValueError: no luck at try 3\."):
        findings(fleet, call("raise_until", 9, tmp_path / "tries"))


def test_a_worker_that_raised_something_unforeseen_is_replaced_a_store_fault_is_foreseen(
    fleet: Fleet, tmp_path: Path
) -> None:
    fleet.hire([pool(Unlucky)])
    findings(fleet, call("fault_until", 3, tmp_path / "faults"))
    assert [retry[1] for retry in diary(fleet).retries] == ["StoreFault", "StoreFault"]
    assert diary(fleet).sizes == [("clerk", 0, 0, 1), ("clerk", 0, 1, 0), ("clerk", 1, 0, 0)]
    findings(fleet, call("raise_until", 2, tmp_path / "errors"))
    assert diary(fleet).sizes[3:] == [("clerk", *staff) for staff in ((0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0))]


def test_what_the_user_can_mend_is_not_tried_again(fleet: Fleet, tmp_path: Path) -> None:
    fleet.hire([pool(Unlucky)])
    with pytest.raises(BadMedia) as caught:
        findings(fleet, call("refuse", tmp_path / "tries"))
    assert type(caught.value) is BadMedia
    assert str(caught.value) == "This is not a film: give another."
    assert (tmp_path / "tries").stat().st_size == 1


def test_an_error_that_cannot_travel_is_still_charged(fleet: Fleet) -> None:
    fleet.budget = RetryPolicy(attempts=1)
    fleet.hire([pool(Unlucky)])
    with pytest.raises(FilmFailed, match=r"chunk 1 failed once.*Strange.*1 and 2"):
        findings(fleet, call("raise_strangely"))


# machines at fault


def test_a_fault_of_the_machine_is_charged_to_no_call(ray_here: Fleet, tmp_path: Path) -> None:
    with Fleet("local", budget=RetryPolicy(attempts=1), watcher=(told := Diary())) as fleet:
        fleet.hire([pool(Crammed, 3, tmp_path / "tries")])
        assert findings(fleet, call("work")) == [3]
    assert told.retries == told.losses == []
    assert [(what, left) for what, _, left in told.faults] == [("chunk 1", False)] * 2
    assert all("/spool/a: No space left on device" in fault and "Ray node " in fault for _, fault, _ in told.faults)


def test_where_no_machine_is_left_one_sentence_names_them(ray_here: Fleet, tmp_path: Path) -> None:
    with Fleet("local", watcher=(told := Diary())) as fleet:
        fleet.hire([pool(Crammed, 99, tmp_path / "tries")])
        with pytest.raises(
            FilmFailed, match=r"^No node is left for a clerk: node .*Ray node .*/spool/a: No space left"
        ) as failed:
            findings(fleet, call("work"))
    assert failed.value.exit_code == 1
    assert [left for _, _, left in told.faults] == [False, False, True]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here, which may have NVENC")
def test_a_renderer_without_the_encoder_that_its_job_needs_is_told_at_its_start(
    ray_here: Fleet, tmp_path: Path
) -> None:
    wanted = encoders_wanted([Deliverable(encoder="nvenc")])
    with Fleet("local", watcher=(told := Diary())) as fleet:
        fleet.hire([pool(Renderer, str(tmp_path), "film", (), 1, False, wanted, name="renderer")])
        with pytest.raises(FilmFailed, match=r"^No node is left for a renderer: .*h264_nvenc cannot be opened"):
            findings(fleet, call("render", [], name="renderer"))
    assert [(what, left) for what, _, left in told.faults] == [("Starting a renderer", True)]


# lost workers


@pytest.mark.minutes
def test_a_lost_worker_is_replaced_and_what_it_held_is_done(fleet: Fleet, tmp_path: Path) -> None:
    fleet.hire([pool(Unlucky, limit=2)])
    calls = [call("die_until", 2, tmp_path / str(number), what=f"chunk {number}") for number in range(6)]
    # A worker may die so soon after a call's end that the end is not heard: that call is then made once more.
    assert {call.what for call, found in fleet.run(calls, nothing) if found > 1} == {call.what for call in calls}
    assert len(diary(fleet).losses) == 6
    assert not any(free for _, _, free in diary(fleet).losses)


def test_poison_fails_the_film_in_bounded_time(fleet: Fleet, tmp_path: Path) -> None:
    fleet.budget = RetryPolicy(losses=3)
    fleet.hire([pool(Unlucky)])
    with pytest.raises(FilmFailed, match=r"^chunk 1 lost its worker 3 times, at last so: ActorDiedError: "):
        findings(fleet, call("die_until", 99, tmp_path / "tries"), call("raise_until", 1, tmp_path / "good", rank=1))
    assert (tmp_path / "tries").stat().st_size == 3


def test_whoever_hangs_is_replaced_and_whoever_is_slow_is_not(fleet: Fleet, tmp_path: Path) -> None:
    fleet.hire([pool(Unlucky, hung_seconds=1.0, name="unlucky"), pool(Clerk, name="clerk")])
    hung = call("hang_until", 2, tmp_path / "tries", what="chunk 7", name="unlucky")
    found = findings(fleet, hung, call("rest", 2.0, name="clerk"))
    assert found.count(-1) == 1
    assert len(found) - found.index(-1) > 1
    for what, reason, free in diary(fleet).losses:
        assert (what, free) == ("chunk 7", False)
        assert reason.startswith("hung: not a word for ")


def test_whoever_is_stopped_is_told_from_the_busy_and_replaced(fleet: Fleet, tmp_path: Path) -> None:
    """Nobody may say anything here for as long as it likes: only that the process stands still ends the wait."""
    fleet.hire([pool(Standing, name="unlucky"), pool(Clerk, name="clerk")])
    stands = call("stand_until", 2, tmp_path / "tries", what="chunk 7", name="unlucky")
    assert 2 in findings(fleet, stands, call("rest", STOPPED_SECONDS + 2, name="clerk"))
    assert diary(fleet).losses == [("chunk 7", STOPPED, False)]
    assert "state T" in STOPPED


def test_a_source_that_kills_whoever_reads_it_is_said_so(fleet: Fleet, tmp_path: Path) -> None:
    """The film's first question, by the driver's own way of asking."""
    fleet.budget = RetryPolicy(losses=2)
    fleet.hire([pool(Unlucky, name="unlucky")])
    survey = call("die_until", 99, tmp_path / "tries", what="the survey of /a.mp4", name="unlucky")
    says = r"^the survey of /a\.mp4 lost its worker 2 times, at last so: ActorDiedError.* damaged so that it kills whoever reads it"
    with pytest.raises(FilmFailed, match=says):
        ask(fleet, int, survey)
    fleet.hire([pool(Unlucky, name="unlucky")])
    (tmp_path / "tries").write_bytes(b"." * 98)
    assert ask(fleet, int, survey) == 99, "once mended, the same call goes on"


def test_what_is_small_and_kills_three_workers_is_refused(fleet: Fleet, tmp_path: Path) -> None:
    """Ray's own words tell a process that died from a node that did."""
    fleet.hire([pool(Unlucky, name="unlucky")])
    cuts = PlainCall("unlucky", "die_until", (99, tmp_path / "tries"), what="The shot list", remedy="export it again")
    with pytest.raises(BadMedia, match=r"^The shot list killed 3 workers .*process has died.*: export it again\.$"):
        findings(fleet, cuts)
    assert (tmp_path / "tries").stat().st_size == 3


def test_a_worker_killed_from_outside_costs_one_loss(fleet: Fleet) -> None:
    fleet.hire([pool(Clerk)])
    (pid,) = findings(fleet, call("who"))

    def strike() -> None:
        if alive(pid):
            os.kill(pid, signal.SIGKILL)

    diary(fleet).at_tick = strike
    (other,) = findings(fleet, call("rest", 2.0))
    assert other != pid
    assert [what for what, _, _ in diary(fleet).losses] == ["chunk 1"]


# two calls at a time


def pair_of_calls(tmp_path: Path, how: str, good: int) -> list[Call]:
    wrong = call("go_wrong", how, good, tmp_path / "wrong", rank=1, what="chunk 2")
    return [call("sit", tmp_path / "sit", what="chunk 1"), wrong]


def test_a_worker_may_be_at_two_calls_at_a_time(fleet: Fleet) -> None:
    fleet.hire([pool(Pair, max_concurrency=2)])
    assert len(set(findings(fleet, *[call("meet") for _ in range(4)]))) == 1


def test_an_error_that_is_foreseen_leaves_the_call_beside_it_alone(fleet: Fleet, tmp_path: Path) -> None:
    fleet.hire([pool(Pair, max_concurrency=2)])
    found = {call.what: found for call, found in fleet.run(pair_of_calls(tmp_path, "fault", 2), nothing)}
    assert found == {"chunk 1": 1, "chunk 2": 2}
    assert diary(fleet).retries == [("chunk 2", "StoreFault", 1)]
    assert diary(fleet).sizes == [("clerk", 0, 0, 1), ("clerk", 0, 1, 0), ("clerk", 1, 0, 0)]


def test_an_error_nobody_foresaw_costs_the_call_beside_it_nothing(fleet: Fleet, tmp_path: Path) -> None:
    fleet.hire([pool(Pair, max_concurrency=2)])
    found = {call.what: found for call, found in fleet.run(pair_of_calls(tmp_path, "raise", 2), nothing)}
    assert found == {"chunk 1": 2, "chunk 2": 2}, "both are made again, in a new process"
    assert diary(fleet).retries == [("chunk 2", "ValueError", 1)]
    assert diary(fleet).losses == []


def test_poison_is_told_from_the_call_beside_it(fleet: Fleet, tmp_path: Path) -> None:
    fleet.budget = RetryPolicy(losses=3)
    fleet.hire([pool(Pair, max_concurrency=2)])
    with pytest.raises(FilmFailed, match=r"^chunk 2 lost its worker 3 times"):
        findings(fleet, *pair_of_calls(tmp_path, "die", 99))
    assert [what for what, _, _ in diary(fleet).losses] == ["chunk 1, chunk 2", "chunk 2"]
    assert (tmp_path / "sit").stat().st_size == 2, "made again once, and then done"


# starting


def test_a_constructors_own_sentence_comes_home_at_once(fleet: Fleet) -> None:
    fleet.hire([pool(Unfit)])
    with pytest.raises(BadLook, match=r"^The weights are broken: fetch them again\.$"):
        findings(fleet, call("who"))
    assert diary(fleet).retries == []


def test_a_constructor_that_fails_is_tried_to_the_cap(fleet: Fleet, tmp_path: Path) -> None:
    fleet.budget = RetryPolicy(attempts=2)
    fleet.hire([pool(Doomed, tmp_path / "tries")])
    with pytest.raises(FilmFailed, match="Starting a clerk failed 2 times, at last with RuntimeError: out of luck 2"):
        findings(fleet, call("who"))


def test_a_constructor_that_kills_is_tried_to_the_cap(fleet: Fleet, tmp_path: Path) -> None:
    fleet.budget = RetryPolicy(losses=2)
    fleet.hire([pool(Mortal, tmp_path / "tries")])
    with pytest.raises(FilmFailed, match="Starting a clerk lost its worker 2 times"):
        findings(fleet, call("who"))
    assert (tmp_path / "tries").stat().st_size == 2


def test_a_start_that_takes_too_long_fails_the_film(fleet: Fleet) -> None:
    fleet.hire([pool(LateRiser, 600.0, boot_seconds=1.0)])
    with pytest.raises(FilmFailed, match=r"^No clerk has (started|found a place) within 1 s"):
        findings(fleet, call("who"))


def test_needs_that_this_machine_can_never_meet_are_refused_before_any_work(fleet: Fleet) -> None:
    with pytest.raises(BadSpec, match=r"^Each renderer needs 1 CPU, 64 GPU, but this machine has \d+ CPU, \d+ GPU"):
        fleet.hire([PoolSpec("renderer", "tests.farm.fleet_workers:Clerk", cpus=1, gpus=64)])
    assert diary(fleet).sizes == []


# ends


def test_a_run_that_is_broken_off_leaves_no_call_running(fleet: Fleet) -> None:
    fleet.hire([pool(Clerk)])
    run = fleet.run([call("who"), call("rest", 600.0, rank=1)], nothing)
    (_, pid), _ = next(run), run.close()  # type: ignore[attr-defined]
    assert diary(fleet).sizes[-1] == ("clerk", 0, 0, 0)
    (other,) = findings(fleet, call("who"))
    assert other != pid


def test_sigterm_is_a_keyboard_interrupt_and_only_once(fleet: Fleet) -> None:
    fleet.hire([pool(Clerk)])
    ours = signal.getsignal(signal.SIGTERM)
    ready: list[int] = []

    def end() -> None:
        if diary(fleet).sizes[-1] == ("clerk", 1, 0, 0):
            ready.append(1)
        if len(ready) == 2:  # it was ready at the tick before, so by now it has its call
            os.kill(os.getpid(), signal.SIGTERM)

    diary(fleet).at_tick = end
    try:
        with pytest.raises(KeyboardInterrupt):
            findings(fleet, call("rest", 600.0))
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, ours)
    assert diary(fleet).sizes[-1] == ("clerk", 0, 0, 0)


JOINING = """
import sys
from farm.fleet.calls import PoolSpec
from farm.fleet.fleet import Fleet
from tests.farm.plain_call import PlainCall
from jobs.errors import BadSpec
with Fleet(sys.argv[1]) as fleet:
    fleet.hire([PoolSpec("clerk", "tests.farm.fleet_workers:Clerk", cpus=0.01)])
    print([found for _, found in fleet.run([PlainCall("clerk", "greet", ("Ada",))], lambda call, found: ())], fleet.cluster.local)
    print(fleet.cluster.most_gpus, fleet.cluster.bounded)
    fleet.hire([PoolSpec("renderer", "tests.farm.fleet_workers:Clerk", cpus=1, gpus=1)])
    try:
        fleet.hire([PoolSpec("renderer", "tests.farm.fleet_workers:Clerk", cpus=1, gpus=2)])
    except BadSpec as error:
        print(error)
"""


def test_a_second_driver_joins_by_address_and_leaves_the_first_alone(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray  # after the fleet, which says how Ray authenticates

    monkeypatch.setenv("FARM_NODES", '[{"CPU": 2, "GPU": 1, "most": 3}]')
    address = ray.get_runtime_context().gcs_address
    joined = subprocess.run(
        [sys.executable, "-W", "error", "-c", JOINING, address], capture_output=True, text=True, timeout=60, check=False
    )
    greeted, may_grow, refusal = joined.stdout.splitlines()
    assert (greeted, may_grow, joined.stderr) == ("['hello Ada'] False", "3.0 True", "")
    assert refusal.startswith(
        "Each renderer needs 1 CPU, 2 GPU, but the nodes that this cluster has or may bring up have each 2 CPU, 1 GPU"
    )
    fleet.hire([pool(Clerk)])
    assert findings(fleet, call("greet", "Ada")) == ["hello Ada"]


TELLING = """
import sys
from farm.fleet.calls import PoolSpec
from farm.fleet.fleet import Fleet
from jobs.errors import BadStore
from jobs.store.allowed_places import confined
from tests.farm.plain_call import PlainCall
with confined(True), Fleet(sys.argv[1]) as fleet:
    fleet.hire([PoolSpec("clerk", "tests.farm.fleet_workers:Clerk", cpus=1)])
    asked = lambda *call: [found for _, found in fleet.run([PlainCall("clerk", *call)], lambda call, found: ())]
    print(asked("setting", ("FILM_FARM_REQUESTER_PAYS",)))
    print(asked("store_at", (sys.argv[2] + "/mine/store",)))
    for other in ("/other", "/mine/link"):
        try:
            print(asked("store_at", (sys.argv[2] + other,)))
        except BadStore as refused:
            print("refused" if "is not among" in str(refused) else refused)
"""


def test_workers_of_a_cluster_have_the_drivers_settings_and_open_no_more_than_it_may(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import ray

    address = ray.get_runtime_context().gcs_address
    for name in ("mine", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "mine" / "link").symlink_to(tmp_path / "other")
    monkeypatch.setenv("FILM_FARM_REQUESTER_PAYS", "1")
    monkeypatch.setenv("FARM_ALLOWED_PLACES", f"{tmp_path}/mine")
    # As where a job was submitted with settings of its own, the driver's count.
    config = '{"runtime_env": {"env_vars": {"FILM_FARM_REQUESTER_PAYS": "0", "FARM_ALLOWED_PLACES": "/"}}}'
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", config)
    joined = subprocess.run(
        [sys.executable, "-W", "error", "-c", TELLING, address, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = f"['1']\n['{tmp_path}/mine/store']\nrefused\nrefused\n"
    assert (joined.stdout, joined.stderr) == (said, "")
