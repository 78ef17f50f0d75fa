"""What is wrong with one machine is that machine's: which errors are, when a node is left alone, and what the driver is asked first."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.fleet.node_faults import STRIKES, fault_of
from farm.fleet.nodes import Node, Nodes
from farm.fleet.vantage import DriverView
from jobs.errors import BadStore, ChunkFailed, Damaged, FilmFailed, NodeFault
from jobs.ledger.ledger import Ledger
from jobs.ledger.places import PlaceMarker, WorkerPlaces
from tests.farm.studio import spec_of
from tests.films import Recipe

B = Node("b" * 56, "node 10.0.0.2 (b)")


# of what kind a fault is


def full(path: str) -> OSError:
    return OSError(28, "No space left on device", path)


def test_an_untold_error_of_the_disk_is_the_machines_and_a_told_one_is_the_stores() -> None:
    assert "/spool/a: No space left on device" in (fault_of(full("/spool/a")) or "")
    told = ChunkFailed("cannot be kept in Matroska")
    told.__context__ = full("/spool/a")  # as `raise ... from None` leaves it
    assert "/spool/a" in (fault_of(told) or "")
    stores = BadStore("Cannot write /store/a: No space left on device")
    stores.__context__ = full("/store/a")
    assert fault_of(stores) is None
    assert fault_of(ValueError("no luck")) is None
    assert "library" in (fault_of(ImportError("No module named 'x'")) or "")
    assert "GPU" in (fault_of(RuntimeError("CUDA error: no CUDA-capable device is detected")) or "")


def test_three_faults_by_workers_hired_after_one_another_and_not_one_event() -> None:
    nodes = Nodes()
    assert not any(nodes.strike(B, worker, 8, "full", lasting=False) for worker in range(8)), "eight at once are one"
    assert nodes.selector == {}
    assert not nodes.strike(B, 9, 10, "full", lasting=False)
    assert nodes.strike(B, 11, 12, "full", lasting=False)
    assert STRIKES == 3
    assert nodes.selector == {"ray.io/node-id": f"!in({B.id})"}
    assert Nodes().strike(B, 1, 1, "no mount", lasting=True)


# places


def test_a_place_of_the_same_name_or_a_copy_is_not_the_place(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    seen = WorkerPlaces((PlaceMarker(str(store), "film/marks/a", "random"),))
    assert "is not the place that the driver sees" in (seen.unseen() or "")
    (store / "film/marks").mkdir(parents=True)
    (store / "film/marks/a").write_text("of an older copy")
    assert seen.unseen()
    (store / "film/marks/a").write_text("random")
    assert seen.unseen(to_write=True) is None


@pytest.fixture
def vantage(tmp_path: Path) -> DriverView:
    film = Recipe(frames=4, size=(96, 64)).make(tmp_path / "film.mp4")
    return DriverView.of_film(spec_of(film, tmp_path))


def test_what_one_worker_does_not_find_is_asked_of_the_driver(vantage: DriverView, tmp_path: Path) -> None:
    ledger = Ledger.at(f"{tmp_path}/store", "film")
    ledger.store.write("film/records/x.json", b"{}")
    ledger.store.write("film/media/1", b"there")
    with vantage:
        there = vantage.judged(Damaged("gone", "x", "film/media/1"))
        assert isinstance(there, NodeFault)
        assert ledger.read("records/x.json"), "nothing is set aside that the driver sees"
        gone = Damaged("gone", "x", "film/media/2")
        assert vantage.judged(gone) is gone
        assert ledger.read("records/x.json") is None
        other_run = FilmFailed("Another run has begun")
        other_run.missing = "film/media/1"
        assert isinstance(vantage.judged(other_run), NodeFault)
    assert not list(ledger.names("marks/"))


def test_what_the_driver_cannot_see_either_is_nobodys_own_fault(vantage: DriverView, tmp_path: Path) -> None:
    with vantage:
        fault = NodeFault("its clock is wrong", unseen=True)
        assert vantage.judged(fault) is fault
        (tmp_path / "film.mp4").write_bytes(b"another")
        assert not isinstance(vantage.judged(fault), NodeFault)
