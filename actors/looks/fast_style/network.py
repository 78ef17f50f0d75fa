"""Reads published feed-forward style networks of one family, and refuses any other file in one sentence.

The family: Johnson, Alahi and Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution" (2016), with
the instance norm of Ulyanov, Vedaldi and Lempitsky (2016), as written in lengstrom/fast-style-transfer and published by
reiinakano/fast-style-transfer-deeplearnjs:

    conv 9x9 3->a, conv 3x3 /2 a->b, conv 3x3 /2 b->c              each: instance norm, ReLU
    any number of residual blocks: x + norm(conv(ReLU(norm(conv(x)))))     conv 3x3 c->c
    transposed conv 3x3 x2 c->d, transposed conv 3x3 x2 d->e       each: instance norm, ReLU
    conv 9x9 e->3, instance norm, 150 tanh(x) + 127.5              R'G'B', 0..255, in and out

A file holds three tensors for each convolution, in this order: the kernel (height, width, in, out; of transposed ones height,
width, out, in), the norm's shift and its scale; their names are Variable, Variable_1, Variable_2 ... There is no bias.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from actors.looks.fast_style.layers import Convolution, Doubling, Finish, Kernel
from actors.looks.weights import tensors_in

FIRST = 3
"""Convolutions before the residual blocks, and after them."""


@dataclass(frozen=True)
class Layer:
    """A convolution and the instance norm that follows it."""

    kernel: Kernel
    scale_C: Tensor
    shift_C: Tensor


@dataclass(frozen=True)
class StyleNetwork:
    """One style: its layers in the order they work."""

    down: tuple[Layer, ...]
    """From the picture to a quarter of its size."""
    blocks: tuple[tuple[Layer, Layer], ...]
    up: tuple[Layer, ...]
    """From there to a picture of twice twice that size."""


def load_network(path: Path, device: torch.device, dtype: torch.dtype) -> StyleNetwork:
    """The network in a safetensors file. Kernels from the first residual block to the last but one are `dtype`, the others
    float32: on a bright and nearly flat picture bfloat16 before the first norms moves the result by 12/255 in the mean.

    Raises ValueError, one sentence, for a file that is not of the family, and BadLook for one that cannot be read.
    """
    found = {name: tensor.float().to(device) for name, tensor in tensors_in(path).items()}
    _check(path, found)
    layers = [_layer(found, place, len(found) // 3, dtype) for place in range(len(found) // 3)]
    pairs = iter(layers[FIRST:-FIRST])
    return StyleNetwork(tuple(layers[:FIRST]), tuple(zip(pairs, pairs, strict=True)), tuple(layers[-FIRST:]))


def _name(number: int) -> str:
    return f"Variable_{number}" if number else "Variable"


def _layer(found: dict[str, Tensor], place: int, layers: int, dtype: torch.dtype) -> Layer:
    kernel, shift, scale = (found[_name(3 * place + part)] for part in range(3))
    turned = kernel.permute(3, 2, 0, 1)
    if place == layers - 1:
        return Layer(Finish(turned), scale, shift)
    turned = turned.to(torch.float32 if place < FIRST else dtype).contiguous(memory_format=torch.channels_last)
    if place >= layers - FIRST:
        return Layer(Doubling(turned), scale, shift)
    return Layer(Convolution(turned, 2 if place in (1, 2) else 1), scale, shift)


def _check(path: Path, found: dict[str, Tensor]) -> None:
    layers = len(found) // 3
    wanted = [_name(number) for number in range(len(found))]
    if unknown := sorted(found.keys() - set(wanted)):
        missing = next(name for name in wanted if name not in found)
        raise ValueError(f"{path} has no tensor {missing!r}, but {unknown[0]!r}: it is not of this family of networks")
    if len(found) % 3 or layers < 2 * FIRST or layers % 2:
        raise ValueError(
            f"{path} has {len(found):,} tensors; this family has three for each convolution, and 6 convolutions and 2 more "
            "for each residual block"
        )
    channels = 3
    for place in range(layers):
        kernel = found[_name(3 * place)]
        side = 9 if place in (0, layers - 1) else 3
        turned = layers - FIRST <= place < layers - 1
        same = FIRST <= place < layers - FIRST
        out = kernel.shape[2 if turned else 3] if kernel.ndim == 4 else 0
        out = 3 if place == layers - 1 else channels if same else out
        _expect(path, found, 3 * place, (side, side, out, channels) if turned else (side, side, channels, out))
        _expect(path, found, 3 * place + 1, (out,))
        _expect(path, found, 3 * place + 2, (out,))
        channels = out


def _expect(path: Path, found: dict[str, Tensor], number: int, shape: tuple[int, ...]) -> None:
    name = _name(number)
    if found[name].shape != shape or 0 in shape:
        raise ValueError(f"{path}: tensor {name!r} has the shape {tuple(found[name].shape)}, where {shape} is expected")
