"""Hostile specs, look packages, shot lists and timelines, made by seed: small files that ask for much, or are broken where it hurts."""

import struct
from random import Random


def _many(draw: Random) -> int:
    return draw.choices((1, 30, 300, 3_000, 30_000, 100_000), (4, 4, 4, 4, 1, 1))[0]


def _nested(draw: Random, opens: str, closes: str) -> str:
    depth = _many(draw)
    return opens * depth + draw.choice(("", "1")) + (closes * depth if draw.random() < 0.7 else "")


def _value(draw: Random) -> str:
    """A JSON value that nobody expects."""
    count = _many(draw)
    return draw.choice(
        (
            lambda: _nested(draw, "[", "]"),
            lambda: _nested(draw, '{"a":', "}"),
            lambda: "{" + ",".join(f'"k{number}":1' for number in range(count)) + "}",
            lambda: "{" + ",".join('"same":1' for _ in range(count)) + "}",
            lambda: "[" + ",".join("1" for _ in range(count)) + "]",
            lambda: '"' + "x" * count * 10,
            lambda: '"' + '\\"' * count + '"',
            lambda: "1" + "0" * count,
            lambda: "1e" + "9" * min(count, 300),
            lambda: draw.choice(
                ("NaN", "-Infinity", "null", "true", '"\\ud800"', '"\\u0000"', '"[/x]\\u001b[2J"', "-1", '""')
            ),
        )
    )()


FIELDS = (
    "name",
    "source",
    "store",
    "output",
    "look",
    "shots",
    "overrides",
    "deliverables",
    "workers",
    "rate",
    "stills",
    "drop",
    "cost",
)


def spec(draw: Random) -> tuple[str, bytes]:
    """A job spec in JSON or YAML, in which some field is not what it should be."""
    fields = {
        "version": "1",
        "name": '"film"',
        "source": '"/f.mp4"',
        "store": '"/s"',
        "output": '"/o"',
        "look": '{"name": "none"}',
        "deliverables": '[{"name": "film", "codec": "ffv1"}]',
    }
    for name in draw.sample(FIELDS, draw.randint(1, 3)):
        fields[name] = _value(draw)
    text = "{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}"
    if draw.random() < 0.3:
        return "job.yaml", _yaml(draw).encode("utf-8", "surrogatepass")
    return draw.choice(("job.json", "job.yaml")), text.encode("utf-8", "surrogatepass")


def _yaml(draw: Random) -> str:
    count = _many(draw)
    return draw.choice(
        (
            lambda: (
                "a: &a [1,1]\n"
                + "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}' if n else '*a'] * 9)}]\n" for n in range(12))
            ),
            lambda: "".join(f"{' ' * depth}a:\n" for depth in range(min(count, 1000))),
            lambda: "- " * count + "1",
            lambda: "? " * count + "1",
            lambda: "".join(f"k{number}: {number}\n" for number in range(count)),
            lambda: "a: " + "!!int " * count,
            lambda: "a: |\n" + " x\n" * count,
            lambda: "a: '" + "''" * count,
            lambda: "&a [*a]",
            lambda: "%YAML 9.9\n--- !!python/object/apply:os.system [id]",
            lambda: "a" * count + ": " * min(count, 1000),
            lambda: "<<: " + "[" * min(count, 3000),
        )
    )()


def timeline(draw: Random) -> tuple[str, bytes]:
    """An OpenTimelineIO file of any depth, size and kind."""
    kinds = (
        "Timeline.1",
        "Stack.1",
        "Track.1",
        "Clip.2",
        "Gap.1",
        "SerializableCollection.1",
        "Nothing.9",
        "Timeline.999999999999",
    )
    kind = draw.choice(kinds)
    depth = draw.choice((1, 10, 40, 80, 1_000, 20_000, 200_000))
    inner = _value(draw)
    body = draw.choice(
        (
            lambda: f'{{"OTIO_SCHEMA":"{kind}","metadata":{{"a":{inner}}}}}',
            lambda: f'{{"OTIO_SCHEMA":"Timeline.1","tracks":{_stacks(depth)}}}',
            lambda: f'{{"OTIO_SCHEMA":"Timeline.1","tracks":{inner}}}',
            lambda: f'{{"OTIO_SCHEMA":"Timeline.1","metadata":{"[" * depth}{"]" * depth}}}',
            lambda: "[" * depth,
            lambda: inner,
        )
    )()
    return "cuts.otio", body.encode("utf-8", "surrogatepass")


def _stacks(depth: int) -> str:
    return '{"OTIO_SCHEMA":"Stack.1","children":[' * depth + "]}" * depth


def shot_list(draw: Random) -> tuple[str, bytes]:
    """An EDL or a CSV of long lines, of many lines, of numbers that are none."""
    count = _many(draw)
    event = "001  AX  V  C  00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00\n"
    row = "1,0,00:00:00.000,0.000,10,00:00:01.000,1.000,10,00:00:01.000,1.000\n"
    head = "Scene Number,Start Frame,Start Timecode,Start Time (seconds),End Frame\n"
    name, text = draw.choice(
        (
            ("cuts.edl", event * min(count, 30_000)),
            ("cuts.edl", "1 " + "A " * count),
            ("cuts.edl", "1 " + "A V C " * count + "00:00:00:00"),
            ("cuts.edl", "001 AX V" + " " * count + "C 00:00:00:00"),
            ("cuts.edl", "1" * count + " x V C"),
            ("cuts.edl", event.replace("00:00:01:00", "99:99:99:99")),
            ("cuts.csv", head + row * count),
            ("cuts.csv", head + '1,"' + "x" * count * 5),
            ("cuts.csv", "," * count + "\n" + head),
            ("cuts.csv", head + "1," + "9" * count + ",0,0,0\n"),
            ("cuts.csv", head + f"1,{draw.choice(('nan', '1e400', '-5', '0x9', '', chr(0)))},0,0,0\n"),
            ("cuts.csv", '"' * count),
        )
    )
    return name, text.encode()


def look_paper(draw: Random) -> bytes:
    """A look.json, one of whose fields is not what it should be."""
    fields = {
        "version": "1",
        "name": '"hostile"',
        "kind": draw.choice(('"onnx"', '"style"', '"fast-style"', '"colorize"', '"none"', '"oil"')),
        "domain": draw.choice(('"chroma"', '"rgb"')),
        "licence": '"MIT"',
        "files": '{"model.onnx": "' + "0" * 64 + '"}',
    }
    for name in draw.sample((*fields, "settings", "network", "figures", "size", "training"), draw.randint(1, 2)):
        fields[name] = _value(draw)
    return ("{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}").encode(
        "utf-8", "surrogatepass"
    )


def weights(draw: Random) -> tuple[str, bytes]:
    """A file of weights: safetensors whose header lies, or an ONNX file of fields within fields."""
    count = _many(draw)
    header = draw.choice(
        (
            lambda: '{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}',
            lambda: f'{{"w":{{"dtype":"F32","shape":[{10**15}],"data_offsets":[0,{4 * 10**15}]}}}}',
            lambda: (
                "{"
                + ",".join(
                    f'"w{n}":{{"dtype":"F32","shape":[],"data_offsets":[0,4]}}' for n in range(min(count, 30_000))
                )
                + "}"
            ),
            lambda: _value(draw),
        )
    )()
    size = draw.choice((len(header), len(header) + 7, 2**63, 2**40, 0))
    field = struct.pack("B", draw.choice((0x3A, 0x0A, 0x2A, 0x7A)))
    nested = b""
    for _ in range(min(count, 3_000)):
        nested = field + _length(len(nested)) + nested
    return draw.choice(
        (
            (
                "w.safetensors",
                struct.pack("<Q", size)
                + header.encode("utf-8", "surrogatepass")
                + struct.pack("<4f", 0, 1, float("nan"), 2),
            ),
            ("m.onnx", nested),
            ("m.onnx", (field + b"\0") * count),
            ("m.onnx", draw.randbytes(min(count, 5_000))),
            ("m.onnx", b"\x3a" + _length(count) + bytes(count)),
        )
    )


def _length(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])
