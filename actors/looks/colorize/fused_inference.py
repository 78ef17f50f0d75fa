"""Prepares a convolutional network for inference, on a CPU with each convolution and its activation fused into one call.

torch's own convolution lays out its kernel for oneDNN anew each time it is called, and an activation after it reads and
writes the whole map once more: for small pictures a fifth of the time. The operators are those torch's own compiler calls;
they are not public, hence the pinned torch, and a test that holds them to the plain network.
"""

import torch
from torch import Tensor, nn

from actors.looks.colorize.encoder import Clipped
from actors.picture.device import working_dtype

ONEDNN = torch.ops.mkldnn


class Fused(nn.Module):
    """A convolution that will not change any more, and what follows it."""

    def __init__(self, kernel: nn.Conv2d, activation: str, scalars: tuple[float, ...]) -> None:
        super().__init__()
        self.weight, self.bias = kernel.weight, kernel.bias
        self.geometry = (kernel.padding, kernel.stride, kernel.dilation, kernel.groups)
        self.activation = (activation, list(scalars), "")
        self.laid_out: dict[
            torch.Size, Tensor
        ] = {}  # the best layout depends on the map's size; films of a job have one

    def forward(self, x: Tensor) -> Tensor:
        """N inside H W -> N out h w."""
        if x.shape not in self.laid_out:
            self.laid_out[x.shape] = ONEDNN._reorder_convolution_weight(self.weight, *self.geometry, list(x.shape))
        kernel = self.laid_out[x.shape]
        made: Tensor = ONEDNN._convolution_pointwise(x, kernel, self.bias, *self.geometry, *self.activation)
        return made


def running(network: nn.Module, device: torch.device, dtype: torch.dtype | None = None) -> nn.Module:
    """The network as it runs on a device, where it already lies: its precision (or `dtype`), its layout, and on a processor fused."""
    ready = network.to(dtype=dtype or working_dtype(device), memory_format=torch.channels_last)  # type: ignore[call-overload]
    processor = device.type == "cpu" and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return fused(ready) if processor else ready


def fused(network: nn.Module) -> nn.Module:
    """The network itself, each convolution in it made a `Fused`. It can no longer be trained, moved or made of another precision."""
    for name, part in list(network.named_children()):
        if isinstance(part, Clipped):
            setattr(network, name, Fused(part, "hardtanh", (0.0, 6.0)))
        elif isinstance(part, nn.Conv2d):
            setattr(network, name, Fused(part, "none", ()))
        elif isinstance(part, nn.Sequential) and isinstance(part[-1], nn.LeakyReLU) and isinstance(part[0], nn.Conv2d):
            setattr(network, name, Fused(part[0], "leaky_relu", (part[-1].negative_slope,)))
        else:
            fused(part)
    return network
