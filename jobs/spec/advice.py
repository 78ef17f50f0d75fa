"""Suggests the change of a spec with which a refused deliverable would do; every change suggested was tried first."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, Self

from pydantic import ValidationError

from jobs.errors import BadSpec
from jobs.spec.codecs import CONTAINERS, DEPTHS, PROFILES, Codec, Container, Drop
from jobs.spec.formats import Deliverable
from jobs.spec.job import JobSpec
from jobs.untrusted import spoken

Value = str | int | None

MOST = 2
"""Changes that one refusal suggests at most."""


class SuggestedChange(NamedTuple):
    """Fields of a deliverable to be set, or (None) to be left out, and whether streams that do not fit may be."""

    fields: tuple[tuple[str, Value], ...] = ()
    drop: Literal["", "unsupported", "captions"] = ""

    @classmethod
    def of(cls, **fields: Value) -> Self:
        """A change of a deliverable's fields."""
        return cls(tuple(fields.items()))

    @classmethod
    def to_codec(cls, deliverable: Deliverable, codec: Codec) -> Self:
        """Another codec, without what the deliverable says that the codec does not have."""
        fields: dict[str, Value] = {"codec": codec.value}
        if deliverable.container is not Container.AUTO and deliverable.container.value not in CONTAINERS[codec]:
            fields["container"] = None
        if deliverable.profile not in (None, *PROFILES.get(codec, ())):
            fields["profile"] = None
        if deliverable.depth not in (None, *DEPTHS.get(codec, ())):
            fields["depth"] = None
        if deliverable.encoder == "nvenc" and codec not in (Codec.H264, Codec.HEVC):
            fields["encoder"] = None
        return cls(tuple(fields.items()))

    def dropping(self) -> Self:
        """This, and streams that do not fit left out."""
        return self._replace(drop="unsupported")

    def deliverable(self, before: Deliverable) -> Deliverable | None:
        """The changed deliverable; None where there is no such, or nothing would change."""
        said = before.model_dump(mode="json", exclude_unset=True)
        for name, value in self.fields:
            said[name] = value
        kept = {name: value for name, value in said.items() if value is not None}
        try:
            after = Deliverable.model_validate(kept)
        except ValidationError:
            return None
        return after if after != before or self.drop else None

    def spec(self, before: JobSpec) -> JobSpec:
        """The changed spec, beside its deliverables."""
        if not self.drop:
            return before
        listed = before.drop if isinstance(before.drop, tuple) else ()
        allowed = Drop.UNSUPPORTED if self.drop == "unsupported" else (*listed, self.drop)
        return before.model_copy(update={"drop": allowed})

    def __str__(self) -> str:
        sets = [f"{name} to {value}" for name, value in self.fields if value is not None]
        leaves = [f"its {name}" for name, value in self.fields if value is None]
        said = []
        if sets:
            said.append(f"set the deliverable's {' and its '.join(sets)}")
        if leaves:
            said.append(f"leave out {' and '.join(leaves)}")
        if self.drop == "unsupported":
            said.append("allow streams that do not fit to be left out with --drop unsupported")
        elif self.drop:
            said.append(f"allow that with drop: [{self.drop}]")
        return ", and ".join(said)


class UnfitDeliverable(BadSpec):
    """A deliverable that cannot be made of this film, and the changes that would do."""

    def __init__(self, what: str, *ways: SuggestedChange, otherwise: str = "") -> None:
        """`what`: the reason, without a stop; `otherwise`: what else can be done, in words."""
        super().__init__(what, *ways)
        self.what, self.ways, self.otherwise = what, ways, otherwise

    def __reduce__(self) -> "tuple[Callable[..., UnfitDeliverable], tuple[object, ...]]":
        return _again, (self.what, self.ways, self.otherwise)

    def __str__(self) -> str:
        told = [*_told(self.ways), *([self.otherwise] if self.otherwise else [])]
        return spoken(f"{self.what}: {', or '.join(told)}." if told else f"{self.what}.")

    def trying(
        self, accepts: Callable[[SuggestedChange], bool], others: Iterable[SuggestedChange] = ()
    ) -> "UnfitDeliverable":
        """The same refusal with the changes that are accepted: its own first, each also with streams left out, then `others`."""
        ways: list[SuggestedChange] = []
        for one in (*self.ways, *(way.dropping() for way in self.ways), *others):
            # One for each field, and none that asks for more than one before it.
            names = {name for name, _ in one.fields}
            told = any({name for name, _ in way.fields} <= names and (one.drop or not way.drop) for way in ways)
            if len(ways) < MOST and not told and accepts(one):
                ways.append(one)
        return UnfitDeliverable(self.what, *ways, otherwise=self.otherwise)


def _told(ways: Sequence[SuggestedChange]) -> Iterator[str]:
    """The changes in words; those that set one and the same field and nothing else, in one breath."""
    names = {name for way in ways for name, value in way.fields if value is not None}
    if len(ways) > 1 and len(names) == 1 and all(len(way.fields) == 1 and not way.drop for way in ways):
        yield f"set the deliverable's {names.pop()} to {' or '.join(str(way.fields[0][1]) for way in ways)}"
    else:
        yield from map(str, ways)


def _again(what: str, ways: tuple[SuggestedChange, ...], otherwise: str) -> UnfitDeliverable:
    return UnfitDeliverable(what, *ways, otherwise=otherwise)
