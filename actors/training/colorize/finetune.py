"""The course that trains a finished colouring look on, with a film's own references: painted stills, or a restored reel.

Before its first step it gives exactly that look's pictures.

The network has no batch norms any more, so a handful of stills cannot upset its statistics, and its steps are small.
"""

from actors.looks import resolved
from actors.looks.colorize.network import ColorNet, load_network
from actors.training.colorize.course import ColorizeCourse
from actors.training.colorize.kinds import FinetuneCourseSettings
from jobs.errors import BadLook


class FinetuneCourse(ColorizeCourse):
    """A colouriser that learns the colours of one film."""

    def begun(self) -> ColorNet:
        """The network of the finished look, its encoder as that has it."""
        assert isinstance(self.wish, FinetuneCourseSettings)
        kind, package = resolved(self.wish.look)
        if package is None or kind != "colorize":
            raise BadLook(f"course.look = {self.wish.look!r} is not a colouriser; name a look of the kind colorize.")
        try:
            network = load_network(package.file("weights.safetensors"), "cpu")
        except ValueError as error:
            raise BadLook(f"The weights of course.look cannot be used: {error}") from None
        network.requires_grad_(True).encoder.requires_grad_(False)
        return network
