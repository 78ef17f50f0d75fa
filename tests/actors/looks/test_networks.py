"""Networks in memory: settings share one, and it is freed with the last look that runs it; a worker keeps few generators, a network few captured shapes."""

import gc
from collections.abc import Iterator
from weakref import ref

import pytest
import torch
from torch import nn

from actors.looks import MOST_GENERATORS, fit, hire, recent
from actors.looks.colorize.generator import ColorizeGenerator
from actors.looks.networks import MOST_SHAPES, Captured, shared
from actors.looks.paint_settings import PaintSettings
from actors.looks.painter import Painter
from actors.picture.colour import Quantiser
from actors.picture.frame_batches import FrameBatch
from actors.picture.generator import Generator
from jobs.film.source import Colour
from jobs.plan.plan import Look
from jobs.spec.job import LookChoice

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    gc.collect()


def colorize(saturation: float, **settings: float) -> Look:
    return fit(LookChoice(name="colorize", settings={"saturation": saturation, "size": 128, **settings}))


def bytes_of_tensors() -> int:
    gc.collect()
    return sum(held.nbytes for held in gc.get_objects() if type(held) in (torch.Tensor, nn.Parameter))


def test_a_hundred_saturations_and_strengths_keep_no_more_memory_than_one() -> None:
    generators: dict[str, Generator] = {}
    colour = Colour(matrix="bt709", full_range=False, primaries=1, transfer=1, space=1, assumed=False)
    frames = FrameBatch(torch.zeros(8, 90, 160, dtype=torch.uint8), None, Quantiser(colour, 8))
    held = []
    for n in range(100):
        generator = recent(generators, colorize(n / 100, strength=1 - n / 200), CPU)
        if n in (0, 99):
            assert sum(len(several) for several in generator.render([frames])) == 8
            held.append(bytes_of_tensors())
    assert held[1] == held[0] > 1_000_000


def test_a_hundred_settings_share_one_network_and_few_are_kept() -> None:
    generators: dict[str, Generator] = {}
    networks = {id(vars(recent(generators, colorize(n / 100), CPU))["network"]) for n in range(100)}
    assert len(networks) == 1
    assert len(generators) == MOST_GENERATORS
    # The latest are kept, and whoever is asked for again is one of them.
    first = next(iter(generators))
    assert '"saturation":0.84' in first
    again = generators[first]
    assert recent(generators, colorize(0.84), CPU) is again
    assert next(reversed(generators)) == first


def test_other_weights_and_other_kinds_share_nothing_and_the_last_look_frees_a_network() -> None:
    loads: list[str] = []

    def load(name: str) -> nn.Module:
        loads.append(name)
        return nn.Identity()

    one = shared("kind", "a", CPU, lambda: load("a"))
    assert shared("kind", "a", CPU, lambda: load("a")) is one
    assert shared("kind", "b", CPU, lambda: load("b")) is not one
    assert shared("other", "a", CPU, lambda: load("a of the other")) is not one
    gone = ref(one)
    del one
    assert gone() is None
    again = shared("kind", "a", CPU, lambda: load("a again"))
    assert loads == ["a", "b", "a of the other", "a again"]
    assert isinstance(again, nn.Identity)


def test_a_network_that_cannot_be_loaded_is_tried_again() -> None:
    def broken() -> nn.Module:
        raise ValueError("not whole")

    with pytest.raises(ValueError, match="not whole"):
        shared("kind", "broken", CPU, broken)
    assert isinstance(shared("kind", "broken", CPU, nn.Identity), nn.Identity)


def test_captured_shapes_are_few_and_give_the_networks_answers() -> None:
    torch.manual_seed(1)
    network = nn.Conv2d(1, 2, 3).requires_grad_(False)
    run = Captured(network)
    for size in (*range(4, 12), 4):
        shown = torch.rand(1, 1, size, size)
        torch.testing.assert_close(run(shown), network(shown))
    assert len(run._runs) == MOST_SHAPES


class Seen:
    """A network that keeps the shapes it is shown."""

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, shown: torch.Tensor) -> torch.Tensor:
        self.shapes.append(tuple(shown.shape))
        return shown.new_empty(len(shown), self.channels, *shown.shape[-2:])


def on_a_device(frames: int, whole: int) -> FrameBatch:
    """Plates on a device that is no processor, and has no numbers."""
    luma = torch.empty(frames, 64, 128, dtype=torch.uint8, device="meta")
    colour = Colour(matrix="bt709", full_range=False, primaries=1, transfer=1, space=1, assumed=False)
    return FrameBatch(luma, None, Quantiser(colour, 8), whole=whole)


@pytest.mark.parametrize("whole", [8, 4, 2])
def test_a_device_is_shown_one_shape_and_a_smaller_one_where_memory_ran_out(whole: int) -> None:
    """Partial batches are filled up to whole ones; whole ones are as the renderer says, so that halving them helps."""
    colours = hire(colorize(1.0), CPU)
    assert isinstance(colours, ColorizeGenerator)
    colours.network = seen = Seen(2)  # type: ignore[assignment]
    painted = Seen(3)
    painter = Painter(painted, PaintSettings())
    for frames in (whole, 1):
        batch = on_a_device(frames, whole)
        colours._chroma(batch.luma(), batch.whole)
        assert len(list(painter.render([batch]))) == frames
    assert seen.shapes == [(whole, 1, 64, 128)] * 2
    assert painted.shapes == [(whole, 3, 64, 128)] * 2
