"""`python -m tests.chaos`: films through storms, and damaged films. Promises docs/chaos.json and a table; ends with 1 where a film did not arrive as it must.

A storm takes about half a minute on two cores, a damaged film a third of a second.
"""

import json
import os
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from farm.specs.spec_files import read_spec
from tests.chaos.damage import FILMS, Patient, Whole
from tests.chaos.fuzz import Fuzz
from tests.chaos.storm import THEMES, Storm, Told, job_of
from tests.farm.inline import rendered
from tests.films import Recipe
from tests.s3 import MotoServer

PAPER = Path(__file__).parents[2] / "docs" / "chaos.json"
PLUGIN = Path(__file__).parents[1] / "plugin"


def storms(folder: Path, seeds: range) -> dict[str, Any]:
    """What the storms of these seeds did, what they cost, and which films did not arrive."""
    film = Recipe(frames=240, sound="aac").make(folder / "film.mp4")
    spec = read_spec(str(job_of(film, folder, str(folder / "calm"))))
    assert rendered(spec).report().conforms
    whole = Path(spec.output, "film.mkv").read_bytes()
    told: list[Told] = []
    lost: list[int] = []
    with MotoServer() as moto:
        for seed in seeds:
            one = Storm(film, folder / f"storm-{seed}", moto, seed).weather()
            made = folder / f"storm-{seed}/out/film.mkv"
            if one.worst or one.finished_again or not made.exists() or made.read_bytes() != whole:
                lost.append(seed)
            told.append(one)
            print(f"storm {seed}: {'LOST' if seed in lost else 'arrived'}, {vars(one)}", flush=True)
    faults: Counter[str] = sum((Counter(dict(one.faults)) for one in told), Counter())
    quiet = median([one.seconds for one in told if one.theme == "calm"] or [0.0])
    return {
        "storms": len(told),
        "lost": lost,
        "drivers": sum(one.starts for one in told),
        "store faults": dict(sorted(faults.items())),
        "seconds of a film without a blow": round(quiet, 1),
        "by kind": {theme: _cost([one for one in told if one.theme == theme], quiet) for theme in THEMES},
    }


def _cost(told: list[Told], quiet: float) -> dict[str, Any]:
    """What one kind of storm did, and what each of its blows cost on average."""
    blows: Counter[str] = sum((one.blows for one in told), Counter())
    struck = max(1, sum(number for kind, number in blows.items() if "none there" not in kind))
    return {
        "storms": len(told),
        "blows": dict(sorted(blows.items())),
        "seconds lost per blow": round(sum(one.seconds - quiet for one in told) / struck, 1) if blows else None,
        "segments": sum(one.segments for one in told),
        "segments written twice": sum(one.uploads - one.segments for one in told),
        "chunks in flight when a driver ended": sum(one.in_flight for one in told),
        "of these begun again": sum(one.again for one in told),
        "finished chunks rendered again": sum(one.finished_again for one in told),
    }


def ruins(folder: Path, seeds: range) -> dict[str, Any]:
    """How many damaged films were refused or delivered, by what was done to them, and what went wrong."""
    films = {name: Whole.of(recipe.make(folder / name)) for name, recipe in FILMS.items()}
    patient, outcomes, wrong = Patient(), Counter[str](), list[str]()
    for seed in seeds:
        name = sorted(films)[seed % len(films)]
        kind, data = films[name].damaged(random.Random(seed))
        here = folder / f"ruin-{seed}"
        here.mkdir()
        (here / name).write_bytes(data)
        said = patient.tries(here / name, here, films[name])
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
    damage: Annotated[int, typer.Option(help="Damaged films.")] = 500,
    first: Annotated[int, typer.Option(help="Seed of the first damaged film.")] = 0,
    fuzz: Annotated[
        int, typer.Option(help="Films by made-up specs, and ten times as many specs of other kinds.")
    ] = 200,
) -> None:
    """Run both and put down what came of them; a part that is not run stays on paper as it was."""
    sys.path.insert(0, str(PLUGIN))
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(PLUGIN), str(PLUGIN.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        if fuzz:
            found["specs"] = specs(Path(folder) / "specs", fuzz)
        if damage:
            found["damaged"] = ruins(Path(folder), range(first, first + damage))
        if storm:
            found["storms"] = storms(Path(folder), range(1, storm + 1))
    before = json.loads(PAPER.read_text()) if PAPER.exists() else {}
    PAPER.write_text(json.dumps(before | found, indent=1) + "\n")
    print(json.dumps(found, indent=1))
    raise typer.Exit(1 if any(part.get("wrong") or part.get("lost") for part in found.values()) else 0)


if __name__ == "__main__":
    typer.run(main)
