"""Reads ASC CDLs from their files: .cc, .ccc and .cdl, and from an EDL's comments. What is no such file is refused in one sentence."""

import re
from collections.abc import Mapping
from xml.etree import ElementTree

from pydantic import ValidationError

from jobs.document import faults
from jobs.errors import BadSpec
from jobs.spec.grade import Cdl, EventCdl

LARGEST_FILE = 4 << 20
"""Bytes: thousands of corrections have fewer."""
MOST_NAMED = 5
"""Ids of corrections of which is told."""


def read_cdl(data: bytes, name: str, wanted: str | None) -> Cdl:
    """The correction of this id in a file, or its only one. Raises BadSpec."""
    # Entities could make of some bytes as many as there is memory: no program writes any into a CDL.
    if b"<!" in data.replace(b"<!--", b""):
        raise BadSpec(f"The CDL {name} declares a document type or entities, which no CDL needs; export it again.")
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError):
        raise BadSpec(f"The CDL {name} is no XML of an ASC CDL (.cc, .ccc, .cdl); export it again.") from None
    found = {one.get("id", ""): one for one in root.iter() if _tag(one) == "ColorCorrection"}
    if not found:
        raise BadSpec(f"The CDL {name} has no ColorCorrection, as a .cc, .ccc or .cdl has; export it again.")
    ids = ", ".join(list(found)[:MOST_NAMED])
    if wanted is None and len(found) > 1:
        raise BadSpec(f"The CDL {name} has {len(found):,} corrections ({ids}); say which is meant with cdl_id.")
    if wanted is not None and wanted not in found:
        raise BadSpec(f"The CDL {name} has no correction {wanted!r}; it has {ids}.")
    return _values(found[wanted] if wanted is not None else next(iter(found.values())), name)


_TIME = r"(\d\d[:;]\d\d[:;]\d\d[:;.,]\d\d)"
_EVENT = re.compile(rf"\s*\d+\w*\s.*\s{_TIME}\s+{_TIME}\s+{_TIME}\s+{_TIME}\s*")
_SOP = re.compile(r"\W*ASC_SOP\s*\(([^()]*)\)\s*\(([^()]*)\)\s*\(([^()]*)\)\s*", re.IGNORECASE)
_SAT = re.compile(r"\W*ASC_SAT\s+(\S+)\s*", re.IGNORECASE)
LONGEST_LINE = 1000


def read_edl(data: bytes, name: str) -> tuple[EventCdl, ...]:
    """The corrections in the comments of an EDL's events, in order. Raises BadSpec."""
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    event: dict[str, list[str]] = {}
    for line in data.decode("utf-8-sig", "replace").splitlines():
        if len(line) > LONGEST_LINE:
            continue
        if times := _EVENT.fullmatch(line):
            event = {}
            if times[3] != times[4]:  # the outgoing side of a transition has no length
                found[times[3], times[4]] = event
        elif sop := _SOP.fullmatch(line):
            event |= {key: sop[place].split() for place, key in enumerate(("slope", "offset", "power"), 1)}
        elif saturation := _SAT.fullmatch(line):
            event["saturation"] = [saturation[1]]
    graded = {times: texts for times, texts in found.items() if texts}
    if not graded:
        raise BadSpec(
            f"The EDL {name} has no event with a comment ASC_SOP or ASC_SAT; export it with its CDLs, or name another file."
        )
    return tuple(
        EventCdl(start=start, stop=stop, cdl=_checked(texts, f"The EDL {name}, event at {start}"))
        for (start, stop), texts in graded.items()
    )


def _values(correction: ElementTree.Element, name: str) -> Cdl:
    texts = {_tag(one).lower(): (one.text or "").split() for one in correction.iter()}
    return _checked(texts, f"The CDL {name}")


def _checked(texts: Mapping[str, list[str]], what: str) -> Cdl:
    fields: dict[str, object] = {key: texts[key] for key in ("slope", "offset", "power") if key in texts}
    if "saturation" in texts:
        fields["saturation"] = texts["saturation"][0] if len(texts["saturation"]) == 1 else texts["saturation"]
    try:
        return Cdl.model_validate(fields)
    except ValidationError as error:
        wrong = faults(error)[0]
        field = ".".join(str(part) for part in wrong["loc"][:1])
        raise BadSpec(f"{what} cannot be used: its {field} is not what an ASC CDL has; export it again.") from None


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]
