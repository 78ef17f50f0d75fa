"""Refuses a source that nobody should open for work: a container's header, or a picture file, that would take minutes or gigabytes to read."""

from contextlib import closing

from actors.media.container import BUFFER, named
from actors.media.limits import bounded_memory, bounded_time
from actors.media.metadata.container_header import PROBED_BYTES, refuse_costly_header
from actors.media.metadata.image_headers import size_of
from actors.media.metadata.pictures import refuse_large_metadata
from jobs.errors import BadMedia
from jobs.store import open_octets
from jobs.store.sequence import ImageSequence, find_sequence, is_sequence

LARGEST_FILE = (1 << 31) - 1
"""Bytes of a picture file: libav reads no larger one."""
BYTES_PER_PIXEL, BYTES_BESIDE = 16, 64 << 20
"""Of a PNG or DPX file, which hold one picture of four components; of other kinds a file may have any number of them."""

_HEAD = 4096
_ONE_PICTURE = (".png", ".dpx")
_PROBED = (".jpg", ".jpeg", ".tif", ".tiff")


def refuse_costly(url: str) -> None:
    """Raises BadMedia for such a source. Whoever learns of a source first asks this."""
    if is_sequence(url):
        sequence = find_sequence(url)
        _refuse_large_files(sequence, named(url))
        _refuse_first_pictures(sequence, named(url))
        return
    with closing(open_octets(url, BUFFER)) as file, bounded_memory(), bounded_time():
        refuse_costly_header(file, named(url))


def _refuse_large_files(sequence: ImageSequence, what: str) -> None:
    """Told by the first file's header alone: all pictures of a film are of one size."""
    first = sequence.files[0]
    with closing(sequence.open_one(first, _HEAD)) as file:
        head = file.read(_HEAD)
    size = size_of(head) if first.name.lower().endswith(_ONE_PICTURE) else None
    most = min(LARGEST_FILE, size[0] * size[1] * BYTES_PER_PIXEL + BYTES_BESIDE) if size else LARGEST_FILE
    for file_of in sequence.files:
        if file_of.bytes > most:
            raise BadMedia(
                f"{what} has a file of {file_of.bytes >> 20:,} MiB, {file_of.name}, and one of its pictures has at most {most >> 20:,}; "
                "write it again without what lies beside its picture."
            )


def _refuse_first_pictures(sequence: ImageSequence, what: str) -> None:
    """Of files whose decoders libav tries as it opens them."""
    left = PROBED_BYTES
    for number, file_of in enumerate(sequence.files):
        if left < 0 or not file_of.name.lower().endswith(_PROBED):
            return
        with closing(sequence.open_one(file_of, BUFFER)) as file:
            refuse_large_metadata(file.read(), f"{what}, at frame {number},", jpeg=True)
        left -= file_of.bytes
