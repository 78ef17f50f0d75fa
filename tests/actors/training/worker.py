"""A worker of a training in a process of its own, so that it can be killed: python -m tests.actors.training.worker RECIPE.json [RANK SIZE MEETING]. Tells each step on a line."""

import sys
from pathlib import Path

import torch

from actors.training.course import WorkerRank
from actors.training.run import train
from jobs.records.training import StepDone
from jobs.spec.training_recipe import Recipe


def main(place: str, rank: str = "0", size: str = "1", meeting: str = "") -> None:
    torch.set_num_threads(1)
    team = WorkerRank(int(rank), int(size))
    if meeting:
        torch.distributed.init_process_group("gloo", f"file://{meeting}", rank=team.rank, world_size=team.size)
    for word in train(Recipe.model_validate_json(Path(place).read_text()), team):
        if isinstance(word, StepDone):
            print(word.step, flush=True)
    if meeting:
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
