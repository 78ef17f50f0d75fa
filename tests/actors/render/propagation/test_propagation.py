"""Propagation on synthetic scenes whose colour is known everywhere."""

import hashlib
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from actors.looks import colorize
from actors.picture.motion.flow import as_floats
from actors.render.propagation import propagation
from actors.render.propagation.frame_sequence import FrameSequence
from actors.render.propagation.guide_upsampling import filling_lines, planes_of, upsampled
from actors.render.propagation.matching import KnownPicture, Matcher, ReferenceMemory, from_cells
from actors.render.propagation.propagation import Guides, KnownColour, propagate
from actors.render.propagation.window import Window
from jobs.plan.ranges import Range

Floats = NDArray[np.float32]

BLUE, RED = np.array((0.1, -0.2), np.float32), np.array((-0.15, 0.1), np.float32)
HEIGHT, WIDTH, FRAMES = 96, 160, 13
WEIGHTS = Path(colorize.__file__).with_name("shipped") / "weights.safetensors"


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return Matcher(WEIGHTS)


def cloud(seed: int, height: int, width: int, channels: int, grain: float) -> Floats:
    """Smooth noise of mean 0 and deviation 1."""
    rough = np.random.default_rng(seed).standard_normal((height, width, channels)).astype(np.float32)
    smooth = cv2.GaussianBlur(rough, (0, 0), grain).reshape(height, width, channels)
    even: Floats = (smooth - smooth.mean((0, 1))) / smooth.std((0, 1))
    return even


def scene(seed: int, width: int) -> tuple[Floats, Floats]:
    """A texture's luma (HEIGHT, width), and a chroma (HEIGHT, width, 2) that luma does not tell."""
    luma = (0.5 + 0.15 * cloud(seed, HEIGHT, width, 1, 2.0)[..., 0]).clip(0.05, 0.95)
    return luma, 0.1 * cloud(seed + 1, HEIGHT, width, 2, 12.0)


def panned(step: int = 2) -> tuple[Floats, Floats]:
    """A texture that moves `step` pixels a frame: luma (T, H, W), chroma (T, H, W, 2)."""
    luma, chroma = scene(1, WIDTH + step * FRAMES)
    cut = [slice(step * at, step * at + WIDTH) for at in range(FRAMES)]
    return np.stack([luma[:, one] for one in cut]), np.stack([chroma[:, one] for one in cut])


def passing() -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """An opaque square that passes over a still texture: luma, chroma, and where the square is (T, H, W)."""
    back, back_chroma = scene(3, WIDTH)
    front, _ = scene(5, 40)
    luma, chroma = np.stack([back] * FRAMES), np.stack([back_chroma] * FRAMES)
    square = np.zeros(luma.shape, bool)
    for at in range(FRAMES):
        where = at, slice(30, 66), slice(20 + 6 * at, 60 + 6 * at)
        luma[where], chroma[where], square[where] = front[30:66] * 0.5, (-0.2, 0.3), True
    return luma, chroma, square


def sequence_of(luma_THW: Floats) -> FrameSequence:
    return Window(dict(enumerate(luma_THW))).sequence(Range(0, len(luma_THW)))


def known(chroma: Floats) -> KnownColour:
    return KnownColour(chroma, np.ones(chroma.shape[:2], np.float32))


def error(found: Floats, truth: Floats) -> float:
    """RMS error of chroma as a share of that of grey."""
    return float(np.sqrt(((found - truth) ** 2).mean() / (truth**2).mean()))


def sure(guides: Guides, luma: Floats) -> Floats:
    assert guides.chroma.shape == (*luma.shape, 2)
    assert guides.confidence.shape == luma.shape
    assert guides.chroma.dtype == guides.confidence.dtype == np.float32
    assert 0 <= guides.confidence.min() <= guides.confidence.max() <= 1
    return guides.chroma


def test_a_moving_texture_keeps_its_colours() -> None:
    luma, chroma = panned()
    found = sure(propagate(sequence_of(luma), known(chroma[0]), known(chroma[-1])), luma)
    assert error(found, chroma) < 0.08
    assert error(np.broadcast_to(chroma[0], chroma.shape), chroma) > 0.5, "the scene moves so far that flow is needed"


def test_an_anchor_keeps_its_own_colours_to_the_bit() -> None:
    luma, chroma = panned()
    found = propagate(sequence_of(luma), known(chroma[0]), known(chroma[-1])).chroma
    assert np.array_equal(found[0], chroma[0])
    assert np.array_equal(found[-1], chroma[-1])


@pytest.mark.parametrize("side", ["first", "last"])
def test_one_anchor_alone_serves_the_whole_span(side: str) -> None:
    luma, chroma = panned(1)
    ends = (known(chroma[0]), None) if side == "first" else (None, known(chroma[-1]))
    guides = propagate(sequence_of(luma), *ends)
    seen = (slice(None), slice(None), slice(16, WIDTH - 16))
    assert error(sure(guides, luma)[seen], chroma[seen]) < 0.08
    far, near = (-1, 1) if side == "first" else (0, -2)
    assert guides.confidence[far].mean() < guides.confidence[near].mean()


def test_what_is_uncovered_comes_from_the_side_that_saw_it() -> None:
    luma, chroma, square = passing()
    middle = FRAMES // 2
    # Behind the square in the first frame, in view in the middle: only the last frame tells.
    bare = square[0] & ~square[middle] & ~square[-1]
    assert bare.sum() > 500
    both = propagate(sequence_of(luma), known(chroma[0]), known(chroma[-1]))
    alone = propagate(sequence_of(luma), known(chroma[0]), None)
    assert error(both.chroma[middle][bare], chroma[middle][bare]) < 0.35
    assert error(alone.chroma[middle][bare], chroma[middle][bare]) > 1.5
    assert alone.confidence[middle][bare].mean() < 0.7 * both.confidence[middle][bare].mean()


def test_chroma_fades_with_luma() -> None:
    luma, chroma = panned(1)
    light = np.linspace(1, 0.2, FRAMES, dtype=np.float32)
    found = propagate(sequence_of(luma * light[:, None, None]), known(chroma[0]), None).chroma
    seen = (slice(8, -8), slice(8, WIDTH - 24))
    truth = chroma * light[:, None, None, None]
    assert error(found[-1][seen], truth[-1][seen]) < 0.35
    assert error(chroma[-1][seen], truth[-1][seen]) > 2, "not to fade would be far off"


def test_a_black_anchor_is_not_believed() -> None:
    luma, chroma = panned(1)
    luma[0] = 0
    guides = propagate(sequence_of(luma), known(np.zeros_like(chroma[0])), known(chroma[-1]))
    assert error(guides.chroma[FRAMES // 2], chroma[FRAMES // 2]) < 0.25


def test_the_same_span_gives_the_same_bits_in_another_process() -> None:
    program = (
        "import cv2, torch; cv2.setNumThreads(1); torch.set_num_threads(1)\n"
        "from tests.actors.render.propagation.test_propagation import fingerprint; print(fingerprint())"
    )
    answers = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(answers) == 1
    assert len(answers.pop().strip()) == 64


def fingerprint() -> str:
    luma, chroma, _ = passing()
    matcher = Matcher(WEIGHTS)
    guides = propagate(sequence_of(luma), known(chroma[0]), known(chroma[-1]), matcher=matcher)
    return hashlib.sha256(guides.chroma.tobytes() + guides.confidence.tobytes()).hexdigest()


def test_a_long_span_is_done_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    luma, chroma = panned()
    whole = propagate(sequence_of(luma), known(chroma[0]), known(chroma[-1])).chroma
    monkeypatch.setattr(propagation, "LONGEST", 6)
    parts = propagate(sequence_of(luma), known(chroma[0]), known(chroma[-1]))
    assert error(sure(parts, luma), chroma) < 0.15
    assert not np.array_equal(parts.chroma, whole)
    assert error(propagate(sequence_of(luma), None, known(chroma[-1])).chroma[4:], chroma[4:]) < 0.3


def test_each_part_of_a_long_span_is_matched_by_its_own_frames(
    monkeypatch: pytest.MonkeyPatch, matcher: Matcher
) -> None:
    """Far from the anchor a cut, behind it what the anchor shows elsewhere."""
    luma, chroma = photograph()
    plain = np.full_like(luma, 0.3)
    span = np.stack([luma, *[plain] * 6, *[np.roll(luma, 80, 1)] * 4])
    monkeypatch.setattr(propagation, "LONGEST", 6)
    found = propagate(sequence_of(span), known(chroma), None, (), matcher).chroma
    assert error(found[-1], np.roll(chroma, 80, 1)) < 0.8


def test_what_flow_loses_is_found_by_its_features(matcher: Matcher) -> None:
    """A cut within a span: flow leads nowhere, the reference shows the same things elsewhere."""
    luma, chroma = photograph()
    moved = np.roll(luma, 80, 1), np.roll(chroma, 80, 1)
    span = np.stack([np.full_like(luma, 0.3), moved[0], moved[0]])
    blank = KnownColour(np.zeros_like(chroma), np.zeros_like(luma))
    reference = KnownPicture(luma, chroma, np.ones_like(luma))
    found = propagate(sequence_of(span), blank, None, [reference], matcher).chroma[2]
    plain = propagate(sequence_of(span), blank, None).chroma[2]
    assert error(found, moved[1]) < 0.8
    assert error(plain, moved[1]) > 0.95


def test_matches_say_how_alike_things_are(matcher: Matcher) -> None:
    luma, chroma = photograph()
    memory = ReferenceMemory([KnownPicture(luma, chroma, np.ones_like(luma))], matcher)
    same = memory.match(luma)
    other = memory.match(scene(9, luma.shape[1])[0][: luma.shape[0]])
    assert same.confidence.mean() > 3 * other.confidence.mean()
    assert error(from_cells(same.chroma, *luma.shape), chroma) < 0.4


def photograph() -> tuple[Floats, Floats]:
    """Discs, stripes and chequers, each of a colour of its own: luma (96, 160), chroma."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    luma = np.full((HEIGHT, WIDTH), 0.75, np.float32)
    chroma = np.full((HEIGHT, WIDTH, 2), (0.1, -0.1), np.float32)
    for left, kind, colour in ((0, 0, (0.2, -0.05)), (56, 1, (-0.2, 0.1)), (104, 2, (-0.1, 0.3))):
        area = (slice(24, 80), slice(left + 8, left + 48))
        patterns = (
            (np.hypot(rows - 52, columns - left - 28) < 18),
            (np.sin(rows * 0.8) > 0),
            ((rows // 8 + columns // 8) % 2 > 0),
        )
        luma[area] = np.where(patterns[kind], 0.2, 0.5)[area]
        chroma[area] = colour
    return luma, chroma


def test_holes_take_the_colour_of_like_luma() -> None:
    luma = np.full((HEIGHT, WIDTH), 0.2, np.float32)
    luma[:, 80:] = 0.8
    chroma = np.where(luma[..., None] > 0.5, BLUE, RED).astype(np.float32)
    confidence = np.ones_like(luma)
    confidence[30:60, 60:100] = 0
    holed = np.where(confidence[..., None] > 0, chroma, 0.4).astype(np.float32)
    slopes_offsets = filling_lines(luma, planes_of(holed), confidence)
    found = [slope * luma + offset for slope, offset in zip(slopes_offsets[:2], slopes_offsets[2:], strict=True)]
    hole = confidence == 0
    assert error(np.dstack(found)[hole], chroma[hole]) < 0.1


def test_upsampled_chroma_has_the_edges_of_the_film() -> None:
    height, width = 4 * HEIGHT, 4 * WIDTH
    columns = np.arange(width) + 0.2 * np.arange(height)[:, None]
    dark = columns < 0.5 * width
    full = np.where(dark, np.float32(0.2), np.float32(0.7))
    truth = np.where(dark[..., None], BLUE, RED).astype(np.float32)
    luma, chroma = (as_floats(cv2.resize(one, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)) for one in (full, truth))
    plain = as_floats(cv2.resize(chroma, (width, height), interpolation=cv2.INTER_LINEAR))
    found = upsampled(luma, chroma, full).transpose(1, 2, 0)
    assert found.shape == truth.shape
    assert error(found, truth) < 0.5 * error(plain, truth)
