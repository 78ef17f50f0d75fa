"""For: training the colouriser. Promises: weights chosen on held-out pictures. Refuses to know: validation."""

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from actors.looks.colorize import data
from actors.looks.colorize.darknet import load_encoder
from actors.looks.colorize.losses import SATURATION, ColorLoss, rebalanced
from actors.looks.colorize.measure import as_text, curve, verdict
from actors.looks.colorize.network import ColorNet, folded

BATCH, SIDE, SEED = 16, 128, 1926
RATE = 1e-3
MEANING, CLASSES = 0.6, 0.12  # weights of the losses next to Huber's
MEMORY = 0.998  # of the moving average of the weights
CHECK_SECONDS = 300.0
CHECK_STRENGTHS = (0.0, 0.4, 0.7, 1.0, 1.4)  # beyond 1, so that a timid network has a verdict too


@dataclass
class Trainer:
    """One network in training, its average and its optimizer."""

    network: ColorNet
    average: ColorNet
    loss: ColorLoss
    optimizer: torch.optim.Optimizer
    seed: torch.Generator
    step: int = 0

    @classmethod
    def begin(cls, features: Path, colours: Tensor) -> "Trainer":
        """`colours`: chroma N 2 H W to learn from how rare each is."""
        torch.manual_seed(SEED)
        network, average = ColorNet(norm=True), ColorNet(norm=True)
        # Frozen: on so few photographs its kernels drifted by up to 38 % without lowering the loss.
        network.encoder = load_encoder(features, 1).requires_grad_(False)
        nn.init.normal_(network.last.weight, std=1e-3)
        average.load_state_dict(network.state_dict())
        loss = ColorLoss(load_encoder(features, 3), rebalanced(colours))
        for module in (network, average, loss):
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        learning = [p for module in (network, loss.head) for p in module.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(learning, lr=RATE, weight_decay=0.02, fused=True)
        return cls(network, average.eval(), loss, optimizer, torch.Generator().manual_seed(SEED))

    def learn(self, rgb: Tensor, progress: float) -> dict[str, float]:
        """One step on a batch N 3 H W; `progress` 0..1 of the time box sets the learning rate."""
        warm = min(1.0, (self.step + 1) / 200)
        for group in self.optimizer.param_groups:
            group["lr"] = RATE * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * min(progress, 1.0))) / 2)
        truth, grey = data.chroma(rgb) * SATURATION, data.luma(rgb)
        seen = data.aged(rgb, self.seed).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            quarter, half = self.network.quarter(seen)
            guess = self.network.finish(seen, quarter, half).float()
            # The dearest loss looks at a quarter of the batch only.
            some = slice(0, (len(rgb) + 3) // 4)
            pair = [data.compose(grey[some], colour[some]) for colour in (guess, truth)]
            parts = {
                "chroma": self.loss.chroma(guess, truth),
                "meaning": MEANING * self.loss.meaning(*pair),
                "classes": CLASSES * self.loss.classes(quarter, truth),
            }
        self.optimizer.zero_grad(set_to_none=True)
        total = torch.stack(list(parts.values())).sum()
        total.backward()  # type: ignore[no-untyped-call]
        clip([parameter for group in self.optimizer.param_groups for parameter in group["params"]])
        self.optimizer.step()
        self.step += 1
        self.remember()
        return {name: float(part.detach()) for name, part in parts.items()}

    @torch.no_grad()
    def remember(self) -> None:
        """Moves the average towards the network, running statistics included."""
        share = min(MEMORY, (1 + self.step) / (10 + self.step))
        for kept, new in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
            if kept.is_floating_point():
                kept.lerp_(new, 1 - share)

    def weights(self) -> dict[str, Tensor]:
        """The average as weights of `ColorNet()`, in half precision."""
        state = folded({name: value.clone() for name, value in self.average.state_dict().items()})
        return {name: value.half().contiguous() for name, value in state.items()}

    def state(self) -> dict[str, Tensor]:
        """Everything needed to go on, save the place in the data."""
        kept = {"step": torch.tensor(self.step)}
        for prefix, module in (("network", self.network), ("average", self.average), ("head", self.loss.head)):
            kept |= {f"{prefix}.{name}": value for name, value in module.state_dict().items()}
        for number, moments in self.optimizer.state_dict()["state"].items():
            kept |= {f"moments.{number}.{name}": value for name, value in moments.items()}
        return {name: value.detach().clone().contiguous() for name, value in kept.items()}

    def resume(self, kept: dict[str, Tensor]) -> None:
        """Goes on from `state()`."""
        self.step = int(kept["step"])
        for prefix, module in (("network", self.network), ("average", self.average), ("head", self.loss.head)):
            start = f"{prefix}."
            module.load_state_dict({k.removeprefix(start): v for k, v in kept.items() if k.startswith(start)})
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in kept.items():
            if name.startswith("moments."):
                _, number, moment = name.split(".")
                moments.setdefault(int(number), {})[moment] = value
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": moments})


def clip(parameters: list[nn.Parameter]) -> None:
    """Shortens the gradient to 1. PyTorch's own takes many times as long on channels-last gradients."""
    gradients = [gradient for parameter in parameters if (gradient := parameter.grad) is not None]
    flat = [g.permute(0, 2, 3, 1).reshape(-1) if g.dim() == 4 else g for g in gradients]
    length = torch.stack([part.square().sum() for part in flat]).sum().sqrt()
    for gradient in gradients:
        gradient.mul_(1 / length.clamp_min(1.0))


def check(trainer: Trainer, photographs: data.Photographs, out: Path, best: float) -> float:
    """Measures the average, saves it, and as the best if it is; the best verdict so far."""
    network = ColorNet()
    network.load_state_dict({name: value.float() for name, value in trainer.weights().items()})
    network = network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    points, truth = curve(network, photographs.tested, SIDE, CHECK_STRENGTHS)
    found = verdict(points, truth)
    print(f"held out, step {trainer.step}: verdict {found:.3f}, {as_text(points, truth)}", flush=True)
    save(trainer.weights(), out / "last.safetensors")
    save(trainer.state(), out / "resume.safetensors")
    if found < best or not (out / "weights.safetensors").exists():
        save(trainer.weights(), out / "weights.safetensors")
    return min(found, best)


def save(tensors: dict[str, Tensor], path: Path) -> None:
    """Writes beside and renames: a cut leaves the old file or the new one."""
    beside = path.with_suffix(".part")
    save_file(tensors, beside)
    beside.replace(path)


def train(trainer: Trainer, photographs: data.Photographs, out: Path, seconds: float) -> None:
    """Learns until the time is over; checks every five minutes and at the end."""
    start = checked = time.monotonic()
    first = trainer.step
    crops: Iterator[Tensor] = data.batches(photographs, BATCH, SIDE, SEED + trainer.step)
    best = math.inf
    sums: dict[str, float] = {}
    while (spent := time.monotonic() - start) < seconds:
        for name, value in trainer.learn(next(crops), spent / seconds).items():
            sums[name] = sums.get(name, 0.0) + value / 100
        if trainer.step % 100 == 0:
            pace = (trainer.step - first) * BATCH / max(spent, 1.0)
            print(f"step {trainer.step}, {spent / 60:.1f} min, {pace:.0f}/s, {json.dumps(sums)}", flush=True)
            sums = {}
        if time.monotonic() - checked > CHECK_SECONDS:
            best, checked = check(trainer, photographs, out, best), time.monotonic()
    check(trainer, photographs, out, best)


def main(arguments: list[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--features", type=Path, required=True, help="tiny-darknet-imagenet.safetensors")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and checkpoints")
    parser.add_argument("--minutes", type=float, required=True, help="time box, decoding left out")
    parser.add_argument("--threads", type=int, default=1, help="more than are free make it far slower, not faster")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(asked.threads)
    asked.out.mkdir(parents=True, exist_ok=True)
    photographs = data.load(asked.photos)
    print(f"{len(photographs.training)} pictures to train with, {len(photographs.tested)} held out", flush=True)
    sample = next(data.batches(photographs, 1000, 32, SEED))
    trainer = Trainer.begin(asked.features, data.chroma(sample) * SATURATION)
    if (kept := asked.out / "resume.safetensors").exists():
        trainer.resume(load_file(kept))
    train(trainer, photographs, asked.out, 60 * asked.minutes)


if __name__ == "__main__":
    main(sys.argv[1:])
