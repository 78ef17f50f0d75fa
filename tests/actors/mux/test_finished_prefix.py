"""Reading the assembly: records come as they are put down, in order; waiting ends with the run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from actors.mux.finished_prefix import FIRST_WAIT, LONGEST_WAIT, records_of
from jobs.errors import FilmFailed, StoreFault
from jobs.ledger.finished_prefix import FinishedPrefix, name_of
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import Range
from jobs.records.media import Media
from jobs.records.orders import SegmentRecord
from jobs.store import FolderStore
from tests.paper import encoding_of, picture_of

ENCODING = encoding_of(picture_of("yuv420p"), "yuv420p")
OTHER = encoding_of(picture_of("yuv420p"), "yuv420p", (20, 20))


class Driver:
    """A run whose pages are written while somebody waits for them."""

    def __init__(self, store: FolderStore) -> None:
        self.ledger = Ledger(store, "job")
        self.assembly = FinishedPrefix(self.ledger, clock=lambda: 100.0 * len(self.pauses))
        self.pauses: list[float] = []
        self.steps: list[Callable[[], object]] = []

    def wait(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.steps.pop(0)()

    def page(self, *numbers: int, whole: bool = False) -> None:
        names = {name_of(ENCODING): [f"{one:040d}" for one in numbers], name_of(OTHER): ["f" * 40]}
        self.assembly.add(names)
        self.assembly.turn(whole=whole)

    def keep(self, *numbers: int) -> None:
        for one in numbers:
            media = Media(key=f"media/{one}", sha256=f"{one:064d}", bytes=1)
            self.ledger.keep(
                SegmentRecord(
                    digest=f"{one:040d}", frames=Range(one, one + 1), media=media, delay=0,
                    extradata_sha256="", made_on="test", seconds=0.0,
                )
            )  # fmt: skip

    def starts(self) -> list[int]:
        return [one.frames.start for one in records_of(self.ledger, self.assembly.run, ENCODING, [], self.wait)]


@pytest.fixture
def driver(tmp_path: Path) -> Driver:
    driver = Driver(FolderStore(tmp_path))
    driver.keep(*range(6))
    return driver


def test_records_come_as_pages_are_turned(driver: Driver) -> None:
    driver.page(0, 1)
    driver.steps = [lambda: driver.page(2), lambda: None, lambda: None, lambda: driver.page(3, 4, 5, whole=True)]
    assert driver.starts() == [0, 1, 2, 3, 4, 5]
    # The first wait after a page is short.
    assert driver.pauses == pytest.approx([FIRST_WAIT, FIRST_WAIT, 1.5 * FIRST_WAIT, 2.25 * FIRST_WAIT])
    # Whoever begins anew finds all of it.
    driver.pauses.clear()
    assert driver.starts() == [0, 1, 2, 3, 4, 5]
    assert driver.pauses == []


def test_a_long_wait_asks_no_oftener_than_it_must(driver: Driver) -> None:
    driver.page(0)
    driver.steps = [*[lambda: None] * 20, lambda: driver.page(1, whole=True)]
    assert driver.starts() == [0, 1]
    assert driver.pauses[-1] == LONGEST_WAIT


def test_another_run_ends_the_waiting(driver: Driver) -> None:
    driver.page(0)
    driver.steps = [lambda: FinishedPrefix(driver.ledger).turn(whole=False)]
    with pytest.raises(FilmFailed, match="Another run of the job 'job' has begun"):
        driver.starts()


def test_a_record_that_is_gone_is_named(driver: Driver) -> None:
    driver.page(0, 77, whole=True)
    with pytest.raises(FilmFailed, match=r"job/records/0+77\.json is gone; run the job again"):
        driver.starts()


def test_a_store_that_fails_in_passing_is_asked_again(tmp_path: Path) -> None:
    class Faulty(FolderStore):
        """Fails at every other look."""

        looks = 0

        def stat(self, key: str) -> object:  # type: ignore[override]
            Faulty.looks += "assembly" in key
            if "assembly" in key and Faulty.looks % 2:
                raise StoreFault("busy")
            return super().stat(key)

    driver = Driver(Faulty(tmp_path))
    driver.keep(0, 1)
    driver.page(0)
    driver.page(1, whole=True)
    driver.steps = [lambda: None] * 9
    assert driver.starts() == [0, 1]
    assert driver.pauses
