"""Segments: that equal pictures give equal bytes and equal settings segments that join, in every codec."""

import io
import tarfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from actors.encode.segment_writer import (
    PictureWriter,
    SegmentFacts,
    SegmentWriter,
    encoding_for,
    picture_name,
    rank_of,
    writer_for,
)
from actors.media.planes import planes_of
from jobs.errors import BadSpec, FilmFailed, NodeFault
from jobs.records.orders import Encoding
from jobs.spec.codecs import PICTURES, Codec
from jobs.spec.formats import Deliverable
from tests.actors.codecs import EVERY, called
from tests.films import Recipe, fingerprint, read_number
from tests.paper import film_of, picture_of

H264 = Deliverable(preset="medium")
FFV1 = Deliverable(codec=Codec.FFV1)


def encoding(deliverable: Deliverable, pix_fmt: str = "yuv420p", *, full: bool = False) -> Encoding:
    """How a deliverable of a small film is encoded."""
    return encoding_for(film_of(picture_of(pix_fmt, 192, 112, full=full)), deliverable, grey_stays_grey=False)


def write(path: Path, paper: Encoding, numbers: range) -> SegmentFacts:
    """A segment of numbered frames."""
    recipe = Recipe(pix_fmt=paper.pix_fmt)
    with SegmentWriter(paper, path) as writer:
        for number in numbers:
            writer.write(recipe.frame(number))
    return writer.facts


def waves(paper: Encoding, number: int) -> av.VideoFrame:
    """A smooth picture that moves, in any pixel format, with every value that it can hold."""
    frame = av.VideoFrame(paper.width, paper.height, paper.pix_fmt)
    for place, plane in enumerate(planes_of(frame)):
        y, x = np.mgrid[: plane.shape[0], : plane.shape[1]]
        wave = 0.5 + 0.3 * np.sin((x + 3 * number) / 29 + place) + 0.15 * np.cos((y - number) / 17)
        top = 1 if plane.dtype.kind == "f" else 2 ** frame.format.components[0].bits - 1
        plane[:] = (wave * top).astype(np.float16) if plane.dtype.kind == "f" else wave * top
    return frame


def write_waves(path: Path, paper: Encoding, numbers: range) -> SegmentFacts:
    with writer_for(paper, path) as writer:
        for number in numbers:
            writer.write(waves(paper, number))
    return writer.facts


def in_segment(path: Path, paper: Encoding) -> list[tuple[int, bool]]:
    """Rank and keyframe flag of each packet of a segment, in decode order; of pictures, of each file."""
    if paper.codec in PICTURES:
        with tarfile.open(path) as tar:
            return [(int(Path(name).stem), True) for name in tar.getnames()]
    with av.open(str(path)) as container:
        packets = [one for one in container.demux(video=0) if one.size]
        return [(rank, one.is_keyframe) for one in packets if (rank := rank_of(one)) is not None]


def shown(path: Path, paper: Encoding) -> list[av.VideoFrame]:
    """The decoded frames of a segment."""
    if paper.codec not in PICTURES:
        with av.open(str(path), "r") as container:
            return list(container.decode(video=0))
    frames = []
    with tarfile.open(path) as tar:
        for name in tar.getnames():
            file = tar.extractfile(name)
            assert file is not None
            with av.open(io.BytesIO(file.read()), "r") as picture:
                frames.append(next(picture.decode(video=0)))
    return frames


@pytest.mark.parametrize("deliverable", [*EVERY, Deliverable(preset="ultrafast")], ids=called)
def test_in_every_codec_segments_join_and_equal_pictures_give_equal_bytes(
    tmp_path: Path, deliverable: Deliverable
) -> None:
    film = film_of(picture_of("yuv420p", 256, 128))
    paper = encoding_for(film, deliverable, grey_stays_grey=False)
    runs = [range(9), range(9), range(50, 51), range(100, 107)]
    facts = [write_waves(tmp_path / str(place), paper, run) for place, run in enumerate(runs)]
    assert facts[0] == facts[1]
    assert len({one.sha256 for one in facts}) == 3
    assert len({one.extradata_sha256 for one in facts}) == 1
    for place, (run, one) in enumerate(zip(runs, facts, strict=True)):
        packets = in_segment(tmp_path / str(place), paper)
        assert sorted(rank for rank, _ in packets) == list(range(len(run)))
        assert packets[0][1]
        ahead = max(place - rank for place, (rank, _) in enumerate(packets))
        assert one.delay == ahead <= paper.reorder
    # What is promised at plan time is what a segment of some length takes, no more.
    assert facts[0].delay == paper.reorder


@pytest.mark.parametrize("deliverable", [one for one in EVERY if one.codec is not Codec.EXR], ids=called)
def test_every_codec_shows_the_picture_that_it_was_given(tmp_path: Path, deliverable: Deliverable) -> None:
    paper = encoding_for(film_of(picture_of("yuv420p", 256, 128)), deliverable, grey_stays_grey=False)
    write_waves(tmp_path / "a", paper, range(3))
    lossless = deliverable.codec in PICTURES or deliverable.codec is Codec.FFV1
    for number, found in enumerate(shown(tmp_path / "a", paper)):
        assert found.width == 256
        wanted = waves(paper, number)
        # Decoders open ProRes 4444 as 12 bit.
        scale = 2.0 ** (bits_of(found) - bits_of(wanted))
        for given, got in zip(planes_of(wanted), planes_of(found), strict=True):
            error = np.abs(got / scale - given.astype(np.float64)).max()
            assert error == 0 if lossless else error < 0.06 * 2 ** bits_of(wanted)


def bits_of(frame: av.VideoFrame) -> int:
    """Bits a sample."""
    return int(frame.format.components[0].bits)


def test_linear_light_is_kept_in_half_floats(tmp_path: Path) -> None:
    paper = encoding(Deliverable(codec=Codec.EXR))
    write_waves(tmp_path / "a", paper, range(2))
    for number, found in enumerate(shown(tmp_path / "a", paper)):
        assert found.format.name == "gbrpf16le"
        for part, wanted in zip(found.format.components, planes_of(waves(paper, number)), strict=True):
            rows = np.frombuffer(memoryview(found.planes[part.plane]), "<f2").reshape(found.height, -1)
            assert np.array_equal(rows[:, : found.width], wanted.astype(np.float16))


def test_pictures_lie_in_a_bare_tar_by_rank(tmp_path: Path) -> None:
    paper = encoding(Deliverable(codec=Codec.PNG))
    with writer_for(paper, tmp_path / "a") as writer:
        assert isinstance(writer, PictureWriter)
        for number in range(12):
            writer.write(waves(paper, number))
    with tarfile.open(tmp_path / "a") as tar:
        entries = tar.getmembers()
    assert [one.name for one in entries] == [picture_name(rank, paper) for rank in range(12)]
    assert entries[11].name == "0000011.png"
    assert {(one.mtime, one.uid, one.gid, one.uname, one.mode) for one in entries} == {(0, 0, 0, "", 0o644)}
    assert (writer.facts.frames, writer.facts.delay) == (12, 0)


def test_pictures_that_fail_leave_no_file(tmp_path: Path) -> None:
    paper = encoding(Deliverable(codec=Codec.PNG))
    writer = writer_for(paper, tmp_path / "a")
    writer.write(waves(paper, 0))
    with pytest.raises(ValueError, match="yuv422p"), writer:
        writer.write(Recipe(pix_fmt="yuv422p").frame(1))
    assert not (tmp_path / "a").exists()


def test_pictures_say_their_colours(tmp_path: Path) -> None:
    paper = encoding(Deliverable(codec=Codec.PNG))
    write_waves(tmp_path / "a", paper, range(1))
    (found,) = shown(tmp_path / "a", paper)
    assert (found.color_primaries, found.color_trc, found.colorspace, found.color_range) == (1, 1, 0, 2)


@pytest.mark.parametrize("frames", [9, 60])
def test_an_order_that_the_plan_does_not_allow_fails(tmp_path: Path, frames: int) -> None:
    paper = encoding(H264).model_copy(update={"reorder": 1})
    with pytest.raises(FilmFailed, match="would not join"):
        write(tmp_path / "a.mkv", paper, range(frames))
    assert not (tmp_path / "a.mkv").exists()


def test_a_gpus_encoder_that_is_not_here_is_this_machines_fault_in_one_sentence(tmp_path: Path) -> None:
    paper = encoding(Deliverable(encoder="nvenc"))
    try:
        with writer_for(paper, tmp_path / "a") as writer:
            writer.write(waves(paper, 0))
    except NodeFault as error:
        assert "set the deliverable's encoder to software" in str(error)  # noqa: PT017  # there may be no error
        assert not error.lasting  # noqa: PT017  # sessions that others hold are given back
        assert not (tmp_path / "a").exists()
    else:
        assert writer.facts.frames == 1


@pytest.mark.parametrize(
    "deliverable", [H264, Deliverable(preset="ultrafast", crf=30), FFV1], ids=["medium", "ultrafast", "ffv1"]
)
def test_equal_pictures_give_equal_bytes_and_all_segments_join(tmp_path: Path, deliverable: Deliverable) -> None:
    paper = encoding(deliverable)
    runs = [range(30), range(30), range(500, 501), range(100, 107), range(1000, 1120)]
    facts = [write(tmp_path / f"{place}.mkv", paper, run) for place, run in enumerate(runs)]
    assert facts[0] == facts[1]
    assert len({one.sha256 for one in facts}) == 4
    assert len({one.extradata_sha256 for one in facts}) == 1
    assert [one.frames for one in facts] == [len(run) for run in runs]
    assert facts[0].bytes == (tmp_path / "0.mkv").stat().st_size


def test_stamps_are_ranks_and_the_delay_is_what_the_decode_order_needs(tmp_path: Path) -> None:
    facts = write(tmp_path / "a.mkv", encoding(H264), range(60))
    with av.open(str(tmp_path / "a.mkv")) as container:
        packets = [one for one in container.demux(video=0) if one.size]
        ranks = [one.pts for one in packets if one.pts is not None]
    assert sorted(ranks) == list(range(60))
    assert facts.delay == max(place - rank for place, rank in enumerate(ranks)) > 0
    assert packets[0].is_keyframe
    with av.open(str(tmp_path / "a.mkv")) as container:
        assert [read_number(one) for one in container.decode(video=0)] == list(range(60))


@pytest.mark.parametrize(
    "pix_fmt",
    ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p12le", "gray", "gray10le", "gray16le"],
)
def test_ffv1_gives_back_every_bit(tmp_path: Path, pix_fmt: str) -> None:
    film = film_of(picture_of(pix_fmt, 192, 112))
    paper = encoding_for(film, FFV1, grey_stays_grey=True)
    assert paper.pix_fmt == pix_fmt
    rng = np.random.default_rng(1)
    frames = []
    for _ in range(3):
        frame = av.VideoFrame(192, 112, pix_fmt)
        for plane, part in zip(frame.planes, frame.format.components, strict=True):
            samples = np.frombuffer(memoryview(plane), "u1" if part.bits == 8 else "u2")
            samples[:] = rng.integers(0, 1 << part.bits, len(samples))
        frames.append(frame)
    with SegmentWriter(paper, tmp_path / "a.mkv") as writer:
        for frame in frames:
            writer.write(frame)
    with av.open(str(tmp_path / "a.mkv")) as container:
        assert [fingerprint(one) for one in container.decode(video=0)] == [fingerprint(one) for one in frames]


@pytest.mark.parametrize(
    ("pix_fmt", "grey_stays_grey", "becomes"),
    [
        ("gray", False, "yuv444p"),
        ("gray10le", False, "yuv444p10le"),
        ("gray16le", False, "yuv444p16le"),
        ("gray12le", True, "gray12le"),
        ("yuvj422p", False, "yuv422p"),
        ("yuv411p", False, "yuv411p"),
    ],
)
def test_ffv1_keeps_the_sources_pixels_and_makes_room_for_colour(
    pix_fmt: str, grey_stays_grey: bool, becomes: str
) -> None:
    assert encoding_for(film_of(picture_of(pix_fmt)), FFV1, grey_stays_grey).pix_fmt == becomes


@pytest.mark.parametrize("deliverable", [H264, FFV1], ids=["h264", "ffv1"])
@pytest.mark.parametrize("full", [False, True])
def test_colour_is_tagged(tmp_path: Path, deliverable: Deliverable, full: bool) -> None:
    write(tmp_path / "a.mkv", encoding(deliverable, full=full), range(2))
    with av.open(str(tmp_path / "a.mkv")) as container:
        context = container.streams.video[0].codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace) == (1, 1, 1)
        assert context.color_range == (2 if full else 1)
        assert container.streams.video[0].average_rate == 24


def test_paper_names_everything_that_fixes_the_bytes() -> None:
    paper = encoding(Deliverable(crf=20, preset="slow"))
    assert paper.library.startswith("libx264 / libavcodec ")
    assert paper.options["crf"] == "20"
    assert paper.options["preset"] == "slow"
    assert "open-gop=0" in paper.options["x264-params"]
    assert paper.options["g"] == "48"
    assert paper.threads == 4
    assert paper.time_base == Fraction(1, 24)
    assert encoding(FFV1).options == {
        "level": "3",
        "slices": "4",
        "slicecrc": "1",
        "coder": "1",
        "context": "0",
        "g": "1",
    }


def test_odd_sizes_are_refused_for_h264_and_not_for_ffv1() -> None:
    film = film_of(picture_of("yuv420p", 191, 112))
    with pytest.raises(BadSpec, match=r"191x112.*ffv1"):
        encoding_for(film, H264, grey_stays_grey=False)
    assert encoding_for(film, FFV1, grey_stays_grey=False).width == 191


def test_a_frame_of_another_form_is_refused_and_no_file_is_left(tmp_path: Path) -> None:
    writer = SegmentWriter(encoding(H264), tmp_path / "a.mkv")
    writer.write(Recipe().frame(0))
    with pytest.raises(ValueError, match="yuv422p"), writer:
        writer.write(Recipe(pix_fmt="yuv422p").frame(1))
    assert not (tmp_path / "a.mkv").exists()
    with pytest.raises(RuntimeError, match="not finished"):
        _ = writer.facts
