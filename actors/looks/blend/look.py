"""The look "blend": its settings, and what the looks it mixes take together. Loads no torch (generator.py does)."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from actors.looks import fit, placed, resolved
from actors.looks.kind import LookKind, Needs
from actors.looks.package import Package
from jobs.digest import digest
from jobs.document import Document
from jobs.errors import BadLook
from jobs.plan.plan import Keeps, Look, Support
from jobs.spec.job import LookChoice

KIND = "blend"


class Part(Document):
    """One of the looks."""

    name: Annotated[str, Field(min_length=1, max_length=1000)]
    """As in a spec: an installed look, one of the library, or a place."""
    settings: dict[str, Any] = Field(default_factory=dict)
    share: Annotated[float, Field(gt=0)] = 1.0
    """How much of its picture, against the others'."""

    @field_validator("name")
    @classmethod
    def _on_every_machine(cls, name: str) -> str:
        return placed(name)


class BlendSettings(Document):
    """Which looks, and how much of each."""

    looks: Annotated[tuple[Part, ...], Field(min_length=2, max_length=8)]
    """[{name, settings, share}, ...]; shares are scaled to sum 1, and may be others in every shot or range of frames."""
    strength: Annotated[float, Field(ge=0, le=1)] = 1.0
    """0 keeps the film's own picture (its own chroma where all looks give chroma), 1 takes the blend."""
    keep_chroma: bool = False
    """The blend's luma alone: the film's own chroma stays, bit for bit. For looks that do not all give chroma."""

    @model_validator(mode="after")
    def _no_blends(self) -> "BlendSettings":
        for one in self.looks:
            if resolved(one.name)[0] == KIND:
                raise BadLook(f"The look '{one.name}' is a blend, and blends do not nest; name its looks themselves.")
        return self


def fitted(settings: BlendSettings) -> list[Look]:
    return [fit(LookChoice(name=one.name, settings=one.settings)) for one in settings.looks]


def _kept_by_all(looks: Sequence[Look]) -> Keeps:
    # Chroma that is mixed is rounded anew, also where one of the looks leaves it as it is.
    kept: set[Keeps] = {"luma" if one.keeps == "all" else one.keeps for one in looks}
    return kept.pop() if len(kept) == 1 else ""


def needs(settings: Document, package: Package | None) -> Needs:
    assert isinstance(settings, BlendSettings)
    looks = fitted(settings)
    supports = [one.support for one in looks]
    return Needs(
        support=Support(
            context=max(one.context for one in supports),
            warmup=max(one.warmup for one in supports),
            dissolve=max(one.dissolve for one in supports),
        ),
        digests=tuple(
            digest({"look": look.named(), "share": part.share})
            for look, part in zip(looks, settings.looks, strict=True)
        ),
        places=("looks",),
        adds_colour=any(one.adds_colour for one in looks) and not settings.keep_chroma,
        keeps="chroma" if settings.keep_chroma else _kept_by_all(looks),
        propagates=all(one.propagates for one in looks),
        gpu_gib=sum(one.gpu_gib for one in looks),
    )


BLEND = LookKind(
    about="mixes the pictures of two to eight looks, by share",
    version=1,
    settings=BlendSettings,
    needs=needs,
    generator="actors.looks.blend.generator:BlendGenerator",
)
