"""`python -m tests.chaos`: films through storms, and damaged films. Promises docs/chaos.json and a table; ends with 1 where a film did not arrive as it must.

A storm takes about half a minute on two cores, a damaged film a third of a second.
"""

import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from farm.settings import read_spec
from tests.chaos.damage import FILMS, Patient, damaged
from tests.chaos.fuzz import Fuzz
from tests.chaos.storm import Told, job_of, weather
from tests.farm.inline import rendered
from tests.farm.shell import farm
from tests.films import Recipe
from tests.s3 import MotoServer

PAPER = Path(__file__).parents[2] / "docs" / "chaos.json"
PLUGIN = Path(__file__).parents[1] / "plugin"


def storms(folder: Path, seeds: range) -> dict[str, Any]:
    """What the storms of these seeds did, what they cost, and which films did not arrive."""
    film = Recipe(frames=120, sound="aac").make(folder / "film.mp4")
    spec = read_spec(str(job_of(film, folder, str(folder / "calm"))))
    assert rendered(spec).report().conforms
    whole = Path(spec.output, "film.mkv").read_bytes()
    (folder / "quiet").mkdir()
    began = time.monotonic()
    assert farm("render", job_of(film, folder / "quiet", str(folder / "quiet/store"))).code == 0
    quiet = time.monotonic() - began
    told: list[Told] = []
    lost: list[int] = []
    with MotoServer() as moto:
        for seed in seeds:
            one = weather(film, folder / f"storm-{seed}", moto, seed)
            made = folder / f"storm-{seed}/out/film.mkv"
            if one.worst or not made.exists() or made.read_bytes() != whole:
                lost.append(seed)
            told.append(one)
            print(f"storm {seed}: {'LOST' if seed in lost else 'arrived'}, {asdict(one)}", flush=True)
    blows: Counter[str] = sum((one.blows for one in told), Counter())
    faults: Counter[str] = sum((Counter(dict(one.faults)) for one in told), Counter())
    return {
        "storms": len(told),
        "lost": lost,
        "blows": dict(blows),
        "store faults": dict(faults),
        "drivers": sum(one.starts for one in told),
        "seconds of an undisturbed run": round(quiet, 1),
        "seconds lost per blow": round(
            (sum(one.seconds for one in told) - quiet * len(told)) / max(1, blows.total()), 1
        ),
        "segments": sum(one.segments for one in told),
        "segments uploaded": sum(one.uploads for one in told),
    }


def ruins(folder: Path, seeds: range) -> dict[str, Any]:
    """How many damaged films were refused or delivered, by what was done to them, and what went wrong."""
    films = {name: recipe.make(folder / name).read_bytes() for name, recipe in FILMS.items()}
    patient, outcomes, wrong = Patient(), Counter[str](), list[str]()
    for seed in seeds:
        name = sorted(films)[seed % len(films)]
        kind, data = damaged(films[name], random.Random(seed))
        here = folder / f"ruin-{seed}"
        here.mkdir()
        (here / name).write_bytes(data)
        said = patient.tries(here / name, here)
        outcomes[f"{kind}: {said.split(':')[0]}"] += 1
        if not said.startswith(("refused: ", "delivered")):
            wrong.append(f"{seed} {name} {kind}: {said}")
            print(wrong[-1], flush=True)
    patient.end()
    return {"damaged films": len(seeds), "wrong": wrong, "outcomes": dict(sorted(outcomes.items()))}


def specs(folder: Path, films: int) -> dict[str, Any]:
    """What was said to made-up specs: so many films by sensible ones, and ten times as many of the other kinds."""
    folder.mkdir()
    fuzz, wrong = Fuzz(folder, number=1), list[str]()
    for kind, examples in ((fuzz.values, 10 * films), (fuzz.texts, 10 * films), (fuzz.films, films)):
        try:
            kind(examples)
        except Exception as error:  # hypothesis has made it as small as it can
            wrong.append(f"{kind.__name__}: {type(error).__name__}: {error}")
            print(wrong[-1], flush=True)
    return {"made-up specs": sum(fuzz.said.values()), "wrong": wrong, "outcomes": dict(sorted(fuzz.said.items()))}


def main(
    storm: Annotated[int, typer.Option(help="Storms, by seeds from 1.")] = 100,
    damage: Annotated[int, typer.Option(help="Damaged films, by seeds from 0.")] = 500,
    fuzz: Annotated[
        int, typer.Option(help="Films by made-up specs, and ten times as many specs of other kinds.")
    ] = 200,
) -> None:
    """Run both and put down what came of them."""
    sys.path.insert(0, str(PLUGIN))
    with tempfile.TemporaryDirectory() as folder:
        made_up = specs(Path(folder) / "specs", fuzz) if fuzz else {}
        ruined = ruins(Path(folder), range(damage))
        stormy = storms(Path(folder), range(1, storm + 1)) if storm else {}
    found = {"storms": stormy, "damaged": ruined, "specs": made_up}
    PAPER.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))
    raise typer.Exit(1 if ruined["wrong"] or made_up.get("wrong") or stormy.get("lost") else 0)


if __name__ == "__main__":
    typer.run(main)
