"""The colouring network: a frame's chroma from its luma alone, the same in any batch."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actors.looks.colorize.encoder import CHANNELS, HEAD, FeatureEncoder
from actors.looks.weights import tensors_in

SLOPE = 0.1
MULTIPLE = 32  # height and width must be multiples of this: the neck works at a thirty-second
WIDTHS = (256, 160, 96, 48, 16)
"""Channels at a thirty-second, sixteenth, eighth, quarter and half of the picture's size."""


def conv(inside: int, out: int, size: int = 3, norm: bool = False) -> nn.Sequential:
    """Convolution and leaky ReLU; `norm` puts a batch norm between them, for training only."""
    between: nn.Module = nn.BatchNorm2d(out) if norm else nn.Identity()
    kernel = nn.Conv2d(inside, out, size, padding=size // 2, bias=not norm)
    return nn.Sequential(kernel, between, nn.LeakyReLU(SLOPE, inplace=True))


def softened(x: Tensor) -> Tensor:
    """N C H W smoothed by 1 2 1 in both directions, edges repeated. Sums of shifted pictures: no convolution for two channels is as fast."""
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")
    rows = 0.5 * x[..., 1:-1, :] + 0.25 * (x[..., :-2, :] + x[..., 2:, :])
    return 0.5 * rows[..., 1:-1] + 0.25 * (rows[..., :-2] + rows[..., 2:])


class UpsampleBlock(nn.Module):
    """Doubles the size of a map bilinearly and joins it with the encoder's map of that size."""

    def __init__(self, below: int, beside: int, out: int, norm: bool, depth: int = 1) -> None:
        super().__init__()
        # Each with a norm of its own: without, the encoder's map grew forty times as strong and drowned the scene.
        self.below = conv(below, out, 1, norm)
        self.beside = conv(beside, out, 1, norm)
        self.blocks = nn.Sequential(*(conv(out, out, norm=norm) for _ in range(depth)))

    def forward(self, below: Tensor, beside: Tensor) -> Tensor:
        """N below H W, N beside 2H 2W -> N out 2H 2W."""
        risen = F.interpolate(self.below(below), scale_factor=2.0, mode="bilinear", align_corners=False)
        joined: Tensor = self.blocks(risen.add_(self.beside(beside)))
        return joined


class ColorNet(nn.Module):
    """A U-Net on EfficientNet-Lite0 that finishes at half size and shuffles up to the whole."""

    def __init__(self, norm: bool = False, dropout: float = 0.0) -> None:
        """`norm` builds the trainable form; `folded` turns its state into that of the plain form.

        `dropout`: share of the two deepest maps that is left out in training, so that no picture is known by heart.
        """
        super().__init__()
        self.dropout = dropout
        a, b, c, d, e = WIDTHS
        self.encoder = FeatureEncoder()
        self.neck = nn.Sequential(conv(HEAD, a, 1, norm), conv(a, a, norm=norm))
        self.scene = nn.Sequential(nn.Conv2d(HEAD, 128, 1), nn.LeakyReLU(SLOPE), nn.Conv2d(128, 2 * a, 1))
        self.rise16 = UpsampleBlock(a, CHANNELS[3], b, norm)
        self.rise8 = UpsampleBlock(b, CHANNELS[2], c, norm, depth=2)
        self.rise4 = UpsampleBlock(c, CHANNELS[1], d, norm)
        self.rise2 = UpsampleBlock(d, CHANNELS[0] + 4, e, norm)
        self.last = nn.Conv2d(e, 8, 3, padding=1)

    def forward(self, luma: Tensor) -> Tensor:
        """N 1 H W in 0..1 -> N 2 H W, B'-Y' and R'-Y' of BT.709."""
        # Kernels for another batch add in another order: in float32 the last bits differ. One by one costs a tenth.
        frames = torch.split(luma, 1) if luma.device.type == "cpu" else (luma,)
        return torch.cat([self.together(frame) for frame in frames])

    def together(self, luma: Tensor) -> Tensor:
        """The same of a batch as one, as it is learnt from: with batch norms, pictures then sway each other."""
        return self.finish(luma, *self.quarter(luma))

    def quarter(self, luma: Tensor) -> tuple[Tensor, Tensor]:
        """N 1 H W -> what the picture means, N 48 H/4 W/4, and its detail, N 20 H/2 W/2."""
        height, width = luma.shape[-2:]
        if height % MULTIPLE or width % MULTIPLE:
            raise ValueError(f"height and width must be multiples of {MULTIPLE}, not {height} and {width}")
        e2, e4, e8, e16, e32 = self.encoder(luma)
        if self.dropout:
            e16, e32 = (F.dropout2d(one, self.dropout, self.training) for one in (e16, e32))
        x = self.neck(e32)
        scale, shift = self.scene(e32.mean((2, 3), keepdim=True)).chunk(2, 1)
        x = self.rise16(x * (1 + scale) + shift, e16)
        x = self.rise4(self.rise8(x, e8), e4)
        # The encoder has lost where edges lie to a pixel; the luma itself, folded to half size, has not.
        return x, torch.cat((e2, F.pixel_unshuffle(luma, 2).to(e2.dtype)), 1)

    def finish(self, luma: Tensor, quarter: Tensor, half: Tensor) -> Tensor:
        """Both maps of `quarter` -> N 2 H W, float32: so few channels are faster so, plane by plane."""
        last = self.last(self.rise2(quarter, half)).to(torch.float32, memory_format=torch.contiguous_format)
        # Black has no colour: without this, fades flash blue and red.
        return softened(F.pixel_shuffle(last, 2)) * (8 * luma.float()).clamp(0, 1)


def folded(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state of `ColorNet(norm=True)` as a state of `ColorNet()`: batch norms become weights and biases."""
    plain = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
    for name in [name for name in plain if name.endswith(".running_mean")]:
        norm = name.removesuffix(".running_mean")
        kernel = norm.removesuffix(".1") + ".0"
        mean, spread = plain.pop(name), (plain.pop(f"{norm}.running_var") + 1e-5).sqrt()
        gain = plain.pop(f"{norm}.weight") / spread
        plain[f"{kernel}.weight"] = plain[f"{kernel}.weight"] * gain[:, None, None, None]
        plain[f"{kernel}.bias"] = plain.pop(f"{norm}.bias") - mean * gain
    return plain


def load_network(path: Path, device: torch.device | str) -> ColorNet:
    """The network ready to run. Raises BadLook for a file that cannot be read, ValueError for one that is not its weights."""
    found = tensors_in(path)
    network = ColorNet()
    wanted = network.state_dict()
    if missing := sorted(wanted.keys() - found.keys()):
        raise ValueError(f"{path} lacks {len(missing):,} tensors of this network, the first {missing[0]!r}")
    if left := sorted(found.keys() - wanted.keys()):
        raise ValueError(f"{path} has {len(left):,} tensors this network does not know, the first {left[0]!r}")
    for name, tensor in wanted.items():
        if found[name].shape != tensor.shape:
            shapes = f"{tuple(found[name].shape)}, not {tuple(tensor.shape)}"
            raise ValueError(f"{path}: tensor {name!r} has the shape {shapes}")
    network.load_state_dict({name: tensor.float() for name, tensor in found.items()})
    return network.to(device).eval().requires_grad_(False)
