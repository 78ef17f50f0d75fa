"""For: Tiny Darknet's published weights. Promises: an `Encoder` of them. Refuses to know: its uses."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from actors.looks.colorize.network import STAGES, Encoder

EPSILON = 1e-3  # of the published batch norms


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
