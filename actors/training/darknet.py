"""Tiny Darknet, a small ImageNet classifier with its published weights, as features for perceptual losses.

Redmon, "Darknet: Open Source Neural Networks in C" (2013-2016), the model "tiny". Its batch norms are folded into its
convolutions, and its classifier is left out.
"""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from jobs.errors import BadInput

EPSILON = 1e-3
"""Of the published batch norms."""
SLOPE = 0.1
STAGES = (
    ((3, 16),),
    ((3, 32),),
    ((1, 16), (3, 128), (1, 16), (3, 128)),
    ((1, 32), (3, 256), (1, 32), (3, 256)),
    ((1, 64), (3, 512), (1, 64), (3, 512)),
)
"""Kernel size and output channels of its convolutions, one row per halving."""


class DarknetEncoder(nn.Module):
    """Tiny Darknet without its classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        channels = 3
        for row in STAGES:
            layers: list[nn.Module] = []
            for size, out in row:
                layers += [nn.Conv2d(channels, out, size, padding=size // 2), nn.LeakyReLU(SLOPE, inplace=True)]
                channels = out
            self.stages.append(nn.Sequential(*layers))

    def forward(self, picture_N3HW: Tensor) -> list[Tensor]:
        """R'G'B', 0..1, its sides multiples of 16 -> five maps, N 16 H W to N 512 H/16 W/16."""
        maps: list[Tensor] = []
        x = picture_N3HW
        for stage in self.stages:
            x = stage(halved(x) if maps else x)
            maps.append(x)
        return maps


def halved(x: Tensor) -> Tensor:
    """Max pooling by two, N C H W -> N C H/2 W/2. torch's own also keeps where each maximum lay, at twice the time."""
    rows = torch.maximum(x[:, :, ::2], x[:, :, 1::2])
    return torch.maximum(rows[..., ::2], rows[..., 1::2])


def load_encoder(path: Path) -> DarknetEncoder:
    """The published weights, a safetensors file, on the processor; not to be trained. Raises BadInput for another file."""
    try:
        published = load_file(path)
        state: dict[str, Tensor] = {}
        number = 0
        for stage, row in enumerate(STAGES):
            for layer in range(len(row)):
                number += 1
                name = f"stages.{stage}.{2 * layer}"
                state[f"{name}.weight"], state[f"{name}.bias"] = _folded(published, number)
        encoder = DarknetEncoder()
        encoder.load_state_dict(state)
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise BadInput(
            f"course.features = {path}: not Tiny Darknet's published weights as safetensors ({str(error).splitlines()[0]}); "
            "name their file."
        ) from None
    return encoder.requires_grad_(False)


def _folded(published: dict[str, Tensor], number: int) -> tuple[Tensor, Tensor]:
    # Kernel (out, in, height, width) and bias of one published convolution with its batch norm.
    norm = f"batch_normalization_{number}"
    gain = published[f"{norm}/gamma"] / torch.sqrt(published[f"{norm}/moving_variance"] + EPSILON)
    kernel = published[f"conv2d_{number}/kernel"].permute(3, 2, 0, 1)
    bias = published[f"{norm}/beta"] - published[f"{norm}/moving_mean"] * gain
    return (kernel * gain[:, None, None, None]).contiguous(), bias
