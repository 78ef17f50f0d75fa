"""The frame index, read by demuxing: the same after any interruption, and refused where packets are missing."""

from pathlib import Path

import numpy as np
import pytest

from actors.survey.packet_index import FIRST_PAGE, PAGE
from actors.survey.surveyor import Surveyor
from jobs.errors import BadMedia
from jobs.film.frame_index import FrameIndex, Page
from tests.actors.cutting import surveyed
from tests.films import KINDS, Recipe, remux, serial


def join(pages: list[Page]) -> list[tuple[int, ...]]:
    page = Page.join(pages)
    return list(zip(*(getattr(page, name).tolist() for name in Page.__dataclass_fields__), strict=True))


def part(page: Page, start: int, stop: int) -> Page:
    return Page(*(getattr(page, name)[start:stop] for name in Page.__dataclass_fields__))


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupted_index_goes_on_where_it_stopped(tmp_path: Path, kind: str) -> None:
    surveyor = Surveyor(str(KINDS[kind].make(tmp_path / kind)))
    whole = Page.join(list(surveyor.pages()))
    for kept, last in ((1, 1), (13, 13), (14, 1), (30, 9), (47, 40)):
        rest = list(surveyor.pages(kept, part(whole, kept - last, kept)))
        assert join([part(whole, 0, kept), *rest]) == join([whole])
    everything = len(whole)
    (end,) = surveyor.pages(everything, part(whole, everything - 20, everything))
    assert len(end) == 0
    assert list(surveyor.pages(everything, end)) == []


def test_a_film_that_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    page = Page.join(list(Surveyor(str(Recipe().make(path))).pages()))
    Recipe(gop=7, options={"crf": "40"}).make(path)
    with pytest.raises(BadMedia, match="was changed"):
        list(Surveyor(str(path)).pages(30, part(page, 10, 30)))


def test_the_first_page_is_short_and_the_index_grows(tmp_path: Path) -> None:
    path = Recipe(frames=FIRST_PAGE + 60, size=(64, 32), gop=100).make(tmp_path / "film.mkv")
    pages = list(Surveyor(str(path)).pages())
    assert [len(page) for page in pages] == [FIRST_PAGE, 60, 0]
    assert PAGE > FIRST_PAGE
    early, late = FrameIndex(pages[:1], complete=False), FrameIndex(pages, complete=True)
    assert 0 < FIRST_PAGE - early.frames < 20
    assert early.pts[: early.frames].tolist() == late.pts[: early.frames].tolist()


def test_an_empty_chunk_of_avi_is_the_frame_before_it_shown_longer(tmp_path: Path) -> None:
    # As libav writes it where the sound begins before 0; and a second one where a frame was left out.
    path = Recipe(frames=60, size=(64, 48), codec="mpeg4", b_frames=0, times=lambda n: n + (n > 0) + (n > 40)).make(
        tmp_path / "film.avi"
    )
    chunks = path.read_bytes().partition(b"movi")[2].partition(b"idx1")[0]
    assert chunks.count(b"00dc\0\0\0\0") == 2
    _, index = surveyed(path)
    assert index.pts.tolist() == [0, *range(2, 42), *range(43, 62)]
    assert index.frames == len(serial(path)) == 60


def test_a_cut_short_avi_is_refused(tmp_path: Path) -> None:
    whole = Recipe(size=(64, 48), codec="mpeg4", b_frames=0).make(tmp_path / "film.avi")
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    with pytest.raises(BadMedia, match=r"truncated after frame \d+ of 48"):
        list(Surveyor(str(cut)).pages())


def test_invisible_vp8_frames_are_no_frames_of_the_film(tmp_path: Path) -> None:
    source = KINDS["vp8.webm"].make(tmp_path / "film.webm")
    unseen = {5, 9, 30}
    path = remux(
        source,
        tmp_path / "unseen.webm",
        change=lambda place, data: bytes([data[0] & ~0x10]) + data[1:] if place in unseen else data,
    )
    _, index = surveyed(path)
    assert set(np.flatnonzero(index.packets.hidden).tolist()) == unseen
    assert index.frames == 48 - len(unseen) == len(serial(path))


def test_a_film_cut_short_is_refused_by_its_index(tmp_path: Path) -> None:
    whole = remux(Recipe().make(tmp_path / "film.mp4"), tmp_path / "fast.mp4", movflags="faststart")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    with pytest.raises(BadMedia, match="truncated"):
        list(Surveyor(str(cut)).pages())
