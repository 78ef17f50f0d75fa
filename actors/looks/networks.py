"""Shares loaded networks between all looks that run the same weights, and frees them with the last of those looks."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import torch
from torch import Tensor, nn

from actors.picture.device import captured

MOST_SHAPES = 4
"""Shapes of which one network's captured graph is kept. Each holds memory of its own; films of a job have one or two."""

Network = TypeVar("Network")

_networks: "WeakValueDictionary[tuple[str, ...], Any]" = WeakValueDictionary()
_loading = threading.Lock()


def shared(kind: str, weights: str, device: torch.device, load: Callable[[], Network]) -> Network:
    """The network of a kind of look with these weights (a digest, and whatever else changes what `load` gives) on a device.

    Loaded where no look in this process runs it yet. Raises what `load` raises.
    """
    key = (kind, weights, str(device))
    with _loading:
        found: Network | None = _networks.get(key)
        if found is None:
            found = _networks[key] = load()
    return found


class Captured:
    """A network that is shown pictures of few shapes, captured for each (see `actors.picture.device.captured`), with the latest kept."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self._runs: dict[tuple[torch.Size, torch.dtype], Callable[[Tensor], Tensor]] = {}

    def __call__(self, shown: Tensor) -> Tensor:
        """The network's answer. One thread at a time."""
        key = shown.shape, shown.dtype
        run = self._runs.pop(key, None) or captured(self.network, shown)
        while len(self._runs) >= MOST_SHAPES:
            del self._runs[next(iter(self._runs))]
        self._runs[key] = run  # the latest is last
        return run(shown)
