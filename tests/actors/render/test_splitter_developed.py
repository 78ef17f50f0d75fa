"""Chunks of developed films: R'G'B', alpha, packed and interlaced pictures, split anywhere, are those of the whole film developed in one go."""

from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from actors.media.chunk_reader import read_chunk
from actors.media.normalise import Normaliser
from actors.render.splitter import Splitter
from actors.survey.surveyor import Surveyor
from jobs.errors import BadMedia
from jobs.film.frame_index import FrameIndex
from jobs.film.source import Film
from jobs.plan.plan import Chunk, Look, Range
from jobs.plan.survey_ranges import MARGIN, decoded, survey_ranges
from jobs.records.orders import SplitOrder, split_order
from jobs.spec.job import LookChoice, Reading
from tests.actors.cutting import random_reads
from tests.actors.interlaced import interlaced
from tests.films import Recipe, fingerprint, read_number

READING = Reading(deinterlace=True, alpha=True)


def surveyed(path: Path, reading: Reading = READING) -> tuple[Film, FrameIndex]:
    surveyor = Surveyor(str(path), reading=reading)
    return surveyor.film(), FrameIndex(list(surveyor.pages()), complete=True)


def order_of(film: Film, index: FrameIndex, read: Range, number: int, margin: int = MARGIN) -> SplitOrder:
    chunk = Chunk(number, 1, read, read, read, False, 0, 0, Look(choice=LookChoice(name="none")))
    grown = decoded(read, index.frames) if film.picture.deinterlace and margin else read
    order = split_order(film, chunk, index.span(*grown))
    # Without a margin the span's wanted frames are the read's own.
    return order if margin else order.model_copy(update={"wanted": index.span(*read).wanted})


def chunks(path: Path, store: Path, orders: list[SplitOrder]) -> Iterator[list[str]]:
    splitter = Splitter(str(path), str(store), "job", 1)
    for order, record in zip(orders, splitter.split(orders), strict=True):
        media = splitter.ledger.read(record.media.key)
        assert media is not None
        yield [fingerprint(frame) for frame in read_chunk(media, order)]


def whole(path: Path, film: Film) -> list[str]:
    """The film decoded and developed in one go."""
    development = film.picture.development
    assert development is not None
    developer = Normaliser(development)
    with av.open(str(path)) as media:
        done = [one for frame in media.decode(video=0) for one in developer.push(frame)]
    return [fingerprint(frame) for frame in [*done, *developer.flush()]]


def kinds(folder: Path) -> dict[str, Path]:
    """One film of each kind of development."""
    ffv1 = {form: Recipe(frames=20, codec="ffv1", pix_fmt=form, size=(80, 32)) for form in ("gbrp10le", "yuva420p")}
    return {
        **{form: recipe.make(folder / f"{form}.mkv") for form, recipe in ffv1.items()},
        "bgr0": Recipe(frames=20, codec="ffv1", pix_fmt="bgr0", size=(80, 32)).make(folder / "bgr0.mkv"),
        "uyvy422": Recipe(frames=20, codec="rawvideo", pix_fmt="uyvy422", size=(80, 32)).make(folder / "uyvy.mov"),
        "uyvy-woven": Recipe(
            frames=20, codec="rawvideo", pix_fmt="uyvy422", size=(80, 32), options={"field_order": "tt"}
        ).make(folder / "woven.mov"),
        "h264": interlaced(folder / "h264.mkv"),
        "hidden": interlaced(folder / "hidden.mp4", hidden=3),
        "mpeg2": interlaced(folder / "mpeg2.mpg", codec="mpeg2video"),
    }


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return kinds(tmp_path_factory.mktemp("developed"))


@pytest.mark.parametrize("kind", ["gbrp10le", "yuva420p", "bgr0", "uyvy422", "uyvy-woven", "h264", "hidden", "mpeg2"])
def test_many_chunks_equal_one(films: dict[str, Path], tmp_path: Path, kind: str) -> None:
    film, index = surveyed(films[kind])
    wanted = whole(films[kind], film)
    assert len(wanted) == index.frames
    for seed, parts in enumerate((1, 4, 9)):
        reads = random_reads(index.frames, parts, seed)
        orders = [order_of(film, index, read, number) for number, read in enumerate(reads, 1)]
        assert all(order.form == "ffv1" and order.development for order in orders)
        made = list(chunks(films[kind], tmp_path / f"{seed}", orders))
        assert made == [wanted[read.start : read.stop] for read in reads]
        alone = [next(chunks(films[kind], tmp_path / f"{seed}-alone", [order])) for order in orders[::-1]]
        assert alone[::-1] == made


def test_a_deinterlaced_chunk_without_its_margin_is_another(films: dict[str, Path], tmp_path: Path) -> None:
    film, index = surveyed(films["h264"])
    wanted = whole(films["h264"], film)
    (made,) = chunks(films["h264"], tmp_path, [order_of(film, index, Range(5, 10), 1, margin=0)])
    assert made[1:-1] == wanted[6:9]
    assert made[0] != wanted[5]
    assert made[-1] != wanted[9]


def test_chunks_keep_the_numbers_of_the_source(films: dict[str, Path], tmp_path: Path) -> None:
    film, index = surveyed(films["gbrp10le"])
    order = order_of(film, index, Range(5, 12), 1)
    splitter = Splitter(str(films["gbrp10le"]), str(tmp_path), "job", 1)
    (record,) = splitter.split([order])
    frames = list(read_chunk(splitter.ledger.read(record.media.key) or b"", order))
    assert [read_number(frame) for frame in frames] == list(range(5, 12))
    assert {(frame.format.name, int(frame.color_range)) for frame in frames} == {("yuv444p12le", 1)}


def test_the_digest_names_the_development(films: dict[str, Path]) -> None:
    film, index = surveyed(films["h264"])
    order = order_of(film, index, Range(8, 13), 1)
    assert order.development is not None
    plain = order.model_copy(update={"development": None})
    newer = order.model_copy(update={"development": order.development.model_copy(update={"version": 2})})
    assert len({order.digest, plain.digest, newer.digest}) == 3


def test_a_frame_of_another_form_is_refused(films: dict[str, Path], tmp_path: Path) -> None:
    film, index = surveyed(films["bgr0"])
    order = order_of(film, index, Range(0, 5), 1)
    other = order.picture.model_copy(update={"stored": "rgb24"})
    with pytest.raises(BadMedia, match="changes its picture from rgb24 to bgr0 at frame 0"):
        list(chunks(films["bgr0"], tmp_path, [order.model_copy(update={"picture": other})]))


def test_an_interlaced_frame_that_nobody_saw_is_refused(films: dict[str, Path], tmp_path: Path) -> None:
    film, index = surveyed(films["h264"])
    plain = film.model_copy(update={"picture": film.picture.model_copy(update={"deinterlace": False})})
    with pytest.raises(BadMedia, match=r"is interlaced at frame 6; set deinterlace: bwdif"):
        list(chunks(films["h264"], tmp_path, [order_of(plain, index, Range(6, 10), 1)]))
    (frames,) = survey_ranges(index, 1000)
    with pytest.raises(BadMedia, match=r"is interlaced at frame 0; set deinterlace: bwdif"):
        Surveyor(str(films["h264"])).cuts(plain.picture, index.span(*frames), frames, 0)


@pytest.mark.parametrize("kind", ["gbrp10le", "uyvy422", "h264"])
def test_cuts_are_sought_in_every_kind(films: dict[str, Path], kind: str) -> None:
    film, index = surveyed(films[kind])
    (frames,) = survey_ranges(index, 1000)
    assert Surveyor(str(films[kind])).cuts(film.picture, index.span(*frames), frames, 0).frames == frames


def test_a_cut_of_an_rgb_film_is_found(tmp_path: Path) -> None:
    recipe = Recipe(frames=40, codec="ffv1", pix_fmt="bgr0", cuts=(20,), gop=1)
    path = recipe.make(tmp_path / "film.mkv")
    film, index = surveyed(path)
    (frames,) = survey_ranges(index, 1000)
    assert not film.picture.grey
    assert Surveyor(str(path)).cuts(film.picture, index.span(*frames), frames, 0).cuts == (20,)
