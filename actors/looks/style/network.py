"""The style network in its two forms, for training and for painting. Both give the same picture.

    conv 9x9 3->a, conv 3x3 /2 a->b, conv 3x3 /2 b->c             each: instance norm, ReLU
    any number of residual blocks: x + norm(conv(ReLU(norm(conv(x)))))     conv 3x3 c->c
    twice its size, conv 3x3 c->b; twice its size, conv 3x3 b->a           each: instance norm, ReLU
    conv 9x9 a->3, instance norm, sigmoid                         R'G'B', 0..1, in and out

After Johnson, Alahi and Fei-Fei (2016), with mirrored edges, and resized pictures convolved instead of transposed
convolutions (Odena, Dumoulin and Olah 2016: no checks). Each style has its own scale and shift in every norm, and nothing
else of its own (Dumoulin, Shlens and Kudlur, "A Learned Representation For Artistic Style", 2017): between two styles lie
the pictures of scales and shifts between.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from actors.looks.fast_style.bands import EPSILON, painted
from actors.looks.fast_style.layers import Finish
from actors.looks.fast_style.network import FIRST, Layer, StyleNetwork
from actors.looks.style.layers import ReflectConv, UpsampleConv
from actors.looks.style.look import StyleShape

MULTIPLE = 4
"""Height and width are halved twice."""
SMALLEST = 16
"""Of a side: a mirror shows no more than there is."""


class StyleNet(nn.Module):
    """The network as it learns: `kernels` of all styles, and of each norm a `scales` and a `shifts` (styles, channels)."""

    def __init__(self, shape: StyleShape) -> None:
        super().__init__()
        self.shape = shape
        count = len(shape.styles)
        self.kernels = nn.ParameterList()
        self.scales = nn.ParameterList()
        self.shifts = nn.ParameterList()
        for inside, out, span in shape.convolutions():
            self.kernels.append(nn.init.kaiming_normal_(torch.empty(out, inside, span, span)))
            self.scales.append(torch.ones(count, out))
            self.shifts.append(torch.zeros(count, out))

    def forward(self, picture_N3HW: Tensor, weights_NS: Tensor) -> Tensor:
        """R'G'B' N3HW, 0..1, from the same, sides multiples of 4 and at least 16; each with its weights of the styles (sum 1)."""
        return torch.sigmoid(self.logits(picture_N3HW, weights_NS))

    def logits(self, picture_N3HW: Tensor, weights_NS: Tensor) -> Tensor:
        """What the sigmoid makes the picture of (float32)."""
        x, last = picture_N3HW, len(self.kernels) - 1
        for place in range(FIRST):
            x = functional.relu(self._layer(place, x, weights_NS, stride=2 if place else 1))
        for place in range(FIRST, last - FIRST + 1, 2):
            inner = functional.relu(self._layer(place, x, weights_NS))
            x = x + self._layer(place + 1, inner, weights_NS)
        for place in (last - 2, last - 1):
            x = functional.relu(self._layer(place, functional.interpolate(x, scale_factor=2), weights_NS))
        return self._layer(last, x, weights_NS).float()

    def _layer(self, place: int, x: Tensor, weights_NS: Tensor, stride: int = 1) -> Tensor:
        kernel = self.kernels[place]
        edge = kernel.shape[-1] // 2
        x = functional.conv2d(functional.pad(x, (edge,) * 4, mode="reflect"), kernel, stride=stride)
        scales_NC, shifts_NC = weights_NS @ self.scales[place], weights_NS @ self.shifts[place]
        # A batch of one picture: torch's instance norm works on another layout, and takes half as long again.
        normed = [
            functional.batch_norm(one, None, None, scale, shift, training=True, eps=EPSILON)
            for one, scale, shift in zip(torch.split(x, 1), scales_NC.float(), shifts_NC.float(), strict=True)
        ]
        return torch.cat(normed)


def blended(net: StyleNet, weights_S: Sequence[float], device: torch.device, dtype: torch.dtype) -> StyleNetwork:
    """One style, or one between several, as the layers of a network that paints. What is `dtype` and what float32: `load_network`."""
    layers, last = [], len(net.kernels) - 1
    shares = torch.tensor(weights_S, dtype=torch.float32)
    for place, kernel in enumerate(one.detach().float().to(device) for one in net.kernels):
        inner = kernel.to(torch.float32 if place < FIRST else dtype).contiguous(memory_format=torch.channels_last)
        made: ReflectConv | UpsampleConv | Finish
        if place == last:
            made = Finish(kernel, edges="reflect")
        elif place > last - FIRST:
            made = UpsampleConv(inner)
        else:
            made = ReflectConv(inner, stride=2 if 0 < place < FIRST else 1)
        scale, shift = (shares @ one[place].detach().float() for one in (net.scales, net.shifts))
        layers.append(Layer(made, scale.to(device), shift.to(device)))
    pairs = iter(layers[FIRST:-FIRST])
    return StyleNetwork(tuple(layers[:FIRST]), tuple(zip(pairs, pairs, strict=True)), tuple(layers[-FIRST:]))


def styled(network: StyleNetwork, picture_N3HW: Tensor, pixels: int) -> Tensor:
    """R'G'B' (N3HW, float32, 0..1) from the same, of any size, in bands of about `pixels` pixels."""
    height, width = picture_N3HW.shape[-2:]
    more = [max(SMALLEST, -(-side // MULTIPLE) * MULTIPLE) - side for side in (height, width)]
    shown = functional.pad(picture_N3HW, (0, more[1], 0, more[0]), mode="replicate")
    return painted(network, shown.contiguous(memory_format=torch.channels_last), pixels).sigmoid_()[
        ..., :height, :width
    ]
