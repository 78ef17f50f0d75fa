"""For: the colourising network. Promises: chroma of a frame from its luma alone. Refuses to know: films."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from actors.looks.colorize.darknet import SLOPE, Encoder, conv

MULTIPLE = 32  # height and width must be multiples of this: the neck works at a thirty-second


def softened(x: Tensor) -> Tensor:
    """N C H W smoothed by 1 2 1 in both directions, edges repeated. Sums of shifted pictures: no convolution for two channels is as fast."""
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")
    rows = 0.5 * x[..., 1:-1, :] + 0.25 * (x[..., :-2, :] + x[..., 2:, :])
    return 0.5 * rows[..., 1:-1] + 0.25 * (rows[..., :-2] + rows[..., 2:])


class Rise(nn.Module):
    """Doubles the size of a map bilinearly and joins it with the encoder's map of that size."""

    def __init__(self, below: int, beside: int, out: int, norm: bool, depth: int = 2) -> None:
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
    """A U-Net on Tiny Darknet that finishes at half size and shuffles up to the whole."""

    def __init__(self, norm: bool = False) -> None:
        """`norm` builds the trainable form; `folded` turns its state into that of the plain form."""
        super().__init__()
        self.encoder = Encoder(1)
        self.neck = nn.Sequential(conv(512, 256, norm=norm), conv(256, 256, norm=norm))
        self.scene = nn.Sequential(nn.Conv2d(256, 128, 1), nn.LeakyReLU(SLOPE), nn.Conv2d(128, 512, 1))
        self.rise16 = Rise(256, 512, 256, norm)
        self.rise8 = Rise(256, 256, 128, norm)
        self.rise4 = Rise(128, 128, 64, norm)
        self.rise2 = Rise(64, 32 + 4, 32, norm, depth=1)
        self.last = nn.Conv2d(32, 8, 3, padding=1)

    def forward(self, luma: Tensor) -> Tensor:
        """N 1 H W in 0..1 -> N 2 H W, B'-Y' and R'-Y'."""
        # Kernels for another batch add in another order: in float32 the last bits differ. One by one costs a tenth.
        frames = torch.split(luma, 1) if luma.device.type == "cpu" else (luma,)
        return torch.cat([self.finish(frame, *self.quarter(frame)) for frame in frames])

    def quarter(self, luma: Tensor) -> tuple[Tensor, Tensor]:
        """N 1 H W -> what the picture means, N 64 H/4 W/4, and its detail, N 36 H/2 W/2."""
        height, width = luma.shape[-2:]
        if height % MULTIPLE or width % MULTIPLE:
            raise ValueError(f"height and width must be multiples of {MULTIPLE}, not {height} and {width}")
        _, e2, e4, e8, e16 = self.encoder(luma)
        x = self.neck(F.avg_pool2d(e16, 2))
        scale, shift = self.scene(x.mean((2, 3), keepdim=True)).chunk(2, 1)
        x = self.rise16(x * (1 + scale) + shift, e16)
        x = self.rise4(self.rise8(x, e8), e4)
        # Pooling has lost where edges lie to a pixel; the luma itself, folded to half size, has not.
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
    """The network ready to run; a ValueError says what is wrong with a file that is not its weights."""
    try:
        found = load_file(path, device="cpu")
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from error
    network = ColorNet()
    wanted = network.state_dict()
    if missing := sorted(wanted.keys() - found.keys()):
        raise ValueError(f"{path} lacks {len(missing)} tensors of this network, the first {missing[0]!r}")
    if left := sorted(found.keys() - wanted.keys()):
        raise ValueError(f"{path} has {len(left)} tensors this network does not know, the first {left[0]!r}")
    for name, tensor in wanted.items():
        if found[name].shape != tensor.shape:
            shapes = f"{tuple(found[name].shape)}, not {tuple(tensor.shape)}"
            raise ValueError(f"{path}: tensor {name!r} has the shape {shapes}")
    network.load_state_dict({name: tensor.float() for name, tensor in found.items()})
    return network.to(device).eval().requires_grad_(False)
