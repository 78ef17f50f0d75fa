"""The object store: named objects in a folder or in S3, with the same semantics: whole or absent, create-if-absent.

protocol.py   what a store promises, and what a key and a URL may be
retry.py      how long a job at work waits for a store that fails in passing
folder.py     in a folder, with folder_writer.py; s3/: in an S3 bucket (boto3 is imported there alone)
range_reader.py     a stream that is fetched piece by piece; age.py: how long ago an object was written
allowed_places.py   which places a job on a cluster may open; every opening asks it
source.py     a film to be read, from either place; sequence.py, virtual_quicktime.py: numbered picture files, read as a film
traffic.py    bytes and requests counted
"""

from pathlib import Path

from jobs.store.allowed_places import admitted
from jobs.store.folder import FolderStore
from jobs.store.protocol import Bucket, Stat, Store, Writer, locate
from jobs.store.source import is_file, open_octets, open_source, read_small, source_identity

__all__ = [
    "Bucket",
    "FolderStore",
    "Stat",
    "Store",
    "Writer",
    "is_file",
    "locate",
    "open_octets",
    "open_source",
    "open_store",
    "read_small",
    "source_identity",
]


def open_store(url: str, *, looks: bool = False) -> Store:
    """The store at a folder's path, file:///folder or s3://bucket/prefix. Nothing is contacted yet.

    `looks`: it is read for looks, which the operator's library has, too. Raises BadStore for a place that is not allowed here.
    """
    place = admitted(url, looks=looks)
    if isinstance(place, Path):
        return FolderStore(place, str(locate(url)))
    # boto3 takes every process a tenth of a second of CPU to import, and most films know no bucket.
    from jobs.store.s3.store import S3Store

    return S3Store(place.bucket, place.key)
