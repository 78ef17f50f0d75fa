"""Handles: what a look gave is read back as it was kept, in any shape; a kept value is kept again as itself."""

from collections.abc import Iterator
from pathlib import Path

import av
import pytest
import torch
from torch import Tensor

from actors.picture.domain import Domain
from actors.render.handles import HandleWriter, as_kept, read_handles
from jobs.errors import BadMedia, FilmFailed
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import Range
from jobs.records.orders import HandlesRecord
from tests.paper import picture_of

FILM = picture_of("yuv420p")


def pictures(count: int, *size: int) -> Tensor:
    return torch.rand(count, *size, generator=torch.Generator().manual_seed(7)) * 2 - 1


def film_frames(count: int) -> list[av.VideoFrame]:
    """The film's own frames: nothing of them is kept."""
    return [av.VideoFrame(FILM.width, FILM.height, "yuv420p") for _ in range(count)]


def keep(folder: Path, frames: Range, shown: Tensor, domain: Domain, batch: int) -> HandlesRecord:
    """The pictures of film frames 0 and on, taken in batches, of which `frames` are kept."""
    handles = HandleWriter(FILM, frames, "ab", folder)
    with handles:
        for first in range(0, len(shown), batch):
            run = shown[first : first + batch]
            handles.take(first, film_frames(len(run)), run, domain)
    return handles.keep(Ledger.at(str(folder / "store"), "film"), "a machine", 1.0)


def read(folder: Path, record: HandlesRecord) -> Iterator[Tensor]:
    ledger = Ledger.at(str(folder / "store"), "film")
    with ledger.store.open(ledger.key(record.media.key)) as media:
        yield from read_handles(media, Domain(record.domain), "handles")


@pytest.mark.parametrize(
    ("domain", "size"), [(Domain.CHROMA, (2, 6, 10)), (Domain.RGB, (3, 38, 50)), (Domain.LUMA, (1, 7, 3))]
)
def test_what_is_kept_is_read_back_in_whole_steps(tmp_path: Path, domain: Domain, size: tuple[int, ...]) -> None:
    shown = pictures(20, *size)
    record = keep(tmp_path, Range(3, 14), shown, domain, batch=8)
    found = torch.cat(list(read(tmp_path, record)))
    assert (record.frames, record.domain, record.made_on) == ((3, 14), domain.value, "a machine")
    assert torch.equal(found, as_kept(shown[3:14]))
    assert (found - shown[3:14]).abs().max() <= 0.51 / 28000
    # What has been read back and is kept once more is the same.
    assert torch.equal(as_kept(found), found)


def test_a_step_is_far_below_any_code_and_the_widest_chroma_fits() -> None:
    # 12 bit: 3584 codes of chroma span 2 * 0.93 in BT.709's blue, the widest.
    assert 1 / 28000 < (2 * 0.9278 / 3584) / 6
    assert as_kept(torch.tensor([1.05, -1.05])).tolist() == pytest.approx([1.05, -1.05], abs=1e-4)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_picture_that_is_no_number_is_refused(tmp_path: Path, bad: float) -> None:
    shown = pictures(6, 2, 4, 4)
    shown[3, 1, 2, 3] = bad
    with pytest.raises(FilmFailed, match="no numbers"):
        keep(tmp_path, Range(2, 6), as_kept(shown), Domain.CHROMA, batch=8)
    assert as_kept(torch.empty(2, 2, 4, 4, device="meta")).shape == (2, 2, 4, 4), "and the device is not waited for"


def test_batches_are_in_no_byte(tmp_path: Path) -> None:
    shown = pictures(16, 2, 8, 8)
    made = {keep(tmp_path, Range(2, 15), shown, Domain.CHROMA, batch).media.sha256 for batch in (1, 5, 16)}
    assert len(made) == 1
    assert len(list((tmp_path / "store/film/media").iterdir())) == 1


def test_one_that_lacks_is_refused_and_leaves_no_record(tmp_path: Path) -> None:
    for count in (0, 4):
        with pytest.raises(FilmFailed, match=f"of frames 2 to 5 only {max(0, count - 2)} were rendered"):
            keep(tmp_path, Range(2, 6), pictures(count, 2, 4, 4), Domain.CHROMA, batch=8)
    assert not (tmp_path / "store/film/records").exists()


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    def fail() -> None:
        with HandleWriter(FILM, Range(0, 4), "ab", tmp_path) as handles:
            handles.take(0, film_frames(2), pictures(2, 2, 4, 4), Domain.CHROMA)
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fail()
    assert not list(tmp_path.iterdir())


def test_what_is_no_picture_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mkv").write_bytes(b"nothing")
    with (tmp_path / "a.mkv").open("rb") as media, pytest.raises(BadMedia, match="kept pictures a is not a video"):
        list(read_handles(media, Domain.RGB, "The kept pictures a"))
