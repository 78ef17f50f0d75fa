"""`python -m tests.bench.gpu`: what a GPU must be seen to do before a farm relies on it. Ten minutes on an idle one; writes docs/gpu.json.

Each check gives figures and whether they are what they should be; the exit code is 1 where one is not, 2 where there is no
GPU. No Ray is started. `--device cpu --small` runs the same checks here, to prove the checks: its figures mean nothing.
"""

import json
import sys
import traceback
from datetime import date
from pathlib import Path
from typing import Annotated

import torch
import typer

from actors.picture.device import settled
from jobs.errors import NodeFault
from tests.bench import gpu_bits, gpu_looks, gpu_rates
from tests.bench.apart import ROOT
from tests.bench.gpu_bits import Check, Scale

CHECKS: dict[str, Check] = {
    "environment": gpu_rates.environment,
    "bits": gpu_bits.bits,
    "captures": gpu_bits.captures,
    "renderer": gpu_bits.renderer,
    "rates": gpu_rates.rates,
    "meter": gpu_rates.meter,
    "memory": gpu_looks.memory,
    "settings": gpu_looks.settings,
    "onnx": gpu_looks.onnx_twice,
    "nvenc": gpu_rates.nvenc,
    "training": gpu_looks.training,
}


def main(
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(CHECKS)}; several times.")] = None,
    device: Annotated[str, typer.Option(help="cuda; or cpu, to try the checks themselves.")] = "cuda",
    small: Annotated[bool, typer.Option("--small", help="Little work: for trying the checks.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for gpu.json.")] = ROOT / "docs",
) -> None:
    """Run the checks, write what they found, and say which failed."""
    try:
        there = settled(device == "cuda")
    except NodeFault as error:
        print(f"tests.bench.gpu: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    if device == "cuda" and there.type != "cuda":
        print("tests.bench.gpu: FARM_REHEARSE_GPUS is set, so no GPU is used; unset it.", file=sys.stderr)
        raise typer.Exit(2)
    scale = Scale(there, small)
    found: dict[str, object] = {"date": date.today().isoformat(), "small": small}
    failed = []
    for name in only or CHECKS:
        try:
            result = CHECKS[name](scale)
        except Exception as error:  # a check that cannot be made has failed; the others are still to be seen
            traceback.print_exc()
            result = {"ok": False, "error": str(error)}
        found[name] = result
        failed += [] if result["ok"] else [name]
        print(f"{'ok    ' if result['ok'] else 'FAILED'} {name}: {json.dumps(result)}", file=sys.stderr, flush=True)
        out.mkdir(parents=True, exist_ok=True)
        (out / "gpu.json").write_text(json.dumps(found, indent=1) + "\n")
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    raise typer.Exit(bool(failed))


if __name__ == "__main__":
    typer.run(main)
