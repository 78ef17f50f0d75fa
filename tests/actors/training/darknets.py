"""Tiny Darknet with random weights, under its published names: features to train with in tests."""

from pathlib import Path

import torch
from safetensors.torch import save_file

from actors.training.darknet import STAGES


def write_darknet(path: Path, seed: int = 3) -> Path:
    """A file that `load_encoder` takes."""
    maker = torch.Generator().manual_seed(seed)
    found: dict[str, torch.Tensor] = {}
    inside, number = 3, 0
    for row in STAGES:
        for span, out in row:
            number += 1
            spread = (2 / (inside * span * span)) ** 0.5
            found[f"conv2d_{number}/kernel"] = torch.randn(span, span, inside, out, generator=maker) * spread
            norm = f"batch_normalization_{number}"
            found[f"{norm}/gamma"], found[f"{norm}/moving_variance"] = torch.ones(out), torch.ones(out)
            found[f"{norm}/beta"], found[f"{norm}/moving_mean"] = torch.zeros(out), torch.zeros(out)
            inside = out
    save_file(found, path)
    return path
