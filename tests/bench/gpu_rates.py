"""Checks of a GPU's speed: frames a second by stage and number of processes, its encoder, and whether its time is all accounted for."""

import multiprocessing
import platform
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import av
import onnxruntime
import torch

from actors.encode.nvenc import check_encoders
from actors.encode.nvenc_settings import encoders_wanted
from actors.looks import hire
from actors.picture.compose import compose
from actors.picture.device import CudaGpu, fetched, settled, stream_of, working_dtype
from actors.picture.frame_batches import batches_of
from actors.picture.generator import BATCH
from actors.render.renderer import Renderer
from jobs.errors import NodeFault
from jobs.records.orders import DeviceUsage, SegmentRecord
from jobs.spec.codecs import Codec
from jobs.spec.formats import Deliverable
from tests.actors.render.test_renderer import orders
from tests.bench.films import still_film
from tests.bench.gpu_bits import Scale, look_named

NETWORK_RATE, BEFORE_ENCODING_RATE = 4000.0, 1200.0
"""Frames a second at 1080p that an H200 is expected to reach (estimates: no GPU has been measured yet)."""
PROCESSES = (1, 2, 4, 8)
STAGES = ("decode", "generate", "compose", "before_encoding")
METER_BOUND = 0.02
START_SECONDS = 300.0
"""Within which all processes of a rate have loaded what they work with."""


def environment(scale: Scale) -> dict[str, Any]:
    """What is there. Fails nowhere: it is for the reader of all other figures."""
    found: dict[str, Any] = {
        "ok": True,
        "device": scale.device.type,
        "driver": CudaGpu().driver(),
        "torch": CudaGpu().build(),
        "onnxruntime": f"{onnxruntime.__version__} for {', '.join(onnxruntime.get_available_providers())}",
        "working_dtype": str(working_dtype(scale.device)),
        "python": platform.python_version(),
        "av": version("av"),
    }
    if scale.device.type == "cuda":
        properties = torch.cuda.get_device_properties(scale.device)
        found |= {
            "gpu": properties.name,
            "capability": f"{properties.major}.{properties.minor}",
            "memory_gib": round(properties.total_memory / 2**30, 1),
            "bf16_emulated": torch.cuda.is_bf16_supported() and not torch.cuda.is_bf16_supported(False),
            "cudnn": str(torch.backends.cudnn.version()),  # type: ignore[no-untyped-call]
        }
    return found


def rates(scale: Scale) -> dict[str, Any]:
    """Frames a second at 1080p, by stage, of 1, 2, 4 and 8 processes at once."""
    size = (128, 72) if scale.small else (1920, 1080)
    frames = scale.pick(240, 16)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        film = still_film(Path(folder, "film.mp4"), frames, size)
        for processes in PROCESSES[: scale.pick(len(PROCESSES), 1)]:
            found[str(processes)] = {
                stage: round(_rate(stage, film, processes, scale), 1) for stage in STAGES
            }  # fmt: skip
    best = {stage: max(one[stage] for one in found.values()) for stage in STAGES}
    fast = best["generate"] > NETWORK_RATE and best["before_encoding"] > BEFORE_ENCODING_RATE
    # Only one kind of GPU has figures to be held to.
    held = scale.device.type == "cuda" and "H200" in torch.cuda.get_device_name(scale.device)
    return {"ok": fast or not held, "size": size, "frames_per_second": found}


def _rate(stage: str, film: Path, processes: int, scale: Scale) -> float:
    spawning = multiprocessing.get_context("spawn")
    # Whoever fails breaks the barrier for the others, and ends its own pipe: nobody waits for one that is gone.
    start = spawning.Barrier(processes, timeout=START_SECONDS)
    told = []
    pool = []
    for _ in range(processes):
        here, there = spawning.Pipe(duplex=False)
        pool.append((here, spawning.Process(target=_work, args=(stage, str(film), scale, start, there), daemon=True)))
        pool[-1][1].start()
        there.close()
    for here, one in pool:
        told.append(here.recv())
        one.join()
    return float(sum(frames for frames, _ in told) / max(seconds for _, seconds in told))


def _work(stage: str, film: str, scale: Scale, start: Barrier, told: "Connection[Any, Any]") -> None:
    torch.set_num_threads(1)
    device = settled(scale.device.type == "cuda")
    with torch.cuda.stream(stream_of(device)):
        run = _stages(stage, Path(film), device, scale.pick(64, 1))
        run()
        start.wait()
        began = time.perf_counter()
        frames = run()
        if device.type == "cuda":
            torch.cuda.synchronize()
        told.send((frames, time.perf_counter() - began))


@torch.inference_mode()
def _stages(stage: str, film: Path, device: torch.device, rounds: int) -> Callable[[], int]:
    """What one stage does with the film, or with one batch of it `rounds` times, as a function that gives its number of frames."""
    with tempfile.TemporaryDirectory() as store:
        look = look_named("colorize", steady=0)
        (order, *_) = orders(film, Path(store), look, 10**6, Deliverable(codec=Codec.H264))
    picture, (encoding,), generator = order.film.picture, order.encodings, hire(look, device)
    with av.open(str(film)) as media:
        few = [frame for frame, _ in zip(media.decode(video=0), range(BATCH), strict=False)]
    (_, frame_batch), *_ = batches_of(few, picture, BATCH, device)
    (made,) = [torch.cat(list(generator.render([frame_batch])))]

    def decode() -> int:
        with av.open(str(film)) as media:
            media.streams.video[0].thread_type = "AUTO"
            return sum(len(run) for run, _ in batches_of(media.decode(video=0), picture, BATCH, device))

    def generate() -> int:
        return sum(len(several) for _ in range(rounds) for several in generator.render([frame_batch]))

    def composed() -> int:
        return sum(len(compose(few, made, generator.domain, picture, encoding)) for _ in range(rounds))

    def before_encoding() -> int:
        done = 0
        with av.open(str(film)) as media:
            media.streams.video[0].thread_type = "AUTO"
            for run, shown in batches_of(media.decode(video=0), picture, BATCH, device):
                several = torch.cat(list(generator.render([shown])))
                done += len(compose(run, several, generator.domain, picture, encoding))
        return done

    return {
        "decode": decode,
        "generate": generate,
        "compose": composed,
        "before_encoding": before_encoding,
    }[stage]


def meter(scale: Scale) -> dict[str, Any]:
    """The renderer's account of its device: busy and waiting must sum to the wall, within 2 %."""
    frames = scale.pick(480, 24)
    size = (128, 72) if scale.small else (1920, 1080)
    with tempfile.TemporaryDirectory() as folder:
        film, store, look = (
            still_film(Path(folder, "film.mp4"), frames, size),
            Path(folder, "s"),
            look_named("colorize"),
        )
        wanted = orders(film, store, look, 48, Deliverable(codec=Codec.H264, preset="ultrafast"))
        worker = Renderer(str(store), "film", [look], 2, gpu=scale.device.type == "cuda")
        fetched(torch.zeros(1, device=scale.device))
        began = time.perf_counter()
        worker.meter.word()
        findings = list(worker.render(wanted))
        wall = time.perf_counter() - began
    told = [one for one in findings if isinstance(one, DeviceUsage)]
    counted = sum(one.busy + sum(one.starved.values()) for one in told)
    made = sum(one.frames.frames for one in findings if isinstance(one, SegmentRecord))
    # The last word is told before the last record is kept.
    apart = abs(wall - counted) / wall
    return {
        "ok": apart <= METER_BOUND or scale.small,
        "wall_seconds": round(wall, 3),
        "counted_seconds": round(counted, 3),
        "apart": round(apart, 4),
        "busy_share": round(sum(one.busy for one in told) / counted, 3),
        "frames_per_second": round(made / wall, 1),
    }


def nvenc(scale: Scale) -> dict[str, Any]:
    """Whether each of the GPU's encoders gives a packet, as a renderer tries them. A GPU without one is no fault; it must be known."""
    found: dict[str, Any] = {"ok": True}
    for wanted in encoders_wanted([Deliverable(codec=codec, encoder="nvenc") for codec in (Codec.H264, Codec.HEVC)]):
        try:
            check_encoders([wanted])
            found[wanted.name] = "encodes"
        except NodeFault as fault:
            found[wanted.name] = str(fault)
    return found
