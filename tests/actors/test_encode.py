"""Segments: that equal pictures give equal bytes and equal settings segments that join."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from actors.encode import SegmentFacts, SegmentWriter, encoding_for
from jobs.errors import BadSpec
from jobs.formats import Codec, Deliverable
from jobs.records import Encoding
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


def test_odd_sizes_are_refused_for_h264_only() -> None:
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
