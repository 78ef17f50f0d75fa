"""Suggests the change with which a refused deliverable would do, as a line of the spec and as an option; each was tried first."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Self

from pydantic import ValidationError

from jobs.errors import BadSpec
from jobs.spec.codecs import CONTAINERS, DEPTHS, LOOKED_AT, PICTURES, PROFILES, Codec, Container, Drop
from jobs.spec.formats import Deliverable
from jobs.untrusted import spoken

Value = str | int | tuple[int | str, ...] | None

MOST = 2
"""Changes that one refusal suggests at most."""

_OPTIONS = ("codec", "container", "profile", "depth", "height", "crf", "drop")
"""Fields of a deliverable that are options of `farm render` and `farm plan` too."""


def written(field: str, value: Value) -> str:
    """How a field is set: the line of a spec and, where there is one, the option of the command line."""
    many = [str(one) for one in value] if isinstance(value, tuple) else []
    line = f"{field}: [{', '.join(many)}]" if many else f"{field}: {value}"
    return f"{line} (--{field} {','.join(many) or value})" if field in _OPTIONS else line


class SuggestedChange(NamedTuple):
    """Fields of a deliverable to be set, or (None) to be left out."""

    fields: tuple[tuple[str, Value], ...] = ()

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
        if deliverable.burn_in is not None and codec not in LOOKED_AT:
            fields["burn_in"] = None
        if deliverable.start_number is not None and codec not in PICTURES:
            fields["start_number"] = None
        return cls(tuple(fields.items()))

    def dropping(self) -> Self:
        """This, and streams that do not fit left out."""
        others = tuple(field for field in self.fields if field[0] != "drop")
        return self._replace(fields=(*others, ("drop", Drop.UNSUPPORTED.value)))

    def deliverable(self, before: Deliverable) -> Deliverable | None:
        """The changed deliverable; None where there is no such, or nothing would change."""
        said = before.model_dump(mode="json", exclude_unset=True) | dict(self.fields)
        kept = {name: value for name, value in said.items() if value is not None}
        try:
            after = Deliverable.model_validate(kept)
        except ValidationError:
            return None
        return after if after != before else None

    def __str__(self) -> str:
        sets = [written(name, value) for name, value in self.fields if value is not None]
        leaves = [name for name, value in self.fields if value is None]
        said = [f"set {' and '.join(sets)}"] if sets else []
        return " and ".join([*said, *([f"leave out {', '.join(leaves)}"] if leaves else [])])


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

    def of(self, deliverable: str) -> "UnfitDeliverable":
        """The same, which names the deliverable."""
        return UnfitDeliverable(f"{deliverable}: {self.what}", *self.ways, otherwise=self.otherwise)

    def trying(
        self, accepts: Callable[[SuggestedChange], bool], others: Iterable[SuggestedChange] = ()
    ) -> "UnfitDeliverable":
        """The same refusal with the changes that are accepted: its own first, each also with streams left out, then `others`."""
        ways: list[SuggestedChange] = []
        for one in (*self.ways, *(way.dropping() for way in self.ways), *others):
            # One for each field, and none that asks for more than one before it.
            names = {name for name, _ in one.fields}
            told = any({name for name, _ in way.fields} <= names for way in ways)
            if len(ways) < MOST and not told and accepts(one):
                ways.append(one)
        return UnfitDeliverable(self.what, *ways, otherwise=self.otherwise)


def _told(ways: Sequence[SuggestedChange]) -> Iterator[str]:
    """The changes in words; those that set one and the same field and nothing else, together."""
    names = {name for way in ways for name, value in way.fields if value is not None}
    if len(ways) > 1 and len(names) == 1 and all(len(way.fields) == 1 for way in ways):
        yield f"set {' or '.join(written(*way.fields[0]) for way in ways)}"
    else:
        yield from map(str, ways)


def _again(what: str, ways: tuple[SuggestedChange, ...], otherwise: str) -> UnfitDeliverable:
    return UnfitDeliverable(what, *ways, otherwise=otherwise)
