"""What is frozen: digests of fixed orders and records, and the JSON schemas of spec, report and records. A change here is a change for every store there is.

`python -m tests.frozen.test_digests` writes frozen.json anew, where that is meant.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from jobs.digest import canonical, digest
from jobs.film.frame_index import PacketSpan
from jobs.film.source import Colour, Development, Film, Picture, SourceIdentity
from jobs.ledger.lease import LeaseDocument
from jobs.ledger.quarantine import quarantine_digest
from jobs.ledger.usage import Usage
from jobs.output.ownership import Owner
from jobs.plan.plan import Chunk, Look, Plan, Range, Shot, Support
from jobs.plan.spans import Propagation
from jobs.records.guides import guide_digest, painted_frame, reference_digest
from jobs.records.media import Media
from jobs.records.orders import (
    Encoding,
    HandlesRecord,
    RenderOrder,
    SegmentRecord,
    SplitRecord,
    handles_digest,
    segment_digests,
    split_order,
)
from jobs.records.report import ConformReport, FilmReport, Quarantined
from jobs.spec.codecs import Codec
from jobs.spec.job import JobSpec, LookChoice
from jobs.stills.listing import StillFile

FROZEN = Path(__file__).with_name("frozen.json")
COLOUR = Colour(matrix="bt709", full_range=False, primaries=1, transfer=1, space=1, assumed=False)
PICTURE = Picture(
    stream=0, codec="h264", width=64, height=48, stored="yuv420p", pix_fmt="yuv420p", depth=8, time_base=Fraction(1, 24), rate=Fraction(24),
    aspect=Fraction(1), rotation=0, colour=COLOUR,
)  # fmt: skip
FILM = Film(
    source="/films/a.mp4",
    identity=SourceIdentity(bytes=1000, version="1", ends_sha256="ab"),
    format="mp4",
    picture=PICTURE,
)
FFV1 = Encoding(
    codec=Codec.FFV1, encoder="ffv1", library="ffv1 / 62", width=64, height=48, pix_fmt="yuv420p", rate=Fraction(24), time_base=Fraction(1, 24),
    aspect=Fraction(1), colour=COLOUR, options={"level": "3"}, threads=1, reorder=0,
)  # fmt: skip
H264 = FFV1.model_copy(update={"codec": Codec.H264, "encoder": "libx264", "options": {"g": "8"}, "reorder": 2})
LOOK = Look(
    choice=LookChoice(name="colorize", settings={"strength": 1.0}),
    support=Support(context=2, warmup=4, dissolve=3),
    weights=("aa",),
)
MEDIA = Media(key="media/ab", bytes=10, sha256="cd")
SEGMENT = SegmentRecord(
    digest="ef", frames=Range(0, 20), media=MEDIA, delay=2, extradata_sha256="01", made_on="cpu", seconds=1.5
)
HANDLES = HandlesRecord(digest="23", frames=Range(20, 28), domain="chroma", media=MEDIA, made_on="cpu")


def chunks() -> list[Chunk]:
    plan = Plan(20)
    plan.grow([Shot(1, Range(0, 40), LOOK), Shot(2, Range(40, 90), LOOK)])
    return list(plan.chunks)


def digests() -> dict[str, str]:
    """Of fixed orders and records, by what they are."""
    film_chunks = chunks()
    first, second = film_chunks[:2]
    span = PacketSpan(first=0, first_pts=0, stamps=(0, 1, 2), wanted=(0, 1, 2), bytes=10)
    long = PacketSpan(first=0, first_pts=0, stamps=tuple(range(40)), wanted=tuple(range(30, 40)), bytes=10)
    split = split_order(FILM, first, span)
    developed = FILM.model_copy(
        update={"development": Development(stored="bgr24", pix_fmt="yuv444p", matrix="bt709", deinterlace=True)}
    )
    render = RenderOrder(
        chunk=2, core=second.core, read=second.read, dissolve=3, look=LOOK, film=FILM, split=split, media=MEDIA,
        encodings=(H264,), handles=(Range(40, 48),),
    )  # fmt: skip
    named = {
        "split, as packets": split.digest,
        "split, as ffv1": split_order(FILM, first, long).digest,
        "split, of a film that is developed": split_order(developed, first, span).digest,
        "a chunk's segments": digest({str(part): name for part, name in segment_digests(FILM, film_chunks, first, FFV1).items()}),
        "a dissolved chunk's segments": digest({str(part): name for part, name in segment_digests(FILM, film_chunks, second, H264).items()}),
        "a render order's segment": render.digest(H264),
        "a render order's handles": handles_digest(FILM, second, Range(20, 28)),
        "a chunk that is set aside": quarantine_digest(FILM, first),
    }  # fmt: skip
    named |= propagated()
    records = (SplitRecord(digest="45", media=MEDIA, packets=3), SEGMENT, HANDLES)
    return named | {f"a {record.kind} record": digest(json.loads(canonical(record))) for record in records}


def propagated() -> dict[str, str]:
    """Of a still, of strokes, and of what is propagated with and without them: a guide that no stroke reaches is kept when their spreading changes."""
    still, strokes = (
        painted_frame(StillFile(name=f"{n}.png", frame=n, sha256="ab", bytes=9, strokes=n == 60)) for n in (20, 60)
    )
    alone, under = (Propagation(stills=stills).through(Range(0, 90)) for stills in ((still,), (still, strokes)))
    return {
        "a still's reference": reference_digest(FILM, still),
        "a reference of strokes": reference_digest(FILM, strokes),
        "a guide": guide_digest(FILM, LOOK, alone[-1]),
        "a guide with strokes": guide_digest(FILM, LOOK, under[-1]),
    }


def schemas() -> dict[str, str]:
    """Digests of the documents' JSON schemas, less all that people read: titles, descriptions, and what classes are called."""
    models: list[type[BaseModel]] = [
        JobSpec, ConformReport, FilmReport, SplitRecord, SegmentRecord, HandlesRecord, Quarantined, Owner, LeaseDocument, Usage,
    ]  # fmt: skip
    names = (
        "spec",
        "conform report",
        "film report",
        "split",
        "segment",
        "handles",
        "quarantined",
        "owner",
        "lease",
        "tally",
    )
    found = dict(zip(names, models, strict=True))
    return {name: digest({"schema": _plain(model.model_json_schema(), {})}) for name, model in found.items()}


def _plain(part: Any, defined: dict[str, Any]) -> Any:
    if isinstance(part, list):
        return [_plain(member, defined) for member in part]
    if not isinstance(part, dict):
        return part
    defined = part.get("$defs", defined)
    if "$ref" in part:
        return _plain(defined[part["$ref"].rpartition("/")[2]], defined)
    properties = part.get("properties", {})
    kept = {
        name: _plain(value, defined)
        for name, value in part.items()
        if name not in ("title", "description", "$defs", "properties", "examples")
    }
    if "discriminator" in kept:
        kept["discriminator"] = kept["discriminator"]["propertyName"]
    return kept | {"properties": {name: _plain(value, defined) for name, value in properties.items()}}


def test_digests_are_as_they_were() -> None:
    assert digests() == json.loads(FROZEN.read_text())["digests"]


def test_schemas_are_as_they_were() -> None:
    assert schemas() == json.loads(FROZEN.read_text())["schemas"]


if __name__ == "__main__":
    FROZEN.write_text(json.dumps({"digests": digests(), "schemas": schemas()}, indent=1, sort_keys=True) + "\n")
