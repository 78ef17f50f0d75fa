"""Reads an ONNX file before onnxruntime does: the files its tensors lie in, and why it would not be run (loops, weights that are no numbers).

The file is a Protocol Buffers message (onnx.proto of ONNX 1.23). Other readers of that format take the lower 32 bits of a
field's tag alone, so that a tag with bit 32 set is a field which they see and a plain reader does not: whatever is not
written in its shortest form is refused here.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DEEPEST = 8
"""Graphs within graphs: branches of branches."""
MOST_FIELDS = 2_000_000
"""Of a file: a network of ten thousand layers has a tenth of them."""
_PIECE = 1 << 22
"""Bytes of packed numbers that are looked at together."""
MOST_NODES = 1_000_000
"""Once functions that call functions are written out, as onnxruntime does."""
LOOPS = ("Loop", "Scan")
"""Operations that repeat a graph as often as their data say, which may be for ever."""

_INSIDE = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
"""Which fields of a message hold which messages, as far as they lead to tensors and nodes."""

_FLOATS = {1: "<f4", 10: "<f2", 11: "<f8", 16: "bfloat16"}
"""Kinds of tensors (TensorProto.DataType) that could hold what is no number."""
_NUMBERS = {4: "<f4", 10: "<f8"}
"""Fields of a tensor with its numbers, as they lie there."""

_CALLED = {4: "operation", 7: "domain", 8: "overload"}
"""Fields of a node that tell which operation, or which of the model's functions, it is."""
_DEFINED = {1: "operation", 10: "domain", 13: "overload"}
"""Fields of a function that tell the same of it."""

Field = tuple[int, memoryview | None]


class UnfitModel(ValueError):
    """Why a model that can be read is not run, to be said after its name."""


class Beside(NamedTuple):
    """Where in another file a tensor's numbers lie."""

    location: str
    offset: int
    length: int | None
    """None: to the file's end."""
    kind: int
    tensor: str


@dataclass
class Contents:
    """What was found in a model."""

    graphs: int = 0
    beside: list[Beside] = field(default_factory=list)
    calls: dict[str, Counter[str]] = field(default_factory=dict)
    """How often each of the model's own functions, by its key, calls which operations; "" is the graph itself."""
    fields: int = 0

    def count_field(self) -> None:
        """One more. Raises UnfitModel where there are too many."""
        self.fields += 1
        if self.fields > MOST_FIELDS:
            raise UnfitModel(f"has more than {MOST_FIELDS:,} fields; export a smaller network")

    @property
    def locations(self) -> list[str]:
        """The other files, each once."""
        return list(dict.fromkeys(one.location for one in self.beside))


def contents_of(message: memoryview) -> Contents:
    """Read a whole model. Raises UnfitModel, and ValueError or IndexError for what is none."""
    found = Contents()
    for number, value in _fields(message, found):
        inside = _INSIDE["model"].get(number)
        if inside and value is not None:
            found.graphs += number == 7
            caller = _function_key(value, found) if inside == "function" else ""
            _look_into(value, inside, caller, 0, found)
    _refuse_explosion(found)
    return found


def check_beside(one: Beside, data: memoryview) -> None:
    """Raises UnfitModel where a tensor's numbers in another file, which is given whole, are none."""
    stop = len(data) if one.length is None else one.offset + one.length
    _refuse_not_numbers(one.tensor, one.kind, data[one.offset : stop])


def _look_into(message: memoryview, kind: str, caller: str, depth: int, found: Contents) -> None:
    if kind == "tensor":
        _look_at_tensor(message, found)
        return
    if kind == "graph" and (depth := depth + 1) > DEEPEST:
        raise UnfitModel(f"has graphs within graphs more than {DEEPEST} deep; export the network without branches")
    called = {"operation": "", "domain": "", "overload": ""}
    for number, value in _fields(message, found):
        if value is None:
            continue
        if kind == "node" and (name := _CALLED.get(number)):
            called[name] = _text(value)
        elif inside := _INSIDE[kind].get(number):
            _look_into(value, inside, caller, depth, found)
    if kind == "node":
        if (operation := called["operation"]) in LOOPS:
            raise UnfitModel(
                f"has a loop (the operation {operation}), which may never end; export the network unrolled"
            )
        found.calls.setdefault(caller, Counter())[_key(**called)] += 1


def _function_key(message: memoryview, found: Contents) -> str:
    said = {"operation": "", "domain": "", "overload": ""}
    for number, value in _fields(message, found):
        if value is not None and (name := _DEFINED.get(number)):
            said[name] = _text(value)
    key = _key(**said)
    found.calls.setdefault(key, Counter())
    return key


def _key(operation: str, domain: str, overload: str) -> str:
    # The default domain has two names.
    return f"{'' if domain == 'ai.onnx' else domain}:{operation}:{overload}"


def _refuse_explosion(found: Contents) -> None:
    """A function that calls another twice, which calls another twice, is written out before it is run."""
    whole: dict[str, int] = {}

    def nodes(key: str, within: tuple[str, ...]) -> int:
        if key in within or len(within) > DEEPEST * 4:
            raise UnfitModel("has functions that call each other without end; export the network with them written out")
        if key not in whole:
            called = found.calls.get(key, Counter())
            inside = (*within, key)
            whole[key] = sum(
                times * (nodes(name, inside) if name in found.calls else 1) for name, times in called.items()
            )
        return whole[key]

    if nodes("", ()) > MOST_NODES:
        raise UnfitModel(
            f"has more than {MOST_NODES:,} operations once its functions are written out; export a smaller network"
        )


def _look_at_tensor(message: memoryview, found: Contents) -> None:
    name = ""
    external: list[dict[int, str]] = []
    parts: list[tuple[int, memoryview]] = []
    numbers: dict[int, int] = {}
    for number, value in _fields(message, found, numbers):
        if value is None:
            if number in (4, 5, 10):
                raise ValueError("numbers that are not packed: a reader of fields of a length does not see them")
            continue
        if number == 8:
            name = _text(value)
        elif number == 13:
            external.append({key: _text(text) for key, text in _fields(value, found) if text is not None})
        elif number in (4, 5, 9, 10):
            parts.append((number, value))
    kind = numbers.get(2, 0)
    said = {pair.get(1, ""): pair.get(2, "") for pair in external}
    offset, length = abs(int(said.get("offset") or 0)), said.get("length")
    # Where a location is said twice, other readers may take either.
    for pair in external:
        if pair.get(1) == "location":
            found.beside.append(Beside(pair.get(2, ""), offset, int(length) if length else None, kind, name))
    for number, value in parts:
        if number == 5 and kind in (10, 16):  # halves, each as a number of its own
            for halves in _low_halves(value):
                _refuse_not_numbers(name, kind, memoryview(halves.tobytes()))
        elif number != 5:
            _refuse_not_numbers(name, kind if number == 9 else 0, value, _NUMBERS.get(number, ""))


def _low_halves(packed: memoryview) -> Iterator[NDArray[np.uint16]]:
    """The lower 16 bits of numbers that lie packed, in pieces: of some millions each would take long by itself. Raises ValueError."""
    at = 0
    while at < len(packed):
        data = np.frombuffer(packed[at : at + _PIECE], np.uint8)
        last = np.flatnonzero(data < 128)  # of each number's bytes
        first = np.concatenate(([0], last[:-1] + 1)) if len(last) else last
        if not len(last) or int((last - first).max()) >= 10:
            raise ValueError("too long a number")
        halves = np.zeros(len(last), np.uint16)
        for place in range(3):
            more = first + place <= last
            halves[more] |= (data[first[more] + place].astype(np.uint16) & 127) << (7 * place)
        yield halves
        at += int(last[-1]) + 1


def _refuse_not_numbers(name: str, kind: int, data: memoryview, form: str = "") -> None:
    form = form or _FLOATS.get(kind, "")
    if not form:
        return
    if form == "bfloat16":
        bits: NDArray[np.uint16] = np.frombuffer(data[: len(data) // 2 * 2], "<u2")
        wrong = bool((((bits & 0x7F80) == 0x7F80) & ((bits & 0x7F) != 0)).any())
    else:
        width = int(form[-1])
        wrong = bool(np.isnan(np.frombuffer(data[: len(data) // width * width], form)).any())
    if wrong:
        raise UnfitModel(
            f"has weights that are no numbers (NaN, in the tensor {name[:80]!r}); export it again from sound weights"
        )


def _text(value: memoryview) -> str:
    return bytes(value[:4096]).decode()


def _fields(message: memoryview, found: Contents, numbers: dict[int, int] | None = None) -> Iterator[Field]:
    """Numbers of a message's fields, with what those of a length hold (wire types 0, 1, 2 and 5); plain numbers go into `numbers`.

    Raises ValueError, IndexError.
    """
    at = 0
    while at < len(message):
        found.count_field()
        tag, at = _shortest(message, at)
        value = None
        if tag & 7 == 0:
            number, at = _varint(message, at)
            if numbers is not None:
                numbers[tag >> 3] = number
        elif tag & 7 == 2:
            length, at = _shortest(message, at)
            value, at = message[at : at + length], at + length
        elif tag & 7 in (1, 5):
            at += 8 if tag & 7 == 1 else 4
        else:
            raise ValueError("no such wire type")
        if at > len(message) or not tag >> 3:
            raise ValueError("broken off, or no field")
        yield tag >> 3, value


def _shortest(message: memoryview, at: int) -> tuple[int, int]:
    """A tag or a length: below 2**32, and written in as few bytes as it takes."""
    value, after = _varint(message, at)
    if value >= 1 << 32 or (after - at > 1 and not message[after - 1]):
        raise ValueError("a tag or a length that others read otherwise")
    return value, after


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for place in range(10):
        byte = message[at + place]
        value |= (byte & 127) << (7 * place)
        if byte < 128:
            return value, at + place + 1
    raise ValueError("too long a number")
