"""Checks of a GPU's bits: one answer for a frame wherever it stands, whoever works beside it, and in however many chunks."""

import hashlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from actors.looks import fit, hire
from actors.picture.colour import Quantiser
from actors.picture.device import captured, fetched, settled, stream_of, uploaded
from actors.picture.frame_batches import FrameBatch
from actors.picture.generator import BATCH
from actors.render.renderer import Renderer
from jobs.film.source import Colour
from jobs.plan.plan import Look
from jobs.records.orders import SegmentRecord
from jobs.spec.codecs import Codec
from jobs.spec.formats import Deliverable
from jobs.spec.job import LookChoice
from tests.actors.render.test_renderer import orders
from tests.bench.apart import ROOT
from tests.bench.films import still_film
from tests.films import serial

COLOUR = Colour(matrix="bt709", full_range=False, primaries=1, transfer=1, space=1, assumed=False)
LOOKS = ("colorize", "style")
MEAN_AGAINST_PROCESSOR = 0.5 / 255
"""How far a GPU's bfloat16 may be from the processor's numbers, in the mean, of full scale."""


@dataclass(frozen=True)
class Scale:
    """Where the checks run, and how much they do."""

    device: torch.device
    small: bool

    def pick(self, whole: int, small: int) -> int:
        """How much of something is done."""
        return small if self.small else whole

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pictures of checks that are about bits."""
        return (72, 128) if self.small else (540, 960)


Check = Callable[[Scale], dict[str, Any]]
"""Gives plain figures, with "ok"."""


def look_named(name: str, **settings: Any) -> Look:
    """An installed look, fitted."""
    return fit(LookChoice(name=name, settings=settings))


def film_of(count: int, size: tuple[int, int], device: torch.device) -> list[FrameBatch]:
    """So many different frames, one to a batch."""
    maker = torch.Generator().manual_seed(7)
    wide = torch.randint(16, 235, (size[0], size[1] + count), generator=maker, dtype=torch.uint8)
    return [
        FrameBatch(
            uploaded([wide[:, n : n + size[1]].numpy()], device), None, Quantiser(COLOUR, 8)
        )
        for n in range(count)
    ]  # fmt: skip


def in_batches(frame_batch: list[FrameBatch], lengths: Iterator[int]) -> Iterator[FrameBatch]:
    """The same frames in batches of these lengths, one after another."""
    start = 0
    while start < len(frame_batch):
        some = frame_batch[start : start + next(lengths)]
        yield FrameBatch(torch.cat([one.luma_NHW for one in some]), None, some[0].scale, whole=BATCH)
        start += len(some)


def pictures(name: str, frame_batch: list[FrameBatch], lengths: list[int], device: torch.device) -> list[Tensor]:
    """A look's picture of each frame, batched by `lengths`, the last of which goes on."""
    generator = hire(look_named(name, steady=0), device)
    batches = in_batches(frame_batch, iter([*lengths[:-1], *lengths[-1:] * len(frame_batch)]))
    return [fetched(one) for several in generator.render(batches) for one in torch.split(several, 1)]


def differing(one: list[Tensor], other: list[Tensor]) -> int:
    """Pictures that are not equal bit for bit."""
    assert len(one) == len(other)
    return sum(not torch.equal(*pair) for pair in zip(one, other, strict=True))


def bits(scale: Scale) -> dict[str, Any]:
    """Batch offsets, partial batches, two processes, beside another stream, against the processor."""
    found: dict[str, Any] = {}
    for name in LOOKS:
        frame_batch = film_of(scale.pick(2 * BATCH, 4), scale.size, scale.device)
        whole = pictures(name, frame_batch, [BATCH], scale.device)
        offsets = sum(differing(pictures(name, frame_batch, [n, BATCH], scale.device), whole) for n in range(1, BATCH))
        partial = sum(differing(pictures(name, frame_batch, [n], scale.device), whole) for n in range(1, BATCH))
        with _busy(scale.device):
            beside = differing(pictures(name, frame_batch, [BATCH], scale.device), whole)
        found[name] = {
            "differing_at_offsets": offsets,
            "differing_in_partial_batches": partial,
            "differing_beside_another_stream": beside,
            "differing_in_another_process": int(_digest_elsewhere(name, scale) != digest_of(whole)),
            "mean_from_processor": _from_processor(name, scale, whole),
        }
    ok = all(
        value <= (MEAN_AGAINST_PROCESSOR if key == "mean_from_processor" else 0)
        for figures in found.values()
        for key, value in figures.items()
    )
    return {"ok": ok, **found}


def digest_of(made: list[Tensor]) -> str:
    """SHA-256 over pictures' numbers."""
    found = hashlib.sha256()
    for one in made:
        found.update(one.float().contiguous().numpy().tobytes())
    return found.hexdigest()


def _digest_elsewhere(name: str, scale: Scale) -> str:
    asked = json.dumps([name, scale.device.type, scale.small])
    said = subprocess.run(
        [sys.executable, "-m", "tests.bench.gpu_bits", asked], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return said.stdout.split()[-1]


def _from_processor(name: str, scale: Scale, whole: list[Tensor]) -> float:
    here = film_of(len(whole), scale.size, torch.device("cpu"))[:2]
    wanted = pictures(name, here, [1], torch.device("cpu"))
    span = 2.0 if wanted[0].shape[1] == 2 else 1.0
    return float(torch.stack([(a - b).abs().mean() for a, b in zip(whole, wanted, strict=False)]).mean()) / span


@contextmanager
def _busy(device: torch.device) -> Iterator[None]:
    """Another thread of this process copies, allocates and multiplies on a stream of its own meanwhile."""
    over, begun = threading.Event(), threading.Event()

    def work() -> None:
        with torch.cuda.stream(stream_of(device)):
            while not over.is_set():
                one = torch.rand(512, 512, device=device)
                fetched(one @ one)
                begun.set()

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    try:
        yield
    finally:
        over.set()
        thread.join()


@torch.inference_mode()
def captures(scale: Scale) -> dict[str, Any]:
    """Networks captured one after another while another thread copies and allocates; each gives the network's own answer."""
    wrong, count = 0, scale.pick(200, 3)
    stream = stream_of(scale.device)
    with _busy(scale.device), torch.cuda.stream(stream):
        for number in range(count):
            torch.manual_seed(number)
            network = nn.Conv2d(3, 8, 3).to(scale.device).requires_grad_(False)
            shown = torch.rand(1, 3, 32 + number % 7, 32, device=scale.device)
            run = captured(network, shown)
            wrong += not torch.equal(fetched(run(shown)), fetched(network(shown)))
    return {"ok": wrong == 0, "captures": count, "wrong": wrong}


def renderer(scale: Scale) -> dict[str, Any]:
    """A film in one chunk and in many through the renderer, on a folder store: the same frames."""
    frames, size = scale.pick(28 * 24, 48), (scale.size[1], scale.size[0])
    hashes = []
    chunks = []
    with tempfile.TemporaryDirectory() as folder:
        source = still_film(Path(folder, "film.mp4"), frames, size)
        for target in (frames, scale.pick(24, 12)):
            store = Path(folder, f"store-{target}")
            look = look_named("colorize")
            wanted = orders(source, store, look, target, Deliverable(codec=Codec.FFV1))
            worker = Renderer(str(store), "film", [look], 1, gpu=scale.device.type == "cuda")
            made = [one for one in worker.render(wanted) if isinstance(one, SegmentRecord)]
            chunks.append(len(wanted))
            hashes.append([frame for one in made for frame in serial(store / "film" / one.media.key)])
    wrong = sum(one != other for one, other in zip(*hashes, strict=True))
    return {"ok": wrong == 0 and len(hashes[0]) == frames, "chunks": chunks, "frames": frames, "differing": wrong}


if __name__ == "__main__":  # the same pictures, made by another process
    asked_name, asked_device, asked_small = json.loads(sys.argv[1])
    there = Scale(settled(asked_device == "cuda"), asked_small)
    shown = film_of(there.pick(2 * BATCH, 4), there.size, there.device)
    print(digest_of(pictures(asked_name, shown, [BATCH], there.device)))
