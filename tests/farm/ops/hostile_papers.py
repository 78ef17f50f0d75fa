"""Changes to what lies in a store, as a fault, or a neighbour who can write into the bucket, would make them: seeded, each one small."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable
from typing import Any

from jobs.digest import sealed, sealed_bytes, unsealed_bytes

TEXTS = [
    "",
    "[/]",
    "lk[/x/p]",
    "[bold red]x[/bold red][link=http://x]y[/link]",
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m\x85",
    "\u202eevil\u2066",
    "a\nfarm: delivered\r\x08",
    "half \ud800",
    "<script>alert(1)</script>",
    "\" onerror='alert(1)' autofocus onfocus=alert(1) x=\"",
    "javascript:alert(1)",
    "</style></title><img src=x onerror=alert(1)>",
    "../../../etc/passwd",
    "s3://else/where",
    "x" * 100_000,
    "{task.fields[says]:>99999999}",
    "%s%n" * 20,
]
NUMBERS: list[Any] = [1e300, -1e300, 10**18, -(10**18), 10**40, 2**63, -1, 0, 0.5, 1e-300, 1, 4_294_967_296]
VALUES: list[Any] = [None, True, [], {}, [[]], {"": {}}, [1, 2, 3], ["x"]]
RAW = [
    b"NaN",
    b"Infinity",
    b"1e999",
    b"9" * 5000,
    b'"1e999999999"',
    b"[" * 3000 + b"]" * 3000,
    b'{"a":' * 3000 + b"1" + b"}" * 3000,
]
LINES = [
    "2026-01-01 00:00:00 ended with exit code 99999999999999999999",
    "2026-01-01 00:00:00 ended with exit code 0",
    "2026-01-01 00:00:00 render: ,,, of ,,, frames",
    "2026-01-01 00:00:00 render: 99999999999999999999999999 of 1 frames [/x]",
    f"[{'9' * 5000} earlier lines are left out]",
]


def changed(data: bytes, name: str, dice: random.Random) -> bytes:
    """A paper as somebody has left it."""
    kinds: list[Callable[[bytes, random.Random], bytes]] = [_cut, _flipped, _foreign]
    if name.endswith(".json"):
        kinds += [_field] * 12 + [_raw] * 3
    elif name.endswith(".npz"):
        kinds += [_array] * 3 + [_bomb]
    elif name.endswith(".txt"):
        kinds += [_line] * 4
    return dice.choice(kinds)(data, dice)


def _cut(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data) or 1)]


def _flipped(data: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(data) or 1)
    return data[:place] + bytes([dice.randrange(256)]) + data[place + 1 :]


def _foreign(data: bytes, dice: random.Random) -> bytes:
    return dice.choice(
        [b"", b"\xff\xfe\x00\x80" * 9, b"null", b"[]", b"{}", b'"x"', b"\xef\xbb\xbf" + data, b"<html>", b"\x80\x04]."]
    )


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container of a value with each of its keys."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [place for key in keys for place in _places(value[key])]


def _somewhere(data: bytes, dice: random.Random) -> tuple[Any, tuple[Any, Any] | None]:
    """A paper without its seal, and one of its containers with a key; None where it has none."""
    value = json.loads(data)
    value.pop("seal", None)
    places = _places(value)
    return value, dice.choice(places) if places else None


def _field(data: bytes, dice: random.Random) -> bytes:
    """One field has another value, is gone, or is one too many; mostly sealed anew, as who means it would."""
    value, place = _somewhere(data, dice)
    if place is None:
        return data
    inside, key = place
    way = dice.random()
    if way < 0.1 and isinstance(inside, dict):
        del inside[key]
    elif way < 0.15 and isinstance(inside, dict):
        inside[dice.choice(TEXTS)] = inside[key]
    elif way < 0.2 and isinstance(inside, list):
        inside.extend(inside[:] * 3)
    else:
        old = inside[key]
        like = TEXTS if isinstance(old, str) else NUMBERS if isinstance(old, int | float) else VALUES
        inside[key] = dice.choice(like if dice.random() < 0.7 else TEXTS + NUMBERS + VALUES)
    try:
        return sealed(value) if dice.random() < 0.85 else json.dumps(value).encode()
    except ValueError:  # halves of characters
        return json.dumps(value).encode()


def _raw(data: bytes, dice: random.Random) -> bytes:
    """JSON that Python's own writer would not write."""
    value, place = _somewhere(data, dice)
    if place is None:
        return data
    inside, key = place
    inside[key] = "here"
    return json.dumps(value).encode().replace(b'"here"', dice.choice(RAW))


def _array(data: bytes, dice: random.Random) -> bytes:
    """A page of the frame index with a number, a length or a member changed, sealed anew."""
    import numpy as np

    with np.load(io.BytesIO(unsealed_bytes(data))) as page:
        arrays = {name: page[name] for name in page.files}
    name = dice.choice(list(arrays))
    array = arrays[name]
    match dice.randrange(5):
        case 0 if len(array):
            array[dice.randrange(len(array))] = dice.choice([-(2**63), 2**63 - 1, -1, 0, 1])
        case 1:
            arrays[name] = array[: len(array) // 2]
        case 2:
            del arrays[name]
        case 3:
            arrays[name] = array.astype(np.float32)
        case _:
            arrays[name] = array[None]
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return sealed_bytes(out.getvalue())


def _bomb(data: bytes, dice: random.Random) -> bytes:
    """A page that is a hundred megabytes once it is unpacked."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("pts.npy", bytes(100 << 20))
    return sealed_bytes(out.getvalue())


def _line(data: bytes, dice: random.Random) -> bytes:
    lines = data.split(b"\n")
    new = dice.choice(TEXTS + LINES).encode("utf-8", "surrogatepass")
    lines.insert(dice.randrange(len(lines) + 1) if dice.random() < 0.7 else 0, new)
    return b"\n".join(lines) if dice.random() < 0.7 else b"\n".join([*lines[:-1], new])
