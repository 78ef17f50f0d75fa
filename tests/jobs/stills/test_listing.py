"""Folders of stills: what is listed, what is passed over, what is refused in one sentence."""

import hashlib
from pathlib import Path

import pytest

from jobs.errors import BadSpec
from jobs.stills.listing import LARGEST_FILE, MOST_STILLS, StillFile, still_data, stills_in
from jobs.store import open_store


def filled(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def test_stills_are_listed_by_frame_with_the_hash_of_what_they_hold(tmp_path: Path) -> None:
    folder = filled(tmp_path, "b.f20.png", "c.f3.TIF", "notes.txt", ".d.f4.png", "old/b.f20.png", "sheet-001.jpg")
    assert stills_in(str(folder)) == tuple(
        StillFile(name=name, frame=frame, sha256=hashlib.sha256(name.encode()).hexdigest(), bytes=len(name))
        for name, frame in (("c.f3.TIF", 3), ("b.f20.png", 20))
    )


def test_a_bucket_is_listed_as_a_folder_is(s3_bucket: str, tmp_path: Path) -> None:
    place = f"s3://{s3_bucket}/stills"
    for name in ("b.f20.png", "c.f3.tif", "deeper/d.f9.png", "notes.txt"):
        open_store(place).write(name, name.encode())
    assert stills_in(place) == stills_in(str(filled(tmp_path, "b.f20.png", "c.f3.tif", "notes.txt")))


@pytest.mark.parametrize("names", [(), ("notes.txt", "sheet-001.jpg", "old/a.f1.png")])
def test_a_folder_without_a_still_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(BadSpec, match=r"holds no still, .*`farm stills`"):
        stills_in(str(filled(tmp_path, *names)))


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match="holds no still"):
        stills_in(str(tmp_path / "gone"))


def test_two_stills_of_one_frame_are_refused_by_their_names(tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match=r"two stills of frame 7, a\.f7\.png and b\.f0007\.jpg; keep one"):
        stills_in(str(filled(tmp_path, "a.f7.png", "b.f0007.jpg", "c.f8.png")))


def test_an_empty_and_a_huge_file_are_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "a.f1.png").write_bytes(b"")
    with pytest.raises(BadSpec, match=r"a\.f1\.png is empty"):
        stills_in(str(tmp_path))
    with open(tmp_path / "a.f1.png", "wb") as sparse:
        sparse.truncate(LARGEST_FILE + 1)
    with pytest.raises(BadSpec, match=r"1\.0 GiB; a still has 1 GiB at most"):
        stills_in(str(tmp_path))


def test_too_many_stills_are_refused_before_one_is_read(tmp_path: Path) -> None:
    for number in range(MOST_STILLS + 1):
        (tmp_path / f"a.f{number}.png").touch()
    with pytest.raises(BadSpec, match="more than 20,000 stills"):
        stills_in(str(tmp_path))


def test_a_still_that_was_changed_since_it_was_listed_is_not_taken_for_the_one_listed(tmp_path: Path) -> None:
    (listed,) = stills_in(str(filled(tmp_path, "a.f1.png")))
    assert still_data(str(tmp_path), listed) == b"a.f1.png"
    (tmp_path / "a.f1.png").write_bytes(b"other")
    with pytest.raises(BadSpec, match="was changed while it was read"):
        still_data(str(tmp_path), listed)
    (tmp_path / "a.f1.png").unlink()
    with pytest.raises(BadSpec, match="was changed while it was read"):
        still_data(str(tmp_path), listed)
