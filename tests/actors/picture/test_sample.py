"""For: the sample film. Promises: frames, cuts, fades, sound are exact; a seed gives the same bytes. Knows no art."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from actors.picture.sample.film import make_sample, sample_cuts
from actors.picture.sample.views import sample_pictures
from jobs.stills.names import frame_of

COUNT, SIZE, RATE = 144, (256, 144), Fraction(24)


@dataclass(frozen=True)
class Shown:
    """What a decoder makes of a sample: lumas NHW and chromas, times in seconds, sound samples for each channel."""

    lumas: npt.NDArray[np.uint8]
    chromas: npt.NDArray[np.uint8]
    times: list[Fraction]
    samples: int
    loudest: float
    tags: tuple[int, ...]


def shown(path: Path) -> Shown:
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        tags = stream.codec_context
        frames = list(film.decode(stream))
        planes = np.stack([frame.to_ndarray() for frame in frames]).astype(np.uint8)
        times = [Fraction(frame.pts or 0) * (frame.time_base or 0) for frame in frames]
        kinds = (tags.color_range, tags.colorspace, tags.color_primaries, tags.color_trc)
        high = tags.height
        assert tags.pix_fmt == "yuv420p"
        assert tags.name == "h264"
    with av.open(str(path)) as film:
        assert film.streams.audio[0].channels == 2
        waves = [frame.to_ndarray() for frame in film.decode(audio=0)]
    sound = np.concatenate(waves, 1)
    return Shown(planes[:, :high], planes[:, high:], times, sound.shape[1], float(np.abs(sound).max()), kinds)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    path = tmp_path_factory.mktemp("sample") / "sample.mp4"
    make_sample(path, seconds=6.0, size=SIZE, rate=RATE)
    return shown(path)


def test_every_frame_is_there_at_its_own_time(sample: Shown) -> None:
    assert sample.lumas.shape == (COUNT, SIZE[1], SIZE[0])
    assert sample.times == [n / RATE for n in range(COUNT)]


def test_grey_in_bt709_limited(sample: Shown) -> None:
    assert sample.tags == (1, 1, 1, 1)
    assert (sample.chromas == 128).all()


def test_cuts_are_cuts_and_shots_are_calm(sample: Shown) -> None:
    changes = np.abs(np.diff(sample.lumas.astype(np.int16), axis=0)).mean((1, 2))
    cuts = [cut - 1 for cut in sample_cuts(COUNT)]
    inside = np.delete(changes, cuts)
    assert len(cuts) == 5
    assert inside.max() < 20
    assert changes[cuts].min() > 2 * inside.max()


def test_fades_from_black_and_to_black(sample: Shown) -> None:
    assert np.abs(sample.lumas[[0, -1]].astype(int) - 16).max() <= 1
    means = sample.lumas.mean((1, 2))
    assert (np.diff(means[:10]) > 0).all()
    assert (np.diff(means[-10:]) < 0).all()


def test_shots_have_many_greys(sample: Shown) -> None:
    edges = [0, *sample_cuts(COUNT), COUNT]
    middles = [(start + stop) // 2 for start, stop in pairwise(edges)]
    assert min(len(np.unique(sample.lumas[n])) for n in middles) > 100


def test_sound_is_as_long_as_the_picture_quiet_and_there(sample: Shown) -> None:
    assert abs(sample.samples - COUNT / RATE * 48_000) <= 1024
    assert 0.05 < sample.loudest < 0.7


def test_a_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make_sample(tmp_path / name, seconds=2.0, size=(128, 72), rate=Fraction(24000, 1001), seed=3)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert shown(tmp_path / "one").times == [n * Fraction(1001, 24000) for n in range(48)]


def test_pictures_are_in_colour_and_differ() -> None:
    pictures = sample_pictures((128, 72), 8)
    assert [(one.shape, one.dtype) for one in pictures] == [((72, 128, 3), np.dtype(np.uint8))] * 6
    assert len({one.tobytes() for one in pictures}) == 6
    sky, ground = pictures[2][:20].mean((0, 1)), pictures[2][-20:].mean((0, 1))
    assert sky.argmax() == 2
    assert ground.argmax() == 1


@pytest.mark.parametrize(("seconds", "size"), [(0.4, (128, 72)), (2.0, (127, 72)), (2.0, (128, 71)), (2.0, (62, 72))])
def test_refuses_what_cannot_be(tmp_path: Path, seconds: float, size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="12 frames or more"):
        make_sample(tmp_path / "no.mp4", seconds=seconds, size=size)
    assert not (tmp_path / "no.mp4").exists()


def test_painted_stills_are_of_its_frames_and_in_colour(tmp_path: Path) -> None:
    film, painted = tmp_path / "sample.mp4", tmp_path / "painted"
    make_sample(film, seconds=6.0, size=SIZE, rate=RATE, stills=painted)
    lumas = shown(film).lumas
    stills = {frame_of(path.name): np.asarray(Image.open(path), np.float32) for path in painted.iterdir()}
    assert sorted(str(frame) for frame in stills) == ["132", "84"]
    for frame, still in stills.items():
        assert frame is not None
        assert still.shape == (SIZE[1], SIZE[0], 3)
        assert np.corrcoef(still.mean(2).ravel(), lumas[frame].ravel())[0, 1] > 0.9
        assert np.ptp(still, 2).mean() > 20
