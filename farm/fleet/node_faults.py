"""Tells errors of a worker's machine (disk, GPU, driver, libraries) from errors of the work it was asked to do.

A store tells its own errors (jobs/store), so an error of a disk that nobody told is of the worker's own disk. What can only be
known by looking, whether the store is seen there at all, is asked of farm/fleet/vantage.py.
"""

import errno
import tempfile
from collections.abc import Iterator

from jobs.errors import BadStore, FarmError, NodeFault, StoreFault

STRIKES = 3
"""Faults of one node, each by a worker hired after the one before, after which no more workers are hired there for this film."""

_DISK = {errno.ENOSPC: "free some space", errno.EDQUOT: "raise its quota", errno.EROFS: "mount it to be written"}
_ACCESS = {errno.EACCES, errno.EPERM}
_DRIVER = (
    "no cuda-capable device",
    "no nvidia driver",
    "nvidia driver on your system is too old",
    "cuda driver version is insufficient",
    "cuda driver initialization failed",
    "no kernel image is available",
    "uncorrectable ecc error",
    "all cuda-capable devices are busy or unavailable",
    "device-side hardware",
    "gpu has fallen off the bus",
    "cannot open shared object file",
)
"""In the words of CUDA's runtime, of torch and of the dynamic loader, which raise plain errors."""


def fault_of(error: BaseException) -> str | None:
    """What is wrong with this machine, in a sentence, where that is why an error was raised; else None."""
    if isinstance(error, NodeFault):
        return error.sentence
    chain = list(_chain(error))
    if any(isinstance(one, BadStore | StoreFault) for one in chain):
        return None  # told by a store, of its own disk
    for one in chain:
        if isinstance(one, NodeFault):
            return one.sentence
        if isinstance(one, OSError) and one.errno in _DISK:
            return f"cannot write {_place(one)}: {one.strerror}; {_DISK[one.errno]} there"
    if isinstance(error, FarmError):
        return None
    if isinstance(error, OSError) and error.errno in _ACCESS:
        return f"cannot use {_place(error)}: {error.strerror}; let its user write there"
    if isinstance(error, ImportError):
        return f"a library is missing or broken ({error}); run all nodes from one image"
    if isinstance(error, RuntimeError | OSError) and any(words in str(error).lower() for words in _DRIVER):
        return f"its GPU, driver or a library cannot be used ({str(error).strip().splitlines()[0]})"
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and what it was raised for: a sentence that was made of an error of the disk has that behind it."""
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__ or one.__context__


def _place(error: OSError) -> str:
    return str(error.filename or f"its temporary folder {tempfile.gettempdir()}")
