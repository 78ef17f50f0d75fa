"""What passes a store is counted once, in a folder and in S3 (moto) alike."""

from pathlib import Path

import pytest

from jobs.store import open_store
from jobs.store.traffic import Traffic, drain, passed

MIB = 1 << 20


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "store") if request.param == "folder" else f"s3://{request.getfixturevalue('s3_bucket')}/some"


def test_what_passes_a_store_is_counted_once(place: str, tmp_path: Path) -> None:
    store = open_store(place)
    (tmp_path / "file").write_bytes(bytes(2 * MIB))
    drain()

    store.write("job/a", b"12345")
    store.write_file("job/b", tmp_path / "file")
    with store.create("job/c") as growing:
        growing.write(bytes(3 * MIB))
    assert drain().bytes_written == 5 * MIB + 5

    assert store.read("job/a") == b"12345"
    with store.open("job/c") as stream:
        assert len(stream.read()) == 3 * MIB
    with store.open("job/b") as stream:
        stream.seek(MIB)
        stream.read(10)
    found = drain()
    assert (found.bytes_written, found.bytes_read) == (0, 3 * MIB + 5 + MIB)  # a stream fetches what it buffers
    assert found.requests["read"] >= 3

    list(store.list("job/"))
    store.stat("job/a")
    store.delete("job/a")
    found = drain()
    assert (found.bytes_read, found.bytes_written) == (0, 0)
    assert found.requests["list"] == 1
    assert found.requests["read"] >= 1
    assert found.requests["write"] == 1
    assert not drain()


def test_traffic_adds_up() -> None:
    drain()
    passed("read", bytes_read=3)
    passed("read")
    passed(bytes_written=2)
    one = drain()
    assert one + Traffic(requests={"list": 1}) == Traffic(
        bytes_read=3, bytes_written=2, requests={"read": 2, "list": 1}
    )
