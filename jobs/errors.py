"""The farm's errors in one tree, with their exit codes. Each message says what is wrong, where, and what to do next.

FarmError
├── BadInput        the user can mend it, nothing was lost             exit 2
│   ├── BadSpec     a field of a job spec or an option
│   ├── BadMedia    a source that cannot be read as a film, or a picture to learn from
│   ├── BadLook     a look, its settings or its weights
│   ├── BadStore    a store or output that cannot be reached or written
│   │   └── StoreAway   nothing answers, or credentials have expired: in mid-job it is waited for
│   ├── NameTaken   a name in the output is another job's, or a file is there that nobody knows
│   └── JobHeld     somebody else works on the job
├── Stopped         from elsewhere: asked to, or taken over              exit 130
├── FilmFailed      the film could not be finished; finished work is kept   exit 1
│   ├── NotConformed    a deliverable was made and is not what it should be
│   ├── Damaged         an object is not what its record says; the driver has it made again
│   └── ChunkFailed     some frames could not be decoded or rendered: charged to their chunk, tried again, then set aside
├── NodeFault       one machine cannot do what it must; charged to the machine   exit 1
├── TrainingFailed  the training could not be finished; checkpoints are kept   exit 1
├── StoreDown       the store failed for longer than a job waits; finished work is kept   exit 1
└── StoreFault      the store failed in passing; worth another try
    └── UploadGone      an upload was swept away while it ran; worth beginning it anew
"""

import socket

from jobs.untrusted import spoken


class FarmError(Exception):
    """Root of all errors the farm raises on purpose. Carries one sentence for a person: one line, and no credentials."""

    exit_code = 1

    def __str__(self) -> str:
        return spoken(super().__str__())


class BadInput(FarmError):
    """The user can mend this: a spec, a source, a look, credentials or a place to write."""

    exit_code = 2


class BadSpec(BadInput):
    """A job spec, or an option of the command line, says something that is not allowed."""


class BadMedia(BadInput):
    """The source is missing, is not a video, or cannot be carried as asked."""


class BadLook(BadInput):
    """The look is unknown, its settings are wrong, or its weights cannot be trusted."""


class BadStore(BadInput):
    """The store or the output cannot be reached, is not there, or cannot be written."""


class StoreAway(BadStore):
    """Nothing answers, or the credentials have expired: the user's to mend before a job, and waited for in the midst of one."""


class NameTaken(BadInput):
    """A name in the output belongs to another job, or to a file that the job is not known to have made; nothing is replaced."""


class JobHeld(BadInput):
    """Somebody else works on this job, as its lease says."""


class Stopped(FarmError):
    """The work was asked to stop from elsewhere, or somebody else has taken it over; what was finished is kept."""

    exit_code = 130


class FilmFailed(FarmError):
    """The film could not be finished; what was finished is kept, and the same command resumes."""

    missing: str = ""
    """Key of the object that was not seen in the store, where that is why: the driver looks for itself before it is believed."""


class NotConformed(FilmFailed):
    """A deliverable does not hold what the plan says; it is not handed over."""


class Damaged(FilmFailed):
    """An object of the store is gone, cut or flipped. Its record is set aside, so that the next run makes it again."""

    def __init__(self, sentence: str, record: str, missing: str = "") -> None:
        """`record`: the digest of the record that named it. `missing`: its key, where a worker did not find it: not set aside yet."""
        super().__init__(sentence, record, missing)
        self.record = record
        self.missing = missing

    def __str__(self) -> str:
        return spoken(str(self.args[0]))


class ChunkFailed(FilmFailed):
    """Some frames of one chunk could not be decoded, or a look gave no picture for them; the rest of the film may be well."""


class NodeFault(FarmError):
    """One machine's own fault: its clock, credentials, disk, mount, library or driver. Others may do what it was asked."""

    def __init__(self, sentence: str, node: object = None, unseen: bool = False, lasting: bool = False) -> None:
        """`node`: which machine. `unseen`: a place is bad as seen from there, so the driver looks too. `lasting`: time mends nothing."""
        super().__init__(sentence, node, unseen, lasting)
        self.sentence = sentence
        self.node = node
        self.unseen = unseen
        self.lasting = lasting

    def __str__(self) -> str:
        where = f"on {self.node}" if self.node else f"on {socket.gethostname()}"
        return spoken(f"{where}: {self.sentence}. Finished work is kept: the same command resumes.")


class TrainingFailed(FarmError):
    """A guard ended the training, or it lost its workers too often; checkpoints and the best look so far are kept."""


class StoreFault(FarmError):
    """The store failed in passing (time-out, slow-down, reset): worth another try."""


class UploadGone(StoreFault):
    """Somebody swept an upload away while it ran: waiting is of no use, beginning it anew is."""


class StoreDown(FarmError):
    """The store failed for longer than a job in work waits (jobs/store/retry.py): the job stops, the same command resumes."""


def number_of(count: int, noun: str) -> str:
    """So many of a thing, as in "1 frame" and "1,200 frames"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
