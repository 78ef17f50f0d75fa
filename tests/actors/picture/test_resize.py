"""Resizing: both ways give the same picture, means are true means, and no bit hangs on batches or threads."""

from collections.abc import Iterator

import cv2
import pytest
import torch
from torch import Tensor

from actors.picture.resize import by_opencv, by_torch, resized

SIZES = [
    ((72, 128), (32, 45)),
    ((72, 128), (36, 64)),
    ((50, 38), (50, 19)),
    ((32, 45), (72, 128)),
    ((19, 25), (38, 50)),
    ((7, 5), (3, 9)),
    ((1, 1), (8, 6)),
    ((9, 9), (1, 1)),
]


def stack(size: tuple[int, int], pictures: int = 3) -> Tensor:
    return torch.rand(pictures, 2, *size, generator=torch.Generator().manual_seed(7))


@pytest.fixture
def threads() -> Iterator[None]:
    before = cv2.getNumThreads()
    yield
    cv2.setNumThreads(before)


@pytest.mark.parametrize(("size", "wanted"), SIZES)
def test_both_ways_agree(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    torch.testing.assert_close(by_opencv(stack(size), wanted), by_torch(stack(size), wanted), atol=2e-4, rtol=0)


def test_a_smaller_sample_is_the_mean_of_what_it_covers() -> None:
    row = torch.tensor([[[[1.0, 2.0, 4.0]]]])
    wanted = torch.tensor([[[[(1 + 2 / 2) / 1.5, (2 / 2 + 4) / 1.5]]]])
    for way in (by_opencv, by_torch):
        torch.testing.assert_close(way(row, (1, 2)), wanted)


def test_the_same_size_changes_no_value() -> None:
    assert torch.equal(resized(stack((6, 8)), (6, 8)), stack((6, 8)))
    whole = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    assert resized(whole, (16, 16)).dtype == torch.float32
    assert torch.equal(resized(whole, (16, 16)).to(torch.uint8), whole)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32])
def test_integers_are_averaged_in_fractions(dtype: torch.dtype) -> None:
    whole = (stack((30, 40)) * 255).to(dtype)
    assert torch.equal(resized(whole, (12, 16)), resized(whole.to(torch.float32), (12, 16)))
    assert resized(whole, (12, 16)).frac().abs().max() > 0


@pytest.mark.parametrize(("size", "wanted"), SIZES)
def test_a_turned_picture_is_resized_as_one_that_lies_straight(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    turned = torch.rot90(stack(size), 1, (-2, -1))
    assert torch.equal(resized(turned, wanted), resized(turned.clone(memory_format=torch.contiguous_format), wanted))


@pytest.mark.parametrize(("size", "wanted"), [((720, 1280), (256, 448)), ((256, 448), (360, 640))])
@pytest.mark.usefixtures("threads")
def test_no_bit_hangs_on_batches_or_threads(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    whole = stack(size)
    results = []
    for count in (1, 2, 5):
        cv2.setNumThreads(count)
        results += [resized(whole, wanted), torch.cat([resized(one[None], wanted) for one in whole])]
    assert all(torch.equal(one, results[0]) for one in results)
