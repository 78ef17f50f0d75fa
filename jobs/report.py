"""What was proven of finished films, on paper. Promises a sentence for every finding; opens nothing."""

from typing import Literal

from jobs.deliverables import StreamFate
from jobs.paper import Paper


class Conform(Paper):
    """What an inspector found of one deliverable: whether it holds every source frame once, at its own time."""

    kind: Literal["conform"] = "conform"
    file: str
    conforms: bool
    findings: tuple[str, ...] = ()
    """What is wrong, in sentences; empty where it conforms."""
    frames: int
    """Picture packets found, each with a time stamp of its own."""
    seconds: float
    edges: int
    """Edges of chunks, at seams and cuts, and the film's two ends, around which frames were decoded."""
    compared: int
    """Frames decoded from the deliverable and equal, bit for bit, to those of the segments in the store."""
    packets: int
    """Packets of sound, subtitles and other streams equal to the source's, by payload and time."""
    bytes: int
    sha256: str
    timing: str
    """Whose time stamps the frames carry."""
    fates: tuple[StreamFate, ...]
    """What became of each stream of the source."""


class Comparison(Paper):
    """Two films, frame for frame."""

    same: bool
    """As many frames, at the same times, all planes equal, and every sound stream equal packet for packet."""
    findings: tuple[str, ...] = ()
    """What differs, in sentences; frames are named by number, from 0."""
    frames: tuple[int, int]
    times_differ_at: int | None = None
    """First frame whose distance from the film's first differs by more than a tick of the coarser clock."""
    luma_differs_at: int | None = None
    luma_equal: int
    """Frames whose luma is equal, bit for bit."""
    picture_differs_at: int | None = None
    picture_equal: int
    """Frames all of whose planes are equal, bit for bit."""
    sound_packets: int
    """Sound packets equal in payload and time."""


class FilmReport(Paper):
    """report.json: what was made of a film, and whether it is what it should be."""

    version: Literal[1] = 1
    name: str
    spec: str
    """Digest of the spec it was made by."""
    source: str
    conforms: bool
    """Every deliverable does."""
    frames: int
    shots: int
    chunks: int
    seams: int
    extra_frames_percent: float
    """Handles and pre-roll, in percent of the film."""
    chunks_rendered: int
    """By this run; the others were on paper already."""
    retries: int
    """Calls made again by this run, for an error or a lost worker."""
    made_on: tuple[str, ...]
    """The kinds of hardware that made the picture: bit-equality is promised on one kind."""
    deliverables: tuple[Conform, ...]
