"""Reads ASC CDLs from their files: .cc, .ccc and .cdl. What is no such file is refused in one sentence."""

from xml.etree import ElementTree

from pydantic import ValidationError

from jobs.document import faults
from jobs.errors import BadSpec
from jobs.spec.grade import Cdl

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


def _values(correction: ElementTree.Element, name: str) -> Cdl:
    texts = {_tag(one).lower(): (one.text or "").split() for one in correction.iter()}
    fields: dict[str, object] = {key: texts[key] for key in ("slope", "offset", "power") if key in texts}
    if "saturation" in texts:
        fields["saturation"] = texts["saturation"][0] if len(texts["saturation"]) == 1 else texts["saturation"]
    try:
        return Cdl.model_validate(fields)
    except ValidationError as error:
        wrong = faults(error)[0]
        field = ".".join(str(part) for part in wrong["loc"][:1])
        raise BadSpec(
            f"The CDL {name} cannot be used: its {field} is not what an ASC CDL has; export it again."
        ) from None


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]
