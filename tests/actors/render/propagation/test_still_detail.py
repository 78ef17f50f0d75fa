"""A still's fine detail on the frames beside it: brought where flow leads back to it, and nowhere else."""

import numpy as np
import torch
from numpy.typing import NDArray

from actors.picture.resize import resized
from actors.render.propagation.propagated_colour import detail_of, on_luma
from jobs.records.guides import DETAIL_REACH
from tests.actors.render.propagation.test_propagation import scene

Floats = NDArray[np.float32]
WIDTH, STEP = 160, 3


def tensor(plane: Floats) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(plane))[None, None]


def dotted(luma: Floats) -> Floats:
    """Chroma (2HW) in dots of two pixels, which no guide of a third of the size can hold."""
    rows, columns = np.indices(luma.shape)
    dots = ((rows % 8 < 2) & (columns % 8 < 2)).astype(np.float32)
    return np.stack([0.2 * dots, -0.3 * dots])


def still_of(luma: Floats, chroma: Floats, weight: float = 1.0) -> torch.Tensor:
    planes = np.stack([*chroma, np.full_like(luma, weight), luma])
    return torch.from_numpy(planes)[None]


def test_detail_follows_what_moves_and_fades_with_the_distance() -> None:
    luma, _ = scene(11, WIDTH + STEP)
    chroma = dotted(luma)
    here, there = slice(0, WIDTH), slice(STEP, WIDTH + STEP)
    low = (32, 48)
    detail = detail_of(still_of(luma[:, here], chroma[:, :, here]), low)
    lost = np.abs(chroma[:, :, there] - detail_low(luma[:, there], chroma[:, :, there], low))[:, 8:-8, 8:-8].mean()
    left = [
        np.abs(chroma[:, :, there] - detail_low(luma[:, there], chroma[:, :, there], low) - brought)[:, 8:-8, 8:-8]
        for brought in (detail.on(tensor(luma[:, there]), away)[0].numpy() for away in (1, DETAIL_REACH))
    ]
    assert left[0].mean() < 0.5 * lost
    assert left[0].mean() < left[1].mean() < lost


def detail_low(luma: Floats, chroma: Floats, size: tuple[int, int]) -> Floats:
    """The same chroma through a guide."""
    found: Floats = on_luma(resized(torch.from_numpy(np.ascontiguousarray(chroma))[None], size), tensor(luma))[
        0
    ].numpy()
    return found


def test_another_picture_and_what_is_not_painted_get_none() -> None:
    luma, _ = scene(11, WIDTH)
    other, _ = scene(12, WIDTH)
    detail = detail_of(still_of(luma, dotted(luma)), (32, 48))
    full = float(detail.on(tensor(luma), 1).abs().mean())
    assert float(detail.on(tensor(other), 1).abs().mean()) < 0.05 * full
    assert not detail_of(still_of(luma, dotted(luma), 0.0), (32, 48)).on(tensor(luma), 1).any()


def test_the_same_frame_gives_the_same_bits() -> None:
    luma, _ = scene(11, WIDTH)
    made = [detail_of(still_of(luma, dotted(luma)), (32, 48)).on(tensor(np.roll(luma, 2, 1)), 2) for _ in range(2)]
    assert torch.equal(*made)
