"""The course that trains a finished colouring look on, with a film's own references: painted stills, or a restored reel.

Before its first step it gives exactly that look's pictures.

The network has no batch norms any more, so a handful of stills cannot upset its statistics, and its steps are small.
"""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from actors.looks import placed, resolved
from actors.looks.colorize.network import ColorNet, load_network
from actors.training.colorize.course import ColorizeCourse, ColorizeCourseSettings
from jobs.document import Document
from jobs.errors import BadLook


class FinetuneCourseSettings(ColorizeCourseSettings):
    """What a recipe can tell the course, beside what any colouriser's can be told."""

    look: Annotated[str, AfterValidator(placed)] = "colorize"
    """The colouriser to go on with: an installed one, one of the library, or the place of one; whole, for workers stand elsewhere."""
    rate: Annotated[float, Field(gt=0, le=1)] = 1e-4
    memory: Annotated[float, Field(ge=0, lt=1)] = 0.98


class FinetuneCourse(ColorizeCourse):
    """A colouriser that learns the colours of one film."""

    settings: ClassVar[type[Document]] = FinetuneCourseSettings

    def begun(self) -> ColorNet:
        """The network of the finished look, its encoder as that has it."""
        assert isinstance(self.wish, FinetuneCourseSettings)
        kind, package = resolved(self.wish.look)
        if package is None or kind != "colorize":
            raise BadLook(f"course.look = {self.wish.look!r} is no colouriser; name a look of the kind colorize.")
        try:
            network = load_network(package.file("weights.safetensors"), "cpu")
        except ValueError as error:
            raise BadLook(f"The weights of course.look cannot be used: {error}") from None
        network.requires_grad_(True).encoder.requires_grad_(False)
        return network
