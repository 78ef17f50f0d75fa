"""Which job may write a name in an output. Of jobs that name the same file exactly one has it, before any work.

<output>/.film-farm/<name>.owner.json is created only if absent: one for each deliverable, and for what is written beside it;
and one for a job's reports. It stays when the job is over, and changes by compare-and-set alone. The run that it names is
the only one that may give the name to a file: who comes back late finds another there.
"""

import hashlib
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal, NamedTuple
from uuid import uuid4

from jobs.digest import digest, sealed
from jobs.document import Document, read_document
from jobs.errors import NameTaken, StoreFault
from jobs.ledger.finished_prefix import FOLDER as ASSEMBLY
from jobs.ledger.ledger import Ledger
from jobs.records.deliverables import Decided, DeliverablePlan
from jobs.records.report import Conform, FilmReport
from jobs.records.stills import FOLDER as PROOF
from jobs.spec.codecs import FOLDERS
from jobs.spec.job import JobSpec
from jobs.spec.names import same_file
from jobs.store import Store

FOLDER = ".film-farm"
"""The output's folder of claims."""
IDENTITY = "identity.json"
"""In the job's folder in the store: what tells this job from any other that was ever called so."""
SHOT_LISTS = ("edl", "otio", "csv")
TRIES = 20
"""Times a claim, or a name, is looked at again because it was changed just then."""
_NOT_OF_THE_PICTURE = {"workers", "priority", "cost", "order", "preview_every", "deliverables", "output", "store", "qc"}
"""Fields of a spec that change no byte of a deliverable: its own plan says what it is."""


class Identity(Document):
    """identity.json."""

    kind: Literal["identity"] = "identity"
    token: str


class Owner(Document):
    """A claim."""

    kind: Literal["owner"] = "owner"
    version: Literal[1] = 1
    name: str
    """As the job calls the file, or the folder, in the output."""
    job: str
    store: str
    token: str
    """The job's identity: a store's path alone may be another machine's."""
    host: str
    made: str
    """Digest of what is to be made."""
    run: str
    """The run of the job that may make it."""

    def is_of(self, other: "Owner") -> bool:
        """Both are claims of one job. A job whose folder was deleted, and which is begun anew in the same place, is the same."""
        here = self.store.startswith("s3://") or self.host == other.host
        return self.token == other.token or ((self.store, self.job) == (other.store, other.job) and here)


class ClaimedName(NamedTuple):
    """What a claim is for."""

    name: str
    made: str
    files: tuple[str, ...]
    """Keys of the output."""
    folders: tuple[str, ...] = ()
    sum: str = ""
    """Of a deliverable: the key of its sum, among `files`."""


def report_key(job: str) -> str:
    """Where a job's report lies in its output."""
    return f"{job}.report.json"


def review_folder(job: str) -> str:
    """The output's folder of a job's review page."""
    return f"{job}.review"


def name_of_reports(spec: JobSpec) -> ClaimedName:
    """All that a job writes into its output beside its deliverables."""
    lists = (f"{spec.key}.shots.{form}" for form in SHOT_LISTS)
    files = (report_key(spec.key), *lists)
    return ClaimedName(report_key(spec.key), digest(spec), files, (review_folder(spec.key),))


def proof_folder(job: str) -> str:
    """The output's folder of a job's contact sheets."""
    return f"{job}.proof"


def name_of_proof(spec: JobSpec) -> ClaimedName:
    """What `farm proof` writes; a job may be rendered meanwhile."""
    folder = proof_folder(spec.key)
    return ClaimedName(folder, digest(spec), (), (folder,))


def name_of_deliverable(spec: JobSpec, plan: DeliverablePlan) -> ClaimedName:
    """A deliverable and what is written beside it."""
    made = digest({"spec": spec.model_dump(mode="json", exclude=_NOT_OF_THE_PICTURE), "plan": digest(plan)})
    beside = (f"{plan.file}.sha256", f"{plan.file}.conform.json")
    if plan.container in FOLDERS:
        return ClaimedName(plan.file, made, beside, (plan.file,), beside[0])
    return ClaimedName(plan.file, made, (plan.file, *beside), (), beside[0])


def claim_key(name: str) -> str:
    """Where the claim of a name lies in the output: one for all names that some file system takes for one."""
    return f"{FOLDER}/{same_file(name)}.owner.json"


def claim(ledger: Ledger, output: Store, names: Sequence[ClaimedName], run: str) -> list[ClaimedName]:
    """Claim names in an output for a run of a job; those that it has already stay its own. Gives those that are new to it.

    Raises NameTaken where another job has one of them, or a file is there that this job is not known to have made. What was
    claimed just now is given back then.
    """
    token, fresh = identity(ledger), list[ClaimedName]()
    try:
        # In order, so that of two who want the same several names one gets all of them.
        for one in sorted(names, key=lambda one: claim_key(one.name)):
            owner = Owner(
                name=one.name,
                job=ledger.job,
                store=ledger.store.url,
                token=token,
                host=socket.gethostname(),
                made=one.made,
                run=run,
            )
            if _taken(ledger, output, one, owner):
                fresh.append(one)
    except BaseException:
        give_back(output, fresh, run)
        raise
    return fresh


def give_back(output: Store, names: Sequence[ClaimedName], run: str) -> None:
    """Give up a run's claims under which nothing lies. One that another run has by now stays, and one that is damaged."""
    for one in names:
        key = claim_key(one.name)
        with suppress(NameTaken):
            if output.stat(key) and read_claim(output, key).run == run and not _lying(output, one):
                output.delete(key)


def identity(ledger: Ledger) -> str:
    """What tells a job from any other; made where it has none yet."""
    for _ in range(2):
        if kept := ledger.paper(IDENTITY, Identity):
            return kept.token
        ledger.keep_paper(IDENTITY, Identity(token=uuid4().hex))
    raise StoreFault(f"{ledger.store.url}/{ledger.key(IDENTITY)} was written and cannot be read; try again.")


def _taken(ledger: Ledger, output: Store, name: ClaimedName, owner: Owner) -> bool:
    """Put one claim on paper; gives whether it is a new one."""
    key = claim_key(name.name)
    for _ in range(TRIES):
        there = output.stat(key)
        if there is None:
            # Before there is a claim: with one, the job's next run would take such a file for its own.
            _refuse_strangers(ledger, output, name)
            if output.write(key, sealed(owner), only_if_absent=True):
                return True
        else:
            found = read_claim(output, key)
            if not found.is_of(owner):
                raise NameTaken(_told(output, found))
            if found == owner or output.replace(key, sealed(owner), there.version):
                return False
    raise StoreFault(f"{output.url}/{key} changes too often to be written; try again.")


def read_claim(output: Store, key: str) -> Owner:
    """A claim that is there. Raises NameTaken where it is damaged."""
    found = read_document(Owner, output.read(key))
    if found is None:
        raise NameTaken(
            f"{output.url}/{key}, which says whose {key.removeprefix(f'{FOLDER}/').removesuffix('.owner.json')} is, is damaged: "
            "choose another output, or, if it is this job's, delete that file, and run the job again."
        )
    return found


def _told(output: Store, found: Owner) -> str:
    return (
        f"{output.url}/{found.name} is of the job '{found.job}' in {found.store}: give this job an output of its own, or other "
        f"names (name, and the name of each deliverable); or, to have that one replaced, move {found.name} and what is "
        f"named after it elsewhere, and delete {output.url}/{claim_key(found.name)}."
    )


# files that nobody has claimed


def _refuse_strangers(ledger: Ledger, output: Store, name: ClaimedName) -> None:
    """Raises NameTaken where a file has the name that this job is not known to have made: a user's own, or another farm's."""
    found = _lying(output, name)
    if found and not _is_known(ledger, output, name):
        raise NameTaken(
            f"{output.url}/{found[0]} is there already, and this job is not known to have made it: move it elsewhere or "
            "delete it, or give this job another output, or other names (name, and the name of each deliverable)."
        )


def _lying(output: Store, name: ClaimedName) -> list[str]:
    """Files and folders of a name that are there."""
    folders = [one for one in name.folders if next(output.list(f"{one}/"), None) is not None]
    return [one for one in name.files if output.stat(one)] + folders


def _is_known(ledger: Ledger, output: Store, name: ClaimedName) -> bool:
    """Whether earlier runs, of a farm without claims, have made what is there, by the job's own paper."""
    report = ledger.paper("report.json", FilmReport)
    if not name.sum:
        return report is not None or next(ledger.names(f"{PROOF}/"), None) is not None
    proofs = report.deliverables if report else ()
    there = next((one for one in proofs if one.file == name.name), None)
    if there and _is_proven(output, name, there):
        return True
    # A folder is written in place: until it is finished it has no sum, and is in no report. A job that was refused its
    # names has decided what it would deliver, and told no finisher of it.
    decided = ledger.paper("deliverables.json", Decided)
    begun = decided is not None and name.name in {one.file for one in decided.deliverables}
    begun = begun and next(ledger.names(f"{ASSEMBLY}/"), None) is not None
    return bool(name.folders) and begun and output.stat(name.sum) is None


def _is_proven(output: Store, name: ClaimedName, proof: Conform) -> bool:
    said = output.read(name.sum) if output.stat(name.sum) else None
    if name.folders:
        return said is not None and hashlib.sha256(said).hexdigest() == proof.sha256
    there = output.stat(name.name)
    return (there is None or there.bytes == proof.bytes) and said in (
        None,
        b"",
        f"{proof.sha256}  {name.name}\n".encode(),
    )
