"""The contender on Ray Data: tasks decode pieces, a pool of actors colours them. Promises bare's pictures, in order; measures nothing."""

from itertools import islice

import numpy as np
import ray.data
import torch
from av.video.frame import VideoFrame

from jobs.film.source import Picture
from jobs.records.orders import Encoding
from tests.bench.colouring import coloured, generator
from tests.bench.pieces import Row, decoded, runs_in


class Colourist:
    """One worker: shows a piece to the generator, and keeps the frames that are the piece's own."""

    def __init__(self, picture: Picture, encoding: Encoding) -> None:
        self.picture, self.encoding = picture, encoding
        self.generator = generator()

    def __call__(self, batch: Row) -> Row:
        frames = (VideoFrame.from_ndarray(planes, format="yuv420p") for planes in batch["planes"][0])
        finished = coloured(frames, self.picture, self.encoding, self.generator)
        own = islice(finished, int(batch["first"][0]), int(batch["stop"][0]))
        return {"planes": [np.stack([frame.to_ndarray() for frame in own])]}


def finished(clip: str, picture: Picture, encoding: Encoding, workers: int) -> ray.data.Dataset:
    """Rows of finished frames, `planes` (frames, height * 3 / 2, width) each: yuv420p, 8 bit."""
    rows = runs_in(clip)
    return (
        ray.data.from_items(rows, override_num_blocks=len(rows))
        # One task at a time: it decodes with all cores and is far ahead of the pool.
        .flat_map(decoded, concurrency=1)
        .map_batches(
            Colourist,
            fn_constructor_args=(picture, encoding),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=1,
            num_gpus=float(torch.cuda.is_available()),
        )
    )
