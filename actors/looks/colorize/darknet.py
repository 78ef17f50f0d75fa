"""For: Tiny Darknet, a small ImageNet classifier. Promises: its published features. Refuses to know: its uses."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

EPSILON = 1e-3  # of the published batch norms
SLOPE = 0.1

# (kernel size, output channels) of Tiny Darknet's convolutions, one row per halving.
STAGES = (
    ((3, 16),),
    ((3, 32),),
    ((1, 16), (3, 128), (1, 16), (3, 128)),
    ((1, 32), (3, 256), (1, 32), (3, 256)),
    ((1, 64), (3, 512), (1, 64), (3, 512)),
)


def conv(inside: int, out: int, size: int = 3, norm: bool = False) -> nn.Sequential:
    """Convolution and leaky ReLU; `norm` puts a batch norm between them, for training only."""
    between: nn.Module = nn.BatchNorm2d(out) if norm else nn.Identity()
    kernel = nn.Conv2d(inside, out, size, padding=size // 2, bias=not norm)
    return nn.Sequential(kernel, between, nn.LeakyReLU(SLOPE, inplace=True))


def halved(x: Tensor) -> Tensor:
    """Max pooling by two, N C H W -> N C H/2 W/2. torch's own also keeps where each maximum lay, at twice the time."""
    rows = torch.maximum(x[:, :, ::2], x[:, :, 1::2])
    return torch.maximum(rows[..., ::2], rows[..., 1::2])


class Encoder(nn.Module):
    """Tiny Darknet without its classifier, its batch norms folded into the convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        for row in STAGES:
            layers: list[nn.Module] = []
            for size, out in row:
                layers.append(conv(channels, out, size))
                channels = out
            self.stages.append(nn.Sequential(*layers))

    def forward(self, picture: Tensor) -> list[Tensor]:
        """N C H W -> five maps, N 16 H W to N 512 H/16 W/16."""
        maps: list[Tensor] = []
        x = picture
        for stage in self.stages:
            x = stage(halved(x) if maps else x)
            maps.append(x)
        return maps


def load_encoder(path: Path, channels: int) -> Encoder:
    """An encoder for RGB (3 channels) or for grey (1: the same answer as for RGB with three equal channels)."""
    published = load_file(path)
    state: dict[str, Tensor] = {}
    number = 0
    for stage, row in enumerate(STAGES):
        for layer in range(len(row)):
            number += 1
            name = f"stages.{stage}.{layer}.0"
            state[f"{name}.weight"], state[f"{name}.bias"] = folded_convolution(published, number)
    if channels == 1:
        state["stages.0.0.0.weight"] = state["stages.0.0.0.weight"].sum(1, keepdim=True)
    encoder = Encoder(channels)
    encoder.load_state_dict(state)
    return encoder


def folded_convolution(published: dict[str, Tensor], number: int) -> tuple[Tensor, Tensor]:
    """Weight (out, in, height, width) and bias of one published convolution with its batch norm."""
    norm = f"batch_normalization_{number}"
    gain = published[f"{norm}/gamma"] / torch.sqrt(published[f"{norm}/moving_variance"] + EPSILON)
    kernel = published[f"conv2d_{number}/kernel"].permute(3, 2, 0, 1)
    bias = published[f"{norm}/beta"] - published[f"{norm}/moving_mean"] * gain
    return (kernel * gain[:, None, None, None]).contiguous(), bias
