"""Lists folders of painted stills: which stills lie there, each with its frame and the hash of its file."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import pairwise

from jobs.document import Document
from jobs.errors import BadMedia, BadSpec, BadStore
from jobs.film.source import Picture
from jobs.stills.names import frame_of
from jobs.store import Store, open_store
from jobs.untrusted import NOT_UTF8_FILE, is_placeable

MOST_STILLS = 20_000
LARGEST_FILE = 1 << 30
"""Bytes: a TIFF of 64 megapixels, 16 bit and alpha, is half of it."""
MOST_FILES = 200_000
"""Files of any kind in a folder of stills, with what lies in folders below it: a mistaken path is told of soon."""
MOST_TOLD = 10
"""Stills of which is told what is wrong with them, in one message."""
SHAPE = 0.02
"""By which a still's shape may differ from its film's: tools round to whole pixels, and to multiples of eight."""
_PIECE = 1 << 20


class StillFile(Document):
    """A still as it lay in its folder when it was listed."""

    name: str
    frame: int
    sha256: str
    bytes: int
    width: int = 0
    height: int = 0
    """As its header tells, which may not be upright; 0: it was not asked yet."""
    strokes: bool = False
    """Whether it is a layer of strokes, which spread to what is alike: nearly all of it is transparent."""


class StillsOfSpec(Document):
    """stills.json in a job's folder: what a spec's folder of stills held when a run of it began."""

    spec: str
    """Digest of the spec."""
    stills: tuple[StillFile, ...]


def refused_together(sentences: Sequence[str]) -> str:
    """What is wrong with some stills as one text: all that a person has to mend, up to MOST_TOLD."""
    if len(sentences) == 1:
        return sentences[0]
    more = f" And {len(sentences) - MOST_TOLD:,} more." if len(sentences) > MOST_TOLD else ""
    return f"{len(sentences):,} stills cannot be used. " + " ".join(sentences[:MOST_TOLD]) + more


def refuse_other_shapes(stills: Sequence[StillFile], film: Picture) -> None:
    """Raises BadSpec, which names all stills that have another shape than the film, whichever way up they lie."""
    wrong = []
    for still in stills:
        ways = ((still.width, still.height), (still.height, still.width))
        if still.width and all(another_shape(*size, film) for size in ways):
            wrong.append(wrong_shape(still.name, still.width, still.height, film))
    if wrong:
        raise BadSpec(refused_together(wrong))


def another_shape(width: int, height: int, film: Picture) -> bool:
    """Whether an upright picture has another shape than a film's frames, as a player shows them."""
    shown_width, shown_height = film.shown
    # Of small pictures one pixel more or less is much.
    return abs(width * shown_height / (height * shown_width) - 1) > max(SHAPE, 1.01 / width + 1.01 / height)


def wrong_shape(name: str, width: int, height: int, film: Picture) -> str:
    """What is said of a still of another shape."""
    shown_width, shown_height = film.shown
    return (
        f"The still {name} is {width}x{height}, which is another shape than the film's {shown_width}x{shown_height} "
        "(upright, with square pixels); save it uncropped, or paint one that `farm stills` wrote."
    )


Measure = Callable[[bytes, StillFile], StillFile]
"""Tells more of a still by what its file holds. Raises BadMedia for what cannot be read."""


def stills_in(
    place: str, *, unedited: Collection[str] = (), measure: Measure = lambda _, still: still
) -> tuple[StillFile, ...]:
    """The stills of a folder or of s3://bucket/prefix, in order of their frames; each file is read once.

    Files without a frame's number (notes, contact sheets, hidden ones) are passed over, and so are folders within, and
    files of the hashes `unedited`. Raises BadSpec for a place without stills, two stills of one frame, an empty or a huge file,
    too many of them, or some that `measure` refuses, which it names all; BadStore where the place cannot be read.
    """
    store = open_store(place)
    found = sorted(_named(store), key=lambda pair: (pair[1], pair[0]))
    if not found:
        raise BadSpec(
            f"stills: {store.url} holds no still, which is a PNG, JPEG or TIFF whose name tells its frame as "
            "shot0003.f000123.png does; check the path, or write some with `farm stills`."
        )
    twice = [
        f"stills: {store.url} has two stills of frame {frame}, {one} and {other}; keep one of the two."
        for (one, frame), (other, same) in pairwise(found)
        if frame == same
    ]
    if twice:
        raise BadSpec(refused_together(twice))
    listed, refused = list[StillFile](), list[str]()
    for name, frame in found:
        data = _read(store, name)
        still = StillFile(name=name, frame=frame, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
        if still.sha256 in unedited:
            continue
        try:
            listed.append(measure(data, still))
        except BadMedia as error:
            refused.append(str(error))
    if refused:
        raise BadSpec(refused_together(refused))
    return tuple(listed)


def still_data(place: str, file: StillFile) -> bytes:
    """What a still held when it was listed. Raises BadSpec where it is gone, or holds something else by now."""
    store = open_store(place)
    try:
        data = store.read(file.name)
    except BadStore:
        data = b""
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise BadSpec(f"stills: {store.url}/{file.name} was changed while it was read; run the same command again.")
    return data


def hash_of(store: Store, name: str) -> tuple[str, int]:
    """SHA-256 and length of a still's file, of which no more than LARGEST_FILE is ever read, nor kept."""
    hashed, size = hashlib.sha256(), 0
    with store.open(name) as file:
        while piece := file.read(min(_PIECE, LARGEST_FILE - size)):
            hashed.update(piece)
            size += len(piece)
    return hashed.hexdigest(), size


def _named(store: Store) -> Iterator[tuple[str, int]]:
    """Names and frames of the files that are stills by their names, at most one more than there may be."""
    stills = 0
    for count, key in enumerate(store.list(""), 1):
        if count > MOST_FILES:
            raise BadSpec(f"stills: {store.url} holds more than {MOST_FILES:,} files; give a folder of stills only.")
        frame = None if "/" in key else frame_of(key)
        if frame is None:
            continue
        if not is_placeable(key):
            raise BadSpec(f"stills: {store.url} has the file {key}: {NOT_UTF8_FILE}.")
        stills += 1
        if stills > MOST_STILLS:
            raise BadSpec(f"stills: {store.url} holds more than {MOST_STILLS:,} stills; take some out.")
        yield key, frame


def _read(store: Store, name: str) -> bytes:
    """A file that is taken for a still, of which no more than LARGEST_FILE is ever read."""
    there = store.stat(name)
    if there is None:
        raise BadSpec(f"stills: {store.url}/{name} vanished while it was read; run the same command again.")
    if not there.bytes:
        raise BadSpec(f"stills: {store.url}/{name} is empty; save it again.")
    if there.bytes > LARGEST_FILE:
        raise BadSpec(
            f"stills: {store.url}/{name} has {there.bytes / 2**30:.1f} GiB; a still has 1 GiB at most: save it without "
            "layers, or compressed."
        )
    with store.open(name) as file:
        return file.read(there.bytes)
