"""Reading chunks back: what is not there is said, and what is held is little."""

import io
from pathlib import Path

import pytest

from actors.media.chunk_reader import read_chunk
from actors.media.display_order import WINDOW, Sorter
from actors.render.splitter import Splitter
from jobs.errors import BadMedia, FilmFailed
from jobs.plan.plan import Range
from jobs.records.orders import SplitOrder
from tests.actors.cutting import order_of, surveyed
from tests.films import Recipe, fingerprint, read_number, serial


@pytest.fixture(scope="module")
def chunk(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SplitOrder, bytes]:
    """An open-GOP film, an order for frames 15 to 39, and its chunk."""
    folder = tmp_path_factory.mktemp("chunk")
    source = Recipe(open_gop=True).make(folder / "film.mkv")
    film, index = surveyed(source)
    order = order_of(film, index, Range(15, 40), number=7)
    splitter = Splitter(str(source), str(folder / "store"), "job")
    (record,) = splitter.split([order])
    media = splitter.ledger.read(record.media.key)
    assert media is not None
    return source, order, media


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_exactly_the_read_comes_from_bytes_or_a_stream(chunk: tuple[Path, SplitOrder, bytes], threads: int) -> None:
    source, order, media = chunk
    whole = serial(source)[15:40]
    assert [fingerprint(frame) for frame in read_chunk(media, order, threads)] == whole
    assert [fingerprint(frame) for frame in read_chunk(io.BytesIO(media), order, threads)] == whole


def test_a_reader_may_stop_early(chunk: tuple[Path, SplitOrder, bytes]) -> None:
    _, order, media = chunk
    frames = read_chunk(media, order)
    assert read_number(next(frames)) == 15
    frames.close()  # type: ignore[attr-defined]
    assert next(frames, None) is None


def test_a_missing_frame_is_named(chunk: tuple[Path, SplitOrder, bytes]) -> None:
    _, order, media = chunk
    with pytest.raises(FilmFailed, match=r"chunk 7 .*frame \d+ of the film cannot be decoded"):
        list(read_chunk(media[: len(media) * 2 // 3], order))
    beyond = order.model_copy(update={"wanted": (*order.wanted, 500), "read": Range(15, 41)})
    with pytest.raises(FilmFailed, match="frame 40 of the film"):
        list(read_chunk(media, beyond))


@pytest.mark.parametrize("media", [b"", b"no chunk at all", bytes(5000)])
def test_what_is_no_chunk_is_refused(chunk: tuple[Path, SplitOrder, bytes], media: bytes) -> None:
    with pytest.raises(BadMedia, match="chunk 7"):
        list(read_chunk(media, chunk[1]))


def test_the_sorter_waits_only_so_long(chunk: tuple[Path, SplitOrder, bytes]) -> None:
    _, order, media = chunk
    frames = list(read_chunk(media, order))
    sorter = Sorter([order.kept[1], order.kept[0], order.kept[2]])
    assert [frame.pts for one in frames[:3] for frame in sorter.push(one)] == [
        order.kept[1],
        order.kept[0],
        order.kept[2],
    ]
    assert sorter.complete
    impatient = Sorter([10_000, *range(WINDOW + 1)])
    for number in range(WINDOW):
        frames[0].pts = number
        assert list(impatient.push(frames[0])) == []
    frames[0].pts = WINDOW
    with pytest.raises(LookupError):
        list(impatient.push(frames[0]))
