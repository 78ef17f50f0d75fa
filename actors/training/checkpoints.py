"""Checkpoints of a training, in a folder or in S3. Only whole ones are resumed from, and only with the recipe they were made with.

training.json                       what was begun: the recipe, and a digest of its pictures
checkpoints/step-0000500.json       figures and losses; LAST of its step, so that what it names is whole
checkpoints/step-0000500.safetensors    the course's state, of the last two alone
sheets/step-0000500.png             sample sheet
figures.json                        all figures so far, in one piece
best/step-0000500/                  the look of the best step so far, and of the best before the last
look/                               the finished look: the best step's
"""

import hashlib
import json
from collections.abc import Sequence

import safetensors.torch
from pydantic import ValidationError
from torch import Tensor

from actors.looks.package import LookDocument, Package, Training, open_package, write_package
from actors.picture.png_sheet import png
from actors.training.course import Course, ValidationResult
from actors.training.dataset.pictures import TrainingPictures
from jobs.errors import BadInput, BadSpec
from jobs.records.training import Checkpoint, TrainingIdentity, recipe_digest, settled_fields
from jobs.spec.training_recipe import Recipe
from jobs.store import open_store

BEGUN = "training.json"
STATES = 2
"""Kept: one may turn out broken."""


class Checkpoints:
    """One training's place. Only one worker of a team may write."""

    def __init__(self, recipe: Recipe, gathered: TrainingPictures) -> None:
        self.recipe = recipe
        self.store = open_store(recipe.out)
        self._gathered = gathered
        self.known: list[Checkpoint] = []
        """Of the steps up to now, in order."""

    def begin(self) -> None:
        """Note what is begun here. Raises BadSpec where another training was."""
        mine = TrainingIdentity(recipe=self.recipe, pictures=self._gathered.digest)
        text = mine.model_dump_json(indent=1).encode()
        if self.store.stat(BEGUN) is not None or not self.store.write(BEGUN, text, only_if_absent=True):
            self._compare(mine)

    def join(self) -> None:
        """Make sure that this worker stands where the first began, with the same pictures. Raises BadSpec."""
        if self.store.stat(BEGUN) is None:
            raise self._unshared(BEGUN)
        self._compare(TrainingIdentity(recipe=self.recipe, pictures=self._gathered.digest))

    def _unshared(self, key: str) -> BadSpec:
        return BadSpec(
            f"A worker does not see {self.store.url}/{key}, which the first one has there; give an out that all machines see: "
            "s3://, or a folder they share."
        )

    def _compare(self, mine: TrainingIdentity) -> None:
        try:
            begun = TrainingIdentity.model_validate_json(self.store.read(BEGUN))
        except ValidationError:
            raise BadSpec(f"{self.store.url}/{BEGUN} is damaged; choose another out.") from None
        then, now = settled_fields(begun.recipe), settled_fields(self.recipe)
        if changed := [name for name in now if then.get(name) != now[name]]:
            raise BadSpec(
                f"The training in {self.store.url} was begun with another {', '.join(changed)}; give back what it was "
                f"({BEGUN} there has it), or choose another out."
            )
        if begun.pictures != mine.pictures:
            raise BadSpec(
                f"The pictures are not those the training in {self.store.url} was begun with; give back what was changed, "
                "or choose another out."
            )

    def last(self) -> tuple[int, dict[str, Tensor]]:
        """The last whole checkpoint's step and state; (0, {}) where there is none. What came after is forgotten."""
        papers = self._papers()
        for number in reversed(range(len(papers))):
            if state := self._state(papers[number]):
                self.known = papers[: number + 1]
                return papers[number].step, state
        return 0, {}

    def at(self, step: int) -> dict[str, Tensor]:
        """The state of a step that the first worker goes on from; {} for step 0. Raises BadSpec where it is not seen."""
        state = next((self._state(one) for one in self._papers() if one.step == step), None)
        if step and not state:
            raise self._unshared(f"{_named(step)}.safetensors")
        return state or {}

    def catch_up(self) -> None:
        """See what the first worker has kept: any of a team may be the one that tells why a training ends."""
        self.known = self._papers()

    @property
    def best(self) -> Checkpoint | None:
        """The first of those with the lowest verdict."""
        return _best(self.known) if self.known else None

    @property
    def best_look(self) -> str:
        """Where its look lies. There is one once something is kept."""
        best = self.best
        assert best is not None
        return f"{self.store.url}/{_look(best.step)}"

    def keep(self, step: int, course: Course, found: ValidationResult, losses: dict[str, float]) -> Checkpoint:
        """Put a checkpoint down: the look first where it is the best, its paper last."""
        state = safetensors.torch.save(course.state())
        made = Checkpoint(
            step=step,
            sha256=hashlib.sha256(state).hexdigest(),
            verdict=found.verdict,
            figures=found.figures,
            losses=losses,
        )
        self.known.append(made)
        if self.best == made:
            self._write_look(made, course)
        self.store.write(f"{_named(step)}.safetensors", state)
        self.store.write(f"sheets/{_name(step)}.png", png(found.sheet))
        self.store.write(f"{_named(step)}.json", made.model_dump_json(indent=1).encode())
        self.store.write(
            "figures.json", json.dumps([one.model_dump(mode="json") for one in self.known], indent=1).encode()
        )
        self._tidy()
        return made

    def finish(self) -> tuple[Package, Checkpoint]:
        """Give the best step's look its name."""
        best = self.best
        assert best is not None, "a training ends with a checkpoint"
        package = open_package(self.best_look)
        files = {name: package.file(name).read_bytes() for name in package.paper.files}
        return write_package(f"{self.store.url}/look", package.paper, files), best

    def _papers(self) -> list[Checkpoint]:
        """All that can be read, in order of their steps."""
        papers = []
        for key in self.store.list("checkpoints/"):
            if key.endswith(".json"):
                try:
                    papers.append(Checkpoint.model_validate_json(self.store.read(key)))
                except ValidationError:
                    continue  # cut short by a disk that was full or torn out
        return sorted(papers, key=lambda one: one.step)

    def _state(self, paper: Checkpoint) -> dict[str, Tensor] | None:
        """None where the state was tidied away, or is not whole."""
        key = f"{_named(paper.step)}.safetensors"
        try:
            data = self.store.read(key) if self.store.stat(key) else b""
        except BadInput:
            return None
        if hashlib.sha256(data).hexdigest() != paper.sha256:
            return None
        return safetensors.torch.load(data)

    def _write_look(self, made: Checkpoint, course: Course) -> None:
        product, recipe = course.product(), self.recipe
        paper = LookDocument.model_validate(
            {
                "kind": recipe.kind,
                **product.paper,
                "name": recipe.name,
                "about": recipe.about,
                "licence": recipe.licence,
                "training": Training(
                    recipe=recipe_digest(recipe), steps=made.step, data=self._gathered.lines
                ).model_dump(),
                "figures": {**made.figures, "verdict": made.verdict},
                "files": {},
            }
        )
        write_package(f"{self.store.url}/{_look(made.step)}", paper, product.files)

    def _tidy(self) -> None:
        """Older states go, and looks that are not the best, nor would be without the last state, which may turn out broken.

        Only of steps known here: another driver of the same training may be further on.
        """
        steps = range(max(1, len(self.known) - STATES + 1), len(self.known) + 1)
        best = {_best(self.known[:count]).step for count in steps}
        gone = {f"{_named(one.step)}.safetensors" for one in self.known[:-STATES]}
        gone |= {_look(one.step) for one in self.known if one.step not in best}
        for key in [*self.store.list("checkpoints/"), *self.store.list("best/")]:
            if key in gone or key.rpartition("/")[0] in gone:
                self.store.delete(key)


def _best(known: Sequence[Checkpoint]) -> Checkpoint:
    return min(known, key=lambda one: one.verdict)


def _name(step: int) -> str:
    return f"step-{step:07d}"


def _named(step: int) -> str:
    return f"checkpoints/{_name(step)}"


def _look(step: int) -> str:
    return f"best/{_name(step)}"
