"""Hostile specs, look packages, shot lists and timelines: each is read, or refused in one sentence, within five seconds and 500 MB."""

import hashlib
import json
import resource
import time
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from random import Random

import numpy as np
import pytest

from actors.looks.importing import add
from actors.looks.package import PAPER
from actors.shot_lists.cut_lists import given_cuts
from farm.specs.spec_files import read_spec
from jobs.errors import BadInput
from tests.chaos import hostile
from tests.paper import film_of, picture_of

SECONDS = 5.0
MIB = 500
SEED = 1926
PTS = np.array([number * 1000 for number in range(240)], np.int64)


def bounded(what: str, reading: Callable[[], object]) -> str:
    """What was said of it; empty where it was read. The processor's time counts, for others may be at work here, and by how much the process has grown."""
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sentence = ""
    try:
        reading()
    except BadInput as error:
        sentence = str(error)
    took, grown = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert took < SECONDS, f"{what} took {took:.1f} s"
    assert grown < MIB << 10, f"{what} took {grown >> 10} MiB"
    assert sentence.isprintable(), what
    assert len(sentence) < 9000, what
    return sentence


def specs(folder: Path, draw: Random) -> Callable[[], object]:
    name, data = hostile.spec(draw)
    (folder / name).write_bytes(data)
    return lambda: read_spec(str(folder / name))


def lists(
    folder: Path, draw: Random, made: Callable[[Random], tuple[str, bytes]] = hostile.shot_list
) -> Callable[[], object]:
    name, data = made(draw)
    (folder / name).write_bytes(data)
    picture = picture_of("yuv420p").model_copy(update={"rate": Fraction(24), "time_base": Fraction(1, 24000)})
    film = film_of(picture)
    return lambda: given_cuts(str(folder / name), film, PTS)


def timelines(folder: Path, draw: Random) -> Callable[[], object]:
    return lists(folder, draw, hostile.timeline)


def packages(folder: Path, draw: Random) -> Callable[[], object]:
    if draw.random() < 0.5:
        (folder / PAPER).write_bytes(hostile.look_paper(draw))
        (folder / "model.onnx").write_bytes(b"\0" * 9)
        return lambda: add(str(folder), f"hostile-{folder.name}")
    name, data = hostile.weights(draw)
    if name == "m.onnx" and draw.random() < 0.5:  # as a whole package, by its hash
        paper = {"name": "hostile", "kind": "onnx", "domain": "chroma", "licence": "MIT", **MANIFEST}
        (folder / "model.onnx").write_bytes(data)
        (folder / PAPER).write_text(json.dumps({**paper, "files": {"model.onnx": hashlib.sha256(data).hexdigest()}}))
        return lambda: add(str(folder), f"hostile-{folder.name}")
    (folder / name).write_bytes(data)
    fields = {"licence": "MIT"} | ({"domain": "chroma", **MANIFEST} if name == "m.onnx" else {})
    return lambda: add(str(folder / name), f"hostile-{folder.name}", fields)


MANIFEST = {"network": {"input": {"of": "luma"}, "output": {"of": "ab"}}}
KINDS = {"specs": (specs, 500), "looks": (packages, 100), "shot lists": (lists, 100), "timelines": (timelines, 50)}


def told(folder: Path, kind: str, count: int) -> Counter[str]:
    made, _ = KINDS[kind]
    said: Counter[str] = Counter()
    for number in range(count):
        draw = Random(f"{SEED} {kind} {number}")
        place = folder / str(number)
        place.mkdir()
        sentence = bounded(f"{kind} {number} (seed {SEED})", made(place, draw))
        said["refused" if sentence else "read"] += 1
    return said


@pytest.mark.parametrize("kind", KINDS)
def test_some_of_them(tmp_path: Path, kind: str) -> None:
    count = KINDS[kind][1] // 10
    said = told(tmp_path, kind, count)
    assert said.total() == count
    assert said["refused"] > count // 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_all_of_them(tmp_path: Path, kind: str) -> None:
    count = KINDS[kind][1]
    assert told(tmp_path, kind, count)["refused"] > count // 3
