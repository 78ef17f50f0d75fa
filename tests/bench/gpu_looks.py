"""Checks of looks on a GPU: their memory, forced short and over many settings; ONNX twice; a training that is killed and goes on."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from actors.looks import recent
from actors.looks.onnx.session import Session
from actors.picture.device import memory_ran_out
from actors.picture.generator import Generator
from tests.actors.looks import exports
from tests.bench.apart import ROOT
from tests.bench.gpu_bits import LOOKS, Scale, differing, film_of, look_named, pictures

SIZES = {"720p": (720, 1280), "1080p": (1080, 1920), "2160p": (2160, 3840)}
FLAT = 1.05
"""Memory after a hundred settings over memory after the first sixteen, at most."""


def memory(scale: Scale) -> dict[str, Any]:
    """Peak memory of each look at three sizes, and that a look short of memory says so in a way that is known."""
    found: dict[str, Any] = {}
    cuda = scale.device.type == "cuda"
    for name in LOOKS:
        found[name] = {}
        for label, size in list(SIZES.items())[: scale.pick(3, 1)]:
            if cuda:
                torch.cuda.reset_peak_memory_stats()
            pictures(
                name, film_of(scale.pick(8, 1), (72, 128) if scale.small else size, scale.device), [8], scale.device
            )
            found[name][label] = round(torch.cuda.max_memory_allocated() / 2**20) if cuda else 0
    known = _forced_out(scale) if cuda else True
    return {"ok": known, "peak_mib": found, "out_of_memory_is_known": known}


def _forced_out(scale: Scale) -> bool:
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.002)
    try:
        pictures("style", film_of(8, SIZES["2160p"], scale.device), [8], scale.device)
    except (RuntimeError, MemoryError) as error:
        return memory_ran_out(error)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        torch.cuda.empty_cache()
    return False


def settings(scale: Scale) -> dict[str, Any]:
    """A hundred values of one setting through one worker's generators: memory stays flat."""
    generators: dict[str, Generator] = {}
    batch = film_of(1, scale.size, scale.device)
    used = []
    for number in range(scale.pick(100, 20)):
        look = look_named("colorize", saturation=number / 100, steady=0)
        for _ in recent(generators, look, scale.device).render(iter(batch)):
            pass
        used.append(torch.cuda.memory_allocated() if scale.device.type == "cuda" else 1)
    grown = used[-1] / max(1, used[15])
    return {"ok": grown <= FLAT, "values": len(used), "grown": round(grown, 3), "mib": round(used[-1] / 2**20, 1)}


def onnx_twice(scale: Scale) -> dict[str, Any]:
    """A foreign network run twice, in two sessions, on the provider that was asked for."""
    with tempfile.TemporaryDirectory() as folder:
        path = exports.matrix(Path(folder, "m.onnx"), [[0.3], [0.7]], [0.1, -0.1])
        shown = torch.rand(1, 1, 256, 448, generator=torch.Generator().manual_seed(3)).to(scale.device)
        sessions = [Session(path, "The model m", scale.device) for _ in range(2)]
        made = [one.run({"input": shown}, "output", torch.float32).cpu() for one in sessions for _ in range(3)]
    wrong = differing(made, [made[0]] * len(made))
    wanted = "CUDAExecutionProvider" if scale.device.type == "cuda" else "CPUExecutionProvider"
    ok = wrong == 0 and all(one.provider == wanted for one in sessions)
    return {"ok": ok, "provider": sessions[0].provider, "differing": wrong}


def training(scale: Scale) -> dict[str, Any]:
    """A training of the test course that is killed half-way and begun again ends with the weights of one that was not."""
    steps = scale.pick(200, 40)
    with tempfile.TemporaryDirectory() as folder:
        whole = _trained(Path(folder), "whole", steps, None, scale)
        killed = _trained(Path(folder), "killed", steps, steps // 2, scale)
    return {"ok": whole == killed, "steps": steps, "weights": whole[:16]}


def _trained(folder: Path, name: str, steps: int, kill_at: int | None, scale: Scale) -> str:
    asked = json.dumps({"folder": str(folder), "name": name, "steps": steps, "device": scale.device.type})
    command = [sys.executable, "-m", "tests.bench.gpu_training", asked]
    if kill_at is not None:
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            for line in process.stdout:
                if line.strip().isdecimal() and int(line) >= kill_at:
                    process.kill()
                    break
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return said.stdout.split()[-1]
