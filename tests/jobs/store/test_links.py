"""Nothing leaves a store's root: not by a key, not by a link, and not by what a record says."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.digest import sealed
from jobs.errors import BadStore
from jobs.ledger.ledger import Ledger
from jobs.records.media import Media
from jobs.records.orders import SplitRecord
from jobs.store import FolderStore, Stat, Store, open_store
from jobs.store.protocol import PARTIAL

Move = Callable[[Store, str], object]
MOVES: dict[str, Move] = {
    "read": lambda store, key: store.read(key),
    "open": lambda store, key: store.open(key),
    "stat": lambda store, key: store.stat(key),
    "write": lambda store, key: store.write(key, b"x"),
    "write once": lambda store, key: store.write(key, b"x", only_if_absent=True),
    "replace": lambda store, key: store.replace(key, b"x", "1"),
    "write file": lambda store, key: store.write_file(key, Path(__file__)),
    "create": lambda store, key: store.create(key),
    "rename from": lambda store, key: store.rename(key, "b", Stat(1, "1"), None),
    "rename to": lambda store, key: store.rename("a", key, Stat(1, "1"), None),
    "delete": lambda store, key: store.delete(key),
    "abort": lambda store, key: store.abort(key),
    "abort partial": lambda store, key: store.abort(f"{key}/{PARTIAL}x"),
}
KEYS = ["../outside/secret", "/etc/passwd", "a/../../outside/secret", "a//b", "", "."]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_bytes(b"secret")
    (tmp_path / "outside" / f"{PARTIAL}x").write_bytes(b"secret")
    return tmp_path / "outside"


@pytest.fixture
def store(tmp_path: Path, outside: Path) -> FolderStore:
    (tmp_path / "store").mkdir()
    (tmp_path / "store/a").write_bytes(b"a")
    (tmp_path / "store/inside").mkdir()
    (tmp_path / "store/inside/b").write_bytes(b"b")
    (tmp_path / "store/folder").symlink_to("../outside")
    (tmp_path / "store/file").symlink_to(outside / "secret")
    (tmp_path / "store/loop").symlink_to(".")
    (tmp_path / "store/near").symlink_to("inside")
    (tmp_path / "root").symlink_to("store")
    return FolderStore(tmp_path / "root")


def contents(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("move", MOVES)
def test_no_key_leaves_the_root(store: FolderStore, outside: Path, move: str, key: str) -> None:
    before = contents(outside)
    with pytest.raises(BadStore, match="cannot be a key"):
        MOVES[move](store, key)
    assert contents(outside) == before


@pytest.mark.parametrize("key", ["folder/secret", "loop/folder/secret", "folder/new", "file"])
@pytest.mark.parametrize("move", MOVES)
def test_no_link_leaves_the_root(store: FolderStore, outside: Path, move: str, key: str) -> None:
    before = contents(outside)
    with pytest.raises(BadStore, match="is a link that leads out of"):
        MOVES[move](store, key)
    assert contents(outside) == before


def test_a_link_that_stays_inside_counts(store: FolderStore) -> None:
    assert store.read("near/b") == b"b"
    assert store.read("loop/loop/inside/b") == b"b"
    # By links a listing would never end.
    assert list(store.list("")) == ["a", "file", "inside/b"]


@pytest.mark.parametrize("prefix", ["../", "/", "a/../../"])
def test_no_listing_leaves_the_root(store: FolderStore, prefix: str) -> None:
    for listing in (store.list, store.unfinished):
        with pytest.raises(BadStore, match="cannot begin a key"):
            list(listing(prefix))


@pytest.mark.parametrize(
    "key",
    ["../../outside/secret", "/etc/passwd", "job.json", "records/x.json", "media/../job.json", "media/a/b", "media/\n"],
)
def test_a_record_names_nothing_but_its_media(tmp_path: Path, key: str) -> None:
    """One that does is taken for damaged: set aside, with what it names left alone."""
    ledger = Ledger(open_store(str(tmp_path)), "job")
    ledger.store.write(ledger.key("job.json"), b"{}")
    honest = SplitRecord(digest="d1", media=Media(key="media/aa", sha256="aa", bytes=1), packets=1)
    forged = json.loads(sealed(honest))
    del forged["seal"]
    forged["media"]["key"] = key
    ledger.store.write(ledger.key("records/d1.json"), sealed(forged))
    assert ledger.record("d1") is None
    assert list(ledger.names("")) == ["damaged/d1.json", "job.json"]


def test_a_record_under_another_name_is_damaged(tmp_path: Path) -> None:
    """`farm clean` deletes by the names that records bear."""
    ledger = Ledger(open_store(str(tmp_path)), "job")
    record = SplitRecord(digest="../../x", media=Media(key="media/aa", sha256="aa", bytes=1), packets=1)
    ledger.store.write(ledger.key("records/d1.json"), sealed(record))
    assert ledger.record("d1") is None
