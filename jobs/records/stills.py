"""Documents of proofs and exported stills. A still's digest covers all that changes its picture."""

from jobs.digest import digest
from jobs.document import Document
from jobs.film.source import Film
from jobs.plan.plan import Look, Range
from jobs.records.media import Media
from jobs.records.orders import Encoding
from jobs.spec.codecs import Codec

FOLDER = "proof"
"""In a job's folder of the store: stills and their paper. In the output: the page, its stills and the contact sheets."""

VERSION = 1
"""Raised when another frame of a shot would be chosen, or a still would be made otherwise."""


CHOICE_VERSION = 1
"""Raised when other frames would be worth painting."""


class ChosenFrames(Document):
    """The frames of a shot that are worth painting, in order."""

    digest: str
    frames: tuple[int, ...]


class Still(Document):
    """One frame of a shot, as a look makes it or as the source has it, lies in the store as a JPEG, or as a PNG to be painted."""

    digest: str
    frame: int
    media: Media
    made_on: str
    """The hardware that made it."""


class ShotProof(Document):
    """What the proof shows of one shot; of one of its parts, where an override takes only some of its frames."""

    shot: int
    start: int
    stop: int
    frame: int | None
    """The frame that is shown; None where there is no still of it."""
    at: str
    """Name of the first frame."""
    looks: tuple[str, ...]
    """By column."""
    stills: tuple[str | None, ...]
    """By column: keys in the output; None for one that could not be made."""


class Proof(Document):
    """`farm proof --json`."""

    name: str
    output: str
    """URL of the output, in which keys below are."""
    page: str
    sheets: tuple[str, ...]
    """Contact sheets, in film order."""
    columns: tuple[str, ...]
    shots: tuple[ShotProof, ...]
    rendered: int
    """Stills made by this run; the others were on paper."""
    lacking: tuple[str, ...] = ()
    """Stills that could not be made, and why."""


def still_digest(film: Film, shot: Range, look: Look | None, encoding: Encoding) -> str:
    """Names the still of a shot in a look (None: the source's own frame) as a deliverable of this encoding would have it.

    Of the encoding only what changes pictures before they are encoded is part of it.
    """
    own: dict[str, object] = {"source": film.identity.model_dump(mode="json"), "picture": film.picture.named()}
    own |= {"kind": "still", "version": VERSION, "shot": shot, "aspect": str(film.picture.aspect)}
    if look is None:
        return digest(own)
    form = encoding.model_dump(mode="json", include={"width", "height", "pix_fmt", "rotation", "colour"})
    return digest(own | {"look": look.named(), "form": form | {"linear": encoding.codec is Codec.EXR}})


def export_digest(film: Film, shot: Range, frame: int, look: Look | None, encoding: Encoding) -> str:
    """Names the export of one frame of a shot in a look (None: grey), to be painted."""
    return digest({"kind": "export", "frame": frame, "still": still_digest(film, shot, look, encoding)})


def choice_digest(film: Film, shot: Range, most: int) -> str:
    """Names the choice of frames of a shot that are worth painting."""
    own = {"source": film.identity.model_dump(mode="json"), "picture": film.picture.named()}
    return digest(own | {"kind": "choice", "version": CHOICE_VERSION, "shot": shot, "most": most})


def still_paper(name: str) -> str:
    """Where the paper of a still lies in the job's folder, by its digest."""
    return f"{FOLDER}/{name}.json"
