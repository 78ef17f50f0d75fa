"""Saves networks and optimizers as tensors and restores them, so that training goes on exactly; steps, clipping, averages."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn


def state_of(parts: Mapping[str, nn.Module | torch.optim.Optimizer]) -> dict[str, Tensor]:
    """Every tensor of networks and optimizers, copied to the CPU, by names that begin with the part's own."""
    kept: dict[str, Tensor] = {}
    for name, part in parts.items():
        if isinstance(part, nn.Module):
            found = {f"{name}.{key}": value for key, value in part.state_dict().items()}
        else:
            found = {
                f"{name}.{number}.{key}": torch.as_tensor(value)
                for number, moments in part.state_dict()["state"].items()
                for key, value in moments.items()
            }
        kept |= {key: value.detach().to("cpu", copy=True).contiguous() for key, value in found.items()}
    return kept


def take_up(parts: Mapping[str, nn.Module | torch.optim.Optimizer], kept: Mapping[str, Tensor]) -> None:
    """Put networks and optimizers where `state_of` found them."""
    for name, part in parts.items():
        mine = {key.removeprefix(f"{name}."): value for key, value in kept.items() if key.startswith(f"{name}.")}
        if isinstance(part, nn.Module):
            part.load_state_dict(mine)
            continue
        parameters = [one for group in part.param_groups for one in group["params"]]
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in mine.items():
            number, _, moment = key.partition(".")
            like = parameters[int(number)]
            # Fused kernels take moments to lie in memory as their parameter does: another order mixes them up.
            laid = torch.empty_like(like, dtype=value.dtype).copy_(value) if value.shape == like.shape else value
            moments.setdefault(int(number), {})[moment] = laid
        part.load_state_dict(part.state_dict() | {"state": moments})


def moved(optimizer: torch.optim.Optimizer, gradients: Sequence[Tensor], rate: float) -> None:
    """One step of that size along these gradients, in the order of the optimizer's parameters."""
    parameters = [one for group in optimizer.param_groups for one in group["params"]]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    learning_rate(optimizer, rate)
    optimizer.step()
    optimizer.zero_grad()


def learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the step size of all parameters."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def clipped(gradients: Sequence[Tensor], longest: float = 1.0) -> None:
    """Shorten the gradient as a whole, in place, to that length at most. PyTorch's own takes many times as long on channels-last gradients."""
    flat = [g.permute(0, 2, 3, 1).reshape(-1) if g.dim() == 4 else g.reshape(-1) for g in gradients]
    length = torch.stack([part.square().sum() for part in flat]).sum().sqrt()
    shorter = longest / length.clamp_min(longest)
    for gradient in gradients:
        gradient.mul_(shorter)


@torch.no_grad()
def remember(average: nn.Module, network: nn.Module, step: int, memory: float) -> None:
    """Move a running average of a network's weights and statistics towards it; quickly while there is little to remember."""
    share = min(memory, (1 + step) / (10 + step))
    for kept, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(new, 1 - share)
