"""The generator alone: the colouriser's network on every core at once, one process with one thread each, as renderers are. Promises its own arithmetic; decodes and encodes nothing."""

import multiprocessing
import os
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import torch

from actors.looks import find
from actors.looks.colorize.fused_inference import running
from actors.looks.colorize.network import load_network
from actors.picture.device import working_dtype
from tests.bench.apart import Clock, Found

SHAPE = (256, 448)
"""Height and width of a picture."""


def generate(clock: Clock, *, frames: int) -> Found:
    """So many pictures by each of as many processes as there are cores; the clock runs from when all have begun."""
    workers = len(os.sched_getaffinity(0))
    spawning = multiprocessing.get_context("spawn")
    start = spawning.Barrier(workers + 1)
    pool = [spawning.Process(target=_work, args=(start, frames), daemon=True) for _ in range(workers)]
    for one in pool:
        one.start()
    start.wait()
    with clock():
        start.wait()
        start.wait()  # and not until the processes have ended, which is Python's own time
    for one in pool:
        one.join()
    assert all(one.exitcode == 0 for one in pool)
    return {"frames": frames * workers, "workers": workers}


@torch.inference_mode()
def _work(start: Barrier, frames: int) -> None:
    torch.set_num_threads(1)
    shipped: Any = find("colorize").shipped
    dtype = working_dtype(torch.device("cpu"))
    network = running(load_network(Path(shipped, "weights.safetensors"), "cpu"), torch.device("cpu"))
    luma = torch.rand(1, 1, *SHAPE).to(dtype=dtype, memory_format=torch.channels_last)
    for _ in range(3):
        network(luma)
    start.wait()
    start.wait()
    for _ in range(frames):
        network(luma)
    start.wait()
