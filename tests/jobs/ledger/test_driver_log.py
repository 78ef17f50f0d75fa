"""The logbook: what is kept of a run, in which bounds, and how it ended."""

import re
from pathlib import Path

import pytest

from jobs.errors import BadMedia
from jobs.ledger.driver_log import WRITE_SECONDS, DriverLog, last_log
from jobs.ledger.ledger import Ledger


def ledger_in(folder: Path) -> Ledger:
    return Ledger.at(str(folder), "film")


def test_a_run_is_read_back_line_by_line(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    assert last_log(ledger) is None
    with DriverLog(ledger, clock=lambda: 0.0) as log:
        log.note("one\ntwo \x1b[31m of s3://me:secret@bucket")
        log.write()
        found = last_log(ledger)
        assert found
        assert (found.exit_code, found.first) == (None, 0)
    done = last_log(ledger)
    assert done
    assert re.fullmatch(r"logs/19700101T000000Z-[0-9a-f]{4}\.txt", done.name)
    assert done.lines == (
        "1970-01-01 00:00:00 one",
        r"1970-01-01 00:00:00 two \x1b[31m of s3://***@bucket",
        "1970-01-01 00:00:00 ended with exit code 0",
    )
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (BadMedia("The source is empty."), 2, "The source is empty."),
        (KeyboardInterrupt(), 130, "Stopped."),
        (ZeroDivisionError("secret"), 1, "ZeroDivisionError: a fault of the farm's own"),
    ],
)
def test_its_last_words_are_how_the_run_ended(tmp_path: Path, error: BaseException, code: int, says: str) -> None:
    with pytest.raises(type(error)), DriverLog(ledger_in(tmp_path)):
        raise error
    found = last_log(ledger_in(tmp_path))
    assert found
    assert found.exit_code == code
    assert says in found.lines[-2]
    assert "secret" not in found.lines[-2]


def test_what_is_too_much_goes_from_its_beginning(tmp_path: Path) -> None:
    now = 0.0
    with DriverLog(ledger_in(tmp_path), clock=lambda: now, most=100) as log:
        assert log.due
        for number in range(10):
            log.note(f"line {number}")
        log.write()
        assert not log.due
        now = WRITE_SECONDS
        assert log.due
    found = last_log(ledger_in(tmp_path))
    assert found
    assert (found.first, len(found.lines)) == (8, 3)
    assert found.lines[0].endswith("line 8")


def test_a_store_that_fails_ends_no_run(tmp_path: Path) -> None:
    (tmp_path / "film").write_text("where the job's folder would be")
    with DriverLog(ledger_in(tmp_path)) as log:
        log.note("one")
        log.write()
    assert (tmp_path / "film").is_file()
