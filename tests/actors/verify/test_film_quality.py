"""Any film measured against its source: every planted fault is found in the shot where it lies, and a clean film is clean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from actors.verify.film_quality import film_quality, listed_cuts
from actors.verify.loudness import loudness_of
from jobs.errors import BadMedia
from jobs.records.quality import Check, QualityReport
from jobs.spec.quality import QualityBounds
from tests.actors.cutting import clip
from tests.farm.inline import shot_list

RATE, CUT, FRAMES = 24, 30, 72
HEIGHT, WIDTH = 112, 192
BOUNDS = QualityBounds(legal=1.0)
Planes = list[NDArray[np.float64]]
"""Y', Cb, Cr of 4:2:0."""


def pictures() -> Iterator[Planes]:
    """Two shots: soft shapes that stand still, in soft colours, and a block that moves before them."""
    for number in range(FRAMES):
        rng = np.random.default_rng(number >= CUT)
        luma = cv2.resize(rng.uniform(60, 190, (6, 10)), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        chroma = [
            cv2.resize(rng.uniform(118, 138, (4, 6)), (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_CUBIC)
            for _ in "br"
        ]
        luma[40:70, 2 * number : 2 * number + 30] = 205
        yield [np.asarray(plane, np.float64) for plane in (luma, *chroma)]


Fault = Callable[[int, Planes], Planes]


def film(path: Path, fault: Fault | None = None, *, level: float = -20.0, seconds: float = FRAMES / RATE) -> Path:
    """The pictures, each with its fault, and a tone of so many dB of full scale."""
    with av.open(str(path), "w") as out:
        picture = out.add_stream("ffv1", rate=RATE)
        sound = out.add_stream("flac", rate=48000, layout="stereo")
        assert isinstance(picture, VideoStream)
        assert isinstance(sound, AudioStream)
        picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        context = picture.codec_context
        context.colorspace = context.color_primaries = context.color_trc = context.color_range = 1
        for number, planes in enumerate(pictures()):
            planes = fault(number, planes) if fault else planes
            planar = np.concatenate([one.ravel() for one in planes]).reshape(-1, WIDTH)
            frame = av.VideoFrame.from_ndarray(planar.round().clip(0, 255).astype(np.uint8), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            out.mux(picture.encode(frame))
        out.mux(picture.encode(None))
        tone = 10 ** (level / 20) * np.sin(2 * np.pi * 997 * np.arange(round(48000 * seconds)) / 48000)
        both = np.repeat((tone * 32767).round().astype(np.int16), 2)[None]
        heard = AudioFrame.from_ndarray(np.ascontiguousarray(both), format="s16", layout="stereo")
        heard.sample_rate, heard.pts, heard.time_base = 48000, 0, Fraction(1, 48000)
        out.mux(sound.encode(heard))
        out.mux(sound.encode(None))
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("source") / "film.mkv")


def lit(by: float) -> Fault:
    """Every second frame of the second shot is lighter by so many steps."""
    return lambda n, planes: [planes[0] + by * (n >= CUT and n % 2), *planes[1:]]


def once(at: int, change: Fault) -> Fault:
    return lambda n, planes: change(n, planes) if n == at else planes


def painted(luma: float, red: float, rows: int = 20) -> Fault:
    """Some rows in one colour."""

    def change(_: int, planes: Planes) -> Planes:
        planes[0][:rows], planes[2][: rows // 2] = luma, red
        return planes

    return change


def once_in_two(by: float) -> Fault:
    """Every second frame of the first shot is redder by so much where the block is, which moves."""

    def change(n: int, planes: Planes) -> Planes:
        if n < CUT and n % 2:
            planes[2][20:35, n : n + 15] += by
        return planes

    return change


def strobe(n: int, planes: Planes) -> Planes:
    return [planes[0] * 0 + (230 if n // 2 % 2 else 40) if n >= CUT else planes[0], *planes[1:]]


FAULTS: dict[str, tuple[Check, Fault, int, float, float]] = {
    "a flicker of two hundredths": ("flicker", lit(5.1), 2, 4.0, 6.0),
    "a colour that changes at once": (
        "jump",
        lambda n, planes: [planes[0], planes[1], planes[2] + 8 * (n >= 50)],
        2,
        3.0,
        5.0,
    ),
    "a colour that goes slowly": (
        "drift",
        lambda n, planes: [planes[0], planes[1] - max(0, n - CUT) / 5, planes[2] + max(0, n - CUT) / 5],
        2,
        5.0,
        9.0,
    ),
    "a colour that wavers as all moves": ("warp", once_in_two(4), 1, 2.0, 4.0),
    "a black frame": ("black", once(50, lambda _, planes: [planes[0] * 0 + 16, *planes[1:]]), 2, 1, 1),
    "a frame that is shown twice": ("frozen", once(11, lambda n, _: list(pictures())[n - 1]), 1, 1, 1),
    "a strobe": ("flash", strobe, 2, 10, FRAMES),
    "red beyond the gamut": ("gamut", once(8, painted(120, 235)), 1, 16.0, 20.0),
    "whites beyond nominal levels": ("legal", once(60, painted(245, 128)), 2, 16.0, 20.0),
}
"""Which check, the fault, in which shot it lies, and about how much of it there is."""


def test_a_clean_film_is_clean(source: Path, tmp_path: Path) -> None:
    found = film_quality(str(film(tmp_path / "film.mkv")), str(source), BOUNDS)
    assert (found.warnings, found.failures) == ((), ())
    assert [(one.shot, one.frames) for one in found.quality.shots] == [(1, (0, CUT)), (2, (CUT, FRAMES))]
    alone = film_quality(str(source), None, BOUNDS)
    assert (alone.warnings, alone.failures, alone.source) == ((), (), None)
    assert set(alone.quality.shots[0].figures) == {"flash", "gamut", "legal"}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, source: Path, tmp_path: Path) -> None:
    check, fault, shot, least, most = FAULTS[name]
    found = film_quality(str(film(tmp_path / "film.mkv", fault)), str(source), BOUNDS)
    figures = {one.shot: one.figures[check] for one in found.quality.shots}
    assert (figures.pop(shot).verdict, [one.verdict for one in figures.values()]) == ("warn", ["pass"])
    (value,) = (one.figures[check].value for one in found.quality.shots if one.shot == shot)
    assert least <= value <= most
    assert found.failures == ()


def test_what_the_source_does_itself_is_no_fault(source: Path, tmp_path: Path) -> None:
    for name, (check, fault, _, _, _) in FAULTS.items():
        if check != "frozen":
            both = str(film(tmp_path / f"{name}.mkv", fault))
            assert film_quality(both, both, BOUNDS).warnings == (), name


def test_a_bound_that_is_passed_fails(source: Path, tmp_path: Path) -> None:
    bounds = QualityBounds.model_validate({"flicker": {"fail": 2}})
    found = film_quality(str(film(tmp_path / "film.mkv", lit(5.1))), str(source), bounds)
    (sentence,) = found.failures
    assert sentence.startswith("shot 2 flickers by 5.")


def test_sound_is_held_against_the_sources(source: Path, tmp_path: Path) -> None:
    def sentences(name: str, level: float, seconds: float) -> tuple[str, ...]:
        place = film(tmp_path / f"{name}.mkv", level=level, seconds=seconds)
        return film_quality(str(place), str(source), BOUNDS).warnings

    assert sentences("loud", -14.0, 3.0) == ("sound 1 has -14.0 LUFS, and the source's -20.0",)
    assert sentences("near", -20.3, 3.0) == ()
    assert sentences("short", -20.0, 2.8) == ("sound 1 is 2.80 s long, and the source's 3.00 s",)
    assert sentences("silent", -120.0, 3.0) == ("sound 1 is silent, and the source's is not",)


def test_loudness_is_that_of_the_recommendation(source: Path) -> None:
    # ITU-R BS.1770-4: a sine of 997 Hz at full scale in one channel has -3.01 LKFS, so in two at -20 dB it has -20.0.
    (found,) = loudness_of(str(source))
    assert found.seconds == pytest.approx(3.0, abs=0.001)
    assert found.integrated == pytest.approx(-20.0, abs=0.1)


def test_a_film_of_another_length_fails(source: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mkv"
    with av.open(str(source)) as whole, av.open(str(cut), "w") as out:
        streams = {one.index: out.add_stream_from_template(one) for one in whole.streams}
        kept = 0
        for packet in whole.demux():
            video = packet.stream.type == "video"
            kept += video
            if packet.dts is not None and not (video and kept > FRAMES - 2):
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    found = film_quality(str(cut), str(source), BOUNDS)
    assert found.failures == (f"the film has {FRAMES - 2} frames and its source {FRAMES}",)
    assert sum(one.frames.frames for one in found.quality.shots) == FRAMES - 2


def test_shots_may_be_given(source: Path, tmp_path: Path) -> None:
    cuts = listed_cuts(str(shot_list(tmp_path / "cuts.csv", 0, 20, 50, frames=FRAMES)), str(source))
    found: QualityReport = film_quality(str(source), str(source), BOUNDS, cuts)
    assert [one.frames for one in found.quality.shots] == [(0, 20), (20, 50), (50, FRAMES)]


@pytest.mark.parametrize("name", ["chaplin.mp4", "sintel-30s.mp4"])
def test_a_real_film_that_is_only_encoded_is_clean(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.mkv"
    with av.open(str(clip(name))) as source, av.open(str(copy), "w") as out:
        read = source.streams.video[0]
        stream = out.add_stream("libx264", rate=read.average_rate, options={"preset": "superfast", "crf": "26"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = read.width, read.height, "yuv420p"
        for frame in source.decode(read):
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert film_quality(str(copy), str(clip(name)), QualityBounds()).quality.judged("warn") == []


@pytest.mark.parametrize("form", ["rgb24", "gbrp10le", "yuva444p10le", "nv12", "gray", "yuv422p12le"])
def test_any_form_of_picture_is_measured(form: str, tmp_path: Path) -> None:
    codec = "rawvideo" if form in ("nv12",) else "ffv1" if form not in ("rgb24",) else "png"
    path = tmp_path / "film.nut"
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=RATE)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, form
        for number in range(12):
            grey = np.full((HEIGHT, WIDTH), 100, np.uint8)
            grey[:, 8 * number : 8 * number + 20] = 180
            frame = av.VideoFrame.from_ndarray(grey, format="gray").reformat(format=form)
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    found = film_quality(str(path), str(path), BOUNDS)
    assert (found.frames, found.warnings, found.failures, found.sound) == (12, (), (), ())


def test_what_is_no_film_is_refused(tmp_path: Path) -> None:
    (tmp_path / "film.mkv").write_bytes(b"no film")
    with pytest.raises(BadMedia):
        film_quality(str(tmp_path / "film.mkv"), None, BOUNDS)
