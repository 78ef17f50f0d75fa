"""Builds a network of the shape that look.json gives and loads its weights from safetensors. Never unpickles."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from jobs.errors import BadLook

Network = TypeVar("Network", bound=nn.Module)


def tensors_in(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name, on the processor. Raises BadLook where it is none, or holds numbers that are not finite."""
    try:
        found = load_file(path, device="cpu")
    except (SafetensorError, OSError) as error:
        raise BadLook(f"{path} is not a whole safetensors file ({error}); copy the whole look again.") from None
    for name in sorted(found):
        if found[name].is_floating_point() and not found[name].float().isfinite().all():
            raise BadLook(
                f"{path}: tensor {name[:80]!r} holds numbers that are not finite; copy the look again, or train it again."
            )
    return found


def loaded(path: Path, build: Callable[[], Network]) -> Network:
    """The network that `build` makes with the weights in a file, on the processor, in float32, ready to run. Raises BadLook."""
    found = tensors_in(path)
    with torch.device("meta"):
        network = build()
    wanted = {name: tuple(one.shape) for name, one in network.state_dict().items()}
    for name in sorted(wanted.keys() | found.keys()):
        has = tuple(found[name].shape) if name in found else None
        if has != wanted.get(name):
            raise BadLook(
                f"{path}: tensor {name!r} is {_told(has)} where look.json's network has {_told(wanted.get(name))}; the file "
                "is of another look."
            )
    network.load_state_dict({name: one.float() for name, one in found.items()}, assign=True)
    return network.eval().requires_grad_(False)


def _told(shape: tuple[int, ...] | None) -> str:
    return "none" if shape is None else " x ".join(map(str, shape)) or "a number"
