"""Losses of the colouring course: near the truth as the eye measures it, sharp where luma is, stable when the film is shaken.

Pictures are R'G'B' N 3 H W in 0..1; colours are B'-Y', R'-Y' of BT.709, N 2 H W.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from actors.picture.image_metrics import lab, luma_of

LUMA = torch.tensor([0.2126, 0.7152, 0.0722])  # BT.709
TO_CBCR = torch.tensor([1 / 1.8556, 1 / 1.5748])[:, None, None]  # BT.709
BINS = 13  # along each axis of the chroma plane
REACH = 0.26  # Cb and Cr beyond this fall into the outermost bin


def chroma_of(rgb: Tensor) -> Tensor:
    """N 3 H W -> N 2 H W."""
    return rgb[:, [2, 0]] - luma_of(rgb)


def composed(luma: Tensor, chroma: Tensor) -> Tensor:
    """Luma and chroma -> R'G'B', not clipped."""
    blue, red = chroma[:, :1] + luma, chroma[:, 1:] + luma
    return torch.cat((red, (luma - LUMA[0] * red - LUMA[2] * blue) / LUMA[1], blue), 1)


def perceived(guess: Tensor, truth: Tensor) -> Tensor:
    """How far two pictures of one luma are apart to the eye, N H W, in units of dE: CIEDE2000 without its turn of blue and its T.

    The metric itself is the loss, since in any other the mean answer is brown: Lab's distances are too long where colours
    are strong. a* is stretched and chroma and hue are weighed as in CIEDE2000 (Sharma et al. 2005), the weights held fixed.
    """
    # A root's gradient at black is infinite.
    (_, a1, b1), (_, a2, b2) = (lab(one.clamp(1e-4, 1)).unbind(1) for one in (guess, truth))
    with torch.no_grad():
        mean = (torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2
        stretch = 1.5 - 0.5 * (mean**7 / (mean**7 + 25.0**7)).sqrt()
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = (a1**2 + b1**2 + 1e-4).sqrt(), (a2**2 + b2**2 + 1e-4).sqrt()
    mean = ((c1 + c2) / 2).detach()
    more = c1 - c2
    turned = ((a1 - a2) ** 2 + (b1 - b2) ** 2 - more**2).clamp_min(0)
    # A quarter of a step under the root: its gradient at nought is none.
    apart = ((more / (1 + 0.045 * mean)) ** 2 + turned / (1 + 0.015 * mean) ** 2 + 0.25).sqrt()
    outside = (guess - 1).clamp_min(0) + (-guess).clamp_min(0)
    return apart + 10 * outside.mean(1)


def bins(chroma: Tensor) -> Tensor:
    """Class of each place's chroma, N H W."""
    steps = ((chroma * TO_CBCR.to(chroma.device) / REACH + 1) * (BINS / 2)).floor().clamp(0, BINS - 1).long()
    return steps[:, 0] * BINS + steps[:, 1]


def rebalanced(chroma: Tensor) -> Tensor:
    """Weight of each class: rare colours count more, half way (Zhang et al. 2016); 1 on average over the sample."""
    shares = torch.bincount(bins(chroma).flatten(), minlength=BINS * BINS).float()
    shares = shares / shares.sum()
    weights = 1 / (0.5 * shares + 0.5 / BINS**2)
    return weights / (weights * shares).sum()


def edges(guess: Tensor, truth: Tensor, luma: Tensor) -> Tensor:
    """How far the steps of chroma are from the truth's, counted where luma steps: colour that bleeds over an edge."""
    loss = guess.new_zeros(())
    for step in (_down, _right):
        weight = (step(luma).abs() * 8).clamp(max=1)
        loss = loss + (weight * (step(guess) - step(truth)).abs()).mean()
    return loss


def _down(x: Tensor) -> Tensor:
    return x[..., 1:, :] - x[..., :-1, :]


def _right(x: Tensor) -> Tensor:
    return x[..., :, 1:] - x[..., :, :-1]


def critic_loss(true: Tensor, made: Tensor, form: str) -> Tensor:
    """What the critic minimises. log: -log D(x) - log(1 - D(G)) (Goodfellow et al. 2014); hinge: Lim and Ye 2017."""
    if form == "hinge":
        return F.relu(1 - true).mean() + F.relu(1 + made).mean()
    return F.softplus(-true).mean() + F.softplus(made).mean()


def fooling_loss(made: Tensor, form: str) -> Tensor:
    """What the generator minimises. log: -log D(G); hinge: -D(G)."""
    return -made.mean() if form == "hinge" else F.softplus(-made).mean()


def matched(made: list[Tensor], true: list[Tensor]) -> Tensor:
    """Feature matching (Salimans et al. 2016): mean distance of the critic's own maps."""
    return torch.stack([F.l1_loss(a, b.detach()) for a, b in zip(made, true, strict=True)]).mean()


def strength_of(chroma: Tensor) -> Tensor:
    """How strong a colour is, N H W, 0 to 0.4: beyond that all count alike."""
    return (chroma * TO_CBCR.to(chroma.device)).square().sum(1).sqrt().clamp(max=0.4)
