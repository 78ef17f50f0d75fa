"""Whose a name in an output is: of jobs that name one file one has it, in a folder and in S3 (moto); what nobody is known to have made stays."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from jobs.document import read_document
from jobs.errors import FilmFailed, NameTaken
from jobs.ledger.ledger import Ledger
from jobs.output.handover import UNPROVEN, HeldName, Unproven, sweep
from jobs.output.ownership import FOLDER, ClaimedName, Owner, claim, claim_key, give_back
from jobs.records.report import Conform, FilmReport
from jobs.spec.job import JobSpec
from jobs.store import Store, open_store

FILM = ClaimedName(
    "film.mkv", "a" * 40, ("film.mkv", "film.mkv.sha256", "film.mkv.conform.json"), (), "film.mkv.sha256"
)
STREAM = ClaimedName("view", "b" * 40, ("view.sha256", "view.conform.json"), ("view",), "view.sha256")
REPORTS = ClaimedName("job.report.json", "c" * 40, ("job.report.json", "job.shots.edl"), ("job.review",))


@pytest.fixture(params=["folder", "s3"])
def output(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return open_store(str(tmp_path / "output"))
    return open_store(f"s3://{request.getfixturevalue('s3_bucket')}/out")


def job(folder: Path, name: str = "job") -> Ledger:
    """A job of a store of its own."""
    return Ledger.at(str(folder / f"store-of-{name}"), name)


def owner(output: Store, name: ClaimedName) -> Owner:
    found = read_document(Owner, output.read(claim_key(name.name)))
    assert found
    return found


def conform(name: ClaimedName, data: bytes) -> Conform:
    return Conform(
        file=name.name,
        conforms=True,
        findings=(),
        frames=1,
        seconds=1.0,
        edges=0,
        compared=0,
        packets=0,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        timing="",
        fates=(),
    )


def reported(ledger: Ledger, *deliverables: Conform) -> None:
    """What a farm without claims has left in the store of a job that it has delivered."""
    report = FilmReport(
        name=ledger.job,
        spec="",
        source="a.mp4",
        conforms=True,
        frames=1,
        shots=1,
        chunks=1,
        seams=0,
        extra_frames_percent=0.0,
        chunks_rendered=1,
        retries=0,
        made_on=(),
        deliverables=deliverables,
    )
    ledger.keep_paper("report.json", report, only_if_absent=False)


def test_a_name_that_another_job_has_is_refused_and_the_advice_works(tmp_path: Path, output: Store) -> None:
    first, second = job(tmp_path, "one"), job(tmp_path, "two")
    claim(first, output, [FILM], "run")
    output.write("film.mkv", b"of the first")
    with pytest.raises(NameTaken) as refused:
        claim(second, output, [FILM, STREAM], "run")
    said = str(refused.value)
    assert refused.value.exit_code == 2
    assert f"{output.url}/film.mkv is of the job 'one' in {first.store.url}: " in said
    assert "\n" not in said
    assert owner(output, FILM).job == "one"
    assert list(output.list("")) == [claim_key("film.mkv"), "film.mkv"], "the other name was given back"
    # As the sentence says.
    place = said.rpartition("delete ")[2].removesuffix(".").removeprefix(f"{output.url}/")
    output.delete("film.mkv")
    output.delete(place)
    assert claim(second, output, [FILM], "run") == [FILM]
    with pytest.raises(NameTaken, match="is of the job 'two'"):
        claim(first, output, [FILM], "run")


@pytest.mark.parametrize("name", [FILM, STREAM, REPORTS])
def test_a_job_keeps_its_names_whatever_its_spec_says_now(tmp_path: Path, output: Store, name: ClaimedName) -> None:
    ledger = job(tmp_path)
    assert claim(ledger, output, [name], "first") == [name]
    output.write(name.files[0], b"delivered")
    changed = name._replace(made="f" * 40)
    assert claim(ledger, output, [changed], "second") == []
    assert (owner(output, name).made, owner(output, name).run) == ("f" * 40, "second")


def test_upper_and_lower_case_are_one_name(tmp_path: Path, output: Store) -> None:
    claim(job(tmp_path, "one"), output, [FILM], "run")
    with pytest.raises(NameTaken, match=r"film\.mkv is of the job 'one'"):
        claim(job(tmp_path, "two"), output, [FILM._replace(name="Film.MKV", files=("Film.MKV",))], "run")


@pytest.mark.parametrize("name", [FILM, STREAM, REPORTS])
def test_a_file_that_nobody_is_known_to_have_made_is_not_lost(tmp_path: Path, output: Store, name: ClaimedName) -> None:
    place = f"{name.folders[0]}/holiday.jpg" if name.folders else name.files[0]
    output.write(place, b"a user's own")
    for _ in range(2):  # a second try is refused as the first
        with pytest.raises(NameTaken, match="is there already, and this job is not known to have made it"):
            claim(job(tmp_path), output, [name], "run")
        assert {key: output.read(key) for key in output.list("")} == {place: b"a user's own"}
    output.delete(place)
    assert claim(job(tmp_path), output, [name], "run") == [name]


def test_what_an_earlier_farm_delivered_is_gone_on_with(tmp_path: Path, output: Store) -> None:
    ledger, lines = job(tmp_path), b"00  view/stream.m3u8\n"
    output.write("film.mkv", b"the film")
    output.write("film.mkv.sha256", f"{hashlib.sha256(b'the film').hexdigest()}  film.mkv\n".encode())
    output.write("view/stream.m3u8", b"a list")
    output.write("view.sha256", lines)
    output.write("job.shots.edl", b"cuts")
    reported(ledger, conform(FILM, b"the film"), conform(STREAM, lines))
    assert len(claim(ledger, output, [FILM, STREAM, REPORTS], "run")) == 3


@pytest.mark.parametrize("name", [FILM, STREAM])
def test_what_another_has_put_in_its_place_is_not(tmp_path: Path, output: Store, name: ClaimedName) -> None:
    ledger = job(tmp_path)
    reported(ledger, conform(name, b"ours"))
    output.write(name.sum, b"theirs")
    with pytest.raises(NameTaken, match="is there already"):
        claim(ledger, output, [name], "run")


def test_a_job_that_is_begun_anew_in_its_place_has_its_names_again(tmp_path: Path, output: Store) -> None:
    ledger = job(tmp_path)
    claim(ledger, output, [FILM], "run")
    ledger.store.delete(ledger.key("identity.json"))
    assert claim(ledger, output, [FILM], "again") == []
    # The same path on another machine is another store.
    claimed = owner(output, FILM).model_copy(update={"host": "elsewhere", "token": "another"})
    output.write(claim_key("film.mkv"), claimed.model_dump_json().encode())
    with pytest.raises(NameTaken, match="is of the job 'job'"):
        claim(ledger, output, [FILM], "run")


def test_a_damaged_claim_is_told(tmp_path: Path, output: Store) -> None:
    output.write(claim_key("film.mkv"), b"{}")
    with pytest.raises(NameTaken, match=r"film\.mkv is, is damaged: .* delete that file"):
        claim(job(tmp_path), output, [FILM], "run")


def test_names_are_given_back_where_nothing_lies(tmp_path: Path, output: Store) -> None:
    claim(job(tmp_path), output, [FILM, STREAM], "run")
    output.write("view/stream.m3u8", b"it grows")
    give_back(output, [FILM, STREAM], "run")
    assert list(output.list(FOLDER)) == [claim_key("view")]


def test_what_another_run_has_taken_over_is_not_given_back(tmp_path: Path, output: Store) -> None:
    claim(job(tmp_path), output, [FILM], "run")
    claim(job(tmp_path), output, [FILM], "taken over")
    give_back(output, [FILM], "run")
    assert owner(output, FILM).run == "taken over"
    output.write(claim_key("film.mkv"), b"damaged")
    give_back(output, [FILM], "taken over")
    assert list(output.list(FOLDER)) == [claim_key("film.mkv")]


# two at once


def names_in(order: str) -> Sequence[ClaimedName]:
    return [ClaimedName(one, one * 40, (one,)) for one in order]


def test_of_two_at_once_one_has_all_names(tmp_path: Path, output: Store) -> None:
    for turn in range(5):
        start = Barrier(2)

        def wins(who: str, order: str, turn: int = turn, start: Barrier = start) -> bool:
            ledger = job(tmp_path, f"{who}{turn}")
            start.wait()
            try:
                claim(ledger, output, names_in(order), "run")
            except NameTaken:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            won = list(pool.map(wins, ("x", "y"), ("abcd", "dcba")))
        assert sorted(won) == [False, True]
        winner = f"{'xy'[won.index(True)]}{turn}"
        assert {owner(output, one).job for one in names_in("abcd")} == {winner}
        for key in list(output.list("")):
            output.delete(key)


CLAIMS = """
import sys
from jobs.errors import NameTaken
from jobs.ledger.ledger import Ledger
from jobs.output.ownership import ClaimedName, claim
from jobs.store import open_store
store, name, output = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
try:
    claim(Ledger.at(store, name), open_store(output), [ClaimedName("film.mkv", name * 4, ("film.mkv",))], "run")
    print("won")
except NameTaken:
    print("lost")
"""


def test_of_two_processes_at_once_one_has_the_name(
    tmp_path: Path, output: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    both = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMS, str(tmp_path / name), name, output.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    for one in both:
        assert one.stdout
        assert one.stdout.readline() == "ready\n"
    for one in both:
        assert one.stdin
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.communicate()[0].strip() for one in both]
    assert sorted(said) == ["lost", "won"]
    assert owner(output, FILM).job == ("one", "two")[said.index("won")]


# handing over


def test_only_what_was_proven_gets_the_name(tmp_path: Path, output: Store) -> None:
    claim(job(tmp_path), output, [FILM], "run")
    held = HeldName(job(tmp_path), output, "film.mkv", "run")
    unproven = f"{held.staging()}/film.mkv"
    output.write(unproven, b"proven")
    found = output.stat(unproven)
    assert found
    output.write(unproven, b"another")
    with pytest.raises(FilmFailed, match="was changed after it was proven"):
        held.give(unproven, found, "film.mkv")
    assert output.stat("film.mkv") is None
    now = output.stat(unproven)
    assert now
    held.give(unproven, now, "film.mkv")
    assert output.read("film.mkv") == b"another"


def test_a_run_that_comes_late_gives_no_name(tmp_path: Path, output: Store) -> None:
    ledger = job(tmp_path)
    claim(ledger, output, [FILM], "late")
    late = HeldName(ledger, output, "film.mkv", "late")
    output.write("unproven/late", b"late")
    found = output.stat("unproven/late")
    assert found
    claim(ledger, output, [FILM], "newer")
    output.write("film.mkv", b"newer")
    for move in (
        late.check,
        late.staging,
        lambda: late.write("film.mkv.sha256", b"late"),
        lambda: late.give("unproven/late", found, "film.mkv"),
    ):
        with pytest.raises(FilmFailed, match="Another run of the job 'job' has begun"):
            move()
    assert output.read("film.mkv") == b"newer"
    assert output.stat("film.mkv.sha256") is None


def test_a_name_that_was_given_up_is_not_written(tmp_path: Path, output: Store) -> None:
    ledger = job(tmp_path)
    claim(ledger, output, [FILM], "run")
    output.delete(claim_key("film.mkv"))
    with pytest.raises(NameTaken, match=r"is not this job's any more .*is gone"):
        HeldName(ledger, output, "film.mkv", "run").check()
    claim(job(tmp_path, "other"), output, [FILM], "run")
    with pytest.raises(NameTaken, match="names the job 'other'"):
        HeldName(ledger, output, "film.mkv", "run").check()


def test_two_jobs_grow_their_deliverables_in_places_of_their_own(tmp_path: Path, output: Store) -> None:
    claim(job(tmp_path, "one"), output, [FILM], "run")
    ours = HeldName(job(tmp_path, "one"), output, "film.mkv", "run").staging()
    for key in (f"{ours}/film.mkv", f"{UNPROVEN}/one/film.mkv.{'0' * 12}/film.mkv", f"{UNPROVEN}/film.mkv"):
        output.write(key, b"left")
    others = f"{UNPROVEN}/two/film.mkv.{'0' * 12}/film.mkv"
    longer = f"{UNPROVEN}/one/film.mkv.mkv.{'0' * 12}/film.mkv.mkv"
    output.write(others, b"another job's")
    output.write(longer, b"another deliverable")
    sweep(output, "one", "film.mkv", ours)
    assert set(output.list(UNPROVEN)) == {f"{ours}/film.mkv", others, longer}


def cut_short(output: Store, key: str) -> None:
    """A deliverable that its finisher leaves half-written."""
    with output.create(key) as file:
        file.write(bytes(40 << 20))
        raise KeyboardInterrupt


def test_an_upload_of_another_job_is_not_gone_on_with(tmp_path: Path, s3_bucket: str) -> None:
    output = open_store(f"s3://{s3_bucket}/out")
    claim(job(tmp_path, "one"), output, [FILM], "run")
    ours = f"{HeldName(job(tmp_path, 'one'), output, 'film.mkv', 'run').staging()}/film.mkv"
    with pytest.raises(KeyboardInterrupt):
        cut_short(output, ours)
    output.delete(claim_key("film.mkv"))
    claim(job(tmp_path, "two"), output, [FILM], "run")
    theirs = f"{HeldName(job(tmp_path, 'two'), output, 'film.mkv', 'run').staging()}/film.mkv"
    with output.create(theirs) as file:
        file.write(bytes(40 << 20))
    assert list(output.unfinished("")) == [ours], "neither joined nor ended"


def test_what_was_never_proven_is_found_again(tmp_path: Path, output: Store) -> None:
    ledger = job(tmp_path)
    ledger.enter(JobSpec(name="job", source="/a.mp4", store=ledger.store.url, output=output.url))
    claim(ledger, output, [FILM, REPORTS], "run")
    output.write(f"{UNPROVEN}/job/film.mkv.{'0' * 12}/film.mkv", b"four")
    output.write(f"{UNPROVEN}/other/film.mkv.{'0' * 12}/film.mkv", b"another's")
    assert (len(Unproven(ledger)), Unproven(ledger).bytes) == (1, 4)
    give_back(output, [FILM, REPORTS], "run")
    left = Unproven(ledger)
    assert (len(left), left.bytes) == (1, 4), "of a job that has come to nothing, too"
    left.delete()
    assert list(output.list(UNPROVEN)) == [f"{UNPROVEN}/other/film.mkv.{'0' * 12}/film.mkv"]
