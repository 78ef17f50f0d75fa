"""Reports: what was verified of finished films, and what inspecting or comparing any films found."""

from typing import Literal

from pydantic import Field

from jobs.document import Count, Document
from jobs.film.source import Colour, Film, Rational, StandIn
from jobs.plan.plan import Look, Range
from jobs.records.deliverables import DeliverablePlan, StreamFate, StreamHash
from jobs.records.outside_gamut import OutsideGamut
from jobs.records.quality import FilmQuality


class Quarantined(Document):
    """quarantine/<digest>.json: one chunk that was set aside."""

    kind: Literal["quarantined"] = "quarantined"
    digest: str
    """Names the pictures that are lacking: another look, or other settings, are another matter."""
    chunk: Count
    shot: Count
    frames: Range
    look: str
    error: str
    """The last one, or how the last worker was lost."""
    attempts: Count
    """Errors that it raised."""
    losses: Count
    """Workers that it lost."""
    stand_in: StandIn = "source"
    """What stands in for it where the film is delivered all the same."""

    @property
    def sentence(self) -> str:
        """What happened, for people."""
        tries = f"{self.attempts} errors" if self.attempts else f"{self.losses} lost workers"
        where = f"chunk {self.chunk} (frames {self.frames.start} to {self.frames.stop - 1}, shot {self.shot})"
        return f"{where}, set aside after {tries}: {self.error}"


class SourceProof(Document):
    """What was found when a deliverable's pictures were held against the source's, decoded anew without the farm's chunks."""

    compared: int
    """Frames of the source that were held against the deliverable's frames of the same numbers."""
    equal: int
    """Of these, held to be equal bit for bit in all that the look keeps (a lossless deliverable in the source's own form)."""
    near: int
    """Held to be near within the codec's bounds, and nearer than any frame beside it."""
    likeness: int
    """Of a look that keeps neither luma nor chroma: told from the frames beside it by likeness alone, and not otherwise held."""
    unread: int
    """Wanted, and not to be decoded from the source at their times by seeking: not compared."""
    decoded: int
    """Frames of the source that were decoded for it, lead-in included."""
    edges: int
    """Edges of chunks whose frames on both sides were compared, and the film's two ends."""
    difference: float
    """Greatest difference found, in steps of 8 bits: of samples where equal was asked for, else of means over 32x32 pixels."""
    difference_at: int | None = None
    """The frame where it was found; None where nothing differs."""


class Conform(Document):
    """What an inspector found of one deliverable: whether it holds every source frame once, at its own time."""

    kind: Literal["conform"] = "conform"
    file: str
    conforms: bool
    findings: tuple[str, ...] = ()
    """What is wrong, in sentences; empty where it conforms."""
    frames: int
    """Picture packets found, each with a time stamp of its own; of a folder, picture files."""
    seconds: float
    edges: int
    """Edges of chunks, at seams and cuts, and the film's two ends, around which frames were decoded."""
    compared: int
    """Frames decoded from the deliverable and equal, bit for bit, to those of the segments in the store."""
    source: SourceProof | None = None
    """What the comparison with the source came to; None where there was none (proofs of earlier versions, and files that cannot be read)."""
    packets: int
    """Packets of sound, subtitles and other streams equal to the source's, by payload and time."""
    streams: tuple[StreamHash, ...] = ()
    """What those streams hold: sound as it lies in the file, subtitles in the container's own form."""
    bytes: int
    sha256: str
    """Of the file, empty where there is none; of a folder, that of its manifest, which holds the SHA-256 of every picture."""
    timing: str
    """Whose time stamps the frames carry."""
    fates: tuple[StreamFate, ...]
    """What became of each stream of the source."""


class StandsIn(Document):
    """Frames of a deliverable that are not the look's."""

    chunk: int
    shot: int
    frames: Range
    by: StandIn
    """The source's own frames, or grey."""


class ConformReport(Document):
    """<file>.conform.json: everything that a vault wants to know of one deliverable, to be checked without the farm.

    Nothing in it depends on when or where it was written, so the same film made again has the same report, to the byte;
    the store and the file system know the hour.
    """

    version: Literal[1] = 1
    kind: Literal["conform-report"] = "conform-report"
    job: str
    spec: str
    """Digest of the spec it was made by; the spec lies in the store under specs/."""
    film: Film
    """The source: identity, picture, streams, tags, time code."""
    plan: DeliverablePlan
    """What was decided: container, encoder with library and version, every option, and what becomes of each stream."""
    looks: tuple[Look, ...]
    """Each with its settings, its code's version, and the SHA-256 of its weights."""
    shots: int
    chunks: int
    seams: int
    made_on: tuple[str, ...]
    """The kinds of hardware that made the picture: bit-equality is promised on one kind."""
    stand_ins: tuple[StandsIn, ...] = ()
    """Where the picture is not the look's: chunks that went wrong too often."""
    segments_sha256: str
    """Over the SHA-256 of each segment (raw bytes), in the film's order: what the picture was joined from."""
    proof: Conform
    """Frames, time stamps, edges, findings, bytes and SHA-256 of the finished file."""


class Sight(Document):
    """What any film that can be opened says of itself, and what its first frame says: whether the farm would render it or not."""

    container: str
    """libavformat's name."""
    codec: str
    pix_fmt: str
    width: int
    height: int
    aspect: Rational
    """Sample aspect ratio."""
    rotation: int
    """Degrees counter-clockwise that a player turns the picture."""
    interlaced: bool
    """The first frame is, or the header says so."""
    colour: Colour
    rate: Rational
    """Frames a second; 0 where it does not say."""
    tick: Rational
    """Seconds of the finest time that it can tell."""
    seconds: float
    """By the header; 0 where it does not say."""
    timecode: str
    sound: tuple[str, ...]
    """Codec of each sound stream."""
    subtitles: tuple[str, ...]
    chapters: int


class Inspection(Document):
    """What `farm inspect` tells of one film."""

    refused: str
    """Why the farm would not render it as it is, in one sentence; empty where it would."""
    seen: Sight
    film: Film | None
    """As the farm surveys it; None where it refuses."""


class Psnr(Document):
    """Peak signal-to-noise ratios in dB. The peak is white less black, so limited range stands no lower than full."""

    mean: float
    """Of the mean squared error over all frames that both films have."""
    worst: float
    worst_at: int
    """The frame that is farthest off."""
    worst_name: str
    """Its time code, or its time on the clock."""


class Comparison(Document):
    """Two films, frame for frame."""

    same: bool
    """As many frames, at the same times, all planes equal, shown alike, every sound stream equal packet for packet or
    sample for sample, as many subtitles and chapters. Container, codec and clock may differ."""
    findings: tuple[str, ...] = ()
    """What differs, in sentences; frames are named by number, from 0, and by the first film's time code."""
    compared: tuple[str, ...]
    """What was held against what, in sentences: where forms differ pictures cannot be equal bit for bit."""
    films: tuple[Sight, Sight]
    frames: tuple[int, int]
    times_differ_at: int | None = None
    """First frame whose distance from the film's first differs: by more than a tick of the coarser clock where one of the
    clocks rounds, or than a quarter of a frame."""
    luma_differs_at: int | None = None
    luma_equal: int
    """Frames whose luma is equal, bit for bit."""
    picture_differs_at: int | None = None
    picture_equal: int
    """Frames all of whose planes are equal, bit for bit."""
    luma_psnr: Psnr | None = None
    """None where nothing differs once both are brought to one form."""
    rgb_psnr: Psnr | None = None
    sound_packets: int
    """Sound packets equal in payload and time."""
    sound_samples: int = 0
    """Samples equal once decoded, of the streams whose packets are not, at the same times."""


class StillUse(Document):
    """A still that the film shows, and whose colour is propagated."""

    file: str
    frame: int
    at: str
    """The frame's name."""
    sha256: str
    tool: str = ""
    """The program that saved it, as its metadata tells."""
    remarks: tuple[str, ...] = ()
    """What was done to make it fit its frame."""


class FilmReport(Document):
    """report.json: what was made of a film, and whether it is what it should be."""

    version: Literal[1] = 1
    name: str
    spec: str
    """Digest of the spec it was made by."""
    source: str
    conforms: bool
    """Every deliverable does, and quality control keeps none back."""
    frames: int
    shots: int
    chunks: int
    seams: int
    extra_frames_percent: float
    """Handles and pre-roll, in percent of the film."""
    chunks_rendered: int
    """By this run; the others were on paper already."""
    chunks_printed: int = 0
    """By this run: encoded from the segments of another deliverable, shown to no look again."""
    retries: int
    """Calls made again by this run, for an error or a lost worker."""
    made_on: tuple[str, ...]
    """The kinds of hardware that made the picture: bit-equality is promised on one kind."""
    stills: tuple[StillUse, ...] = ()
    """In film order."""
    outside_gamut: dict[str, OutsideGamut] = Field(default_factory=dict)
    """By deliverable's file, where the spec says gamut: report."""
    quarantined: tuple[Quarantined, ...] = ()
    """Chunks that were set aside, with the source's own frames, or grey, in their place: it conforms, and is not all of the look."""
    quality: FilmQuality = FilmQuality()
    """What was measured of each shot. Where a figure fails, nothing is delivered."""
    deliverables: tuple[Conform, ...]
