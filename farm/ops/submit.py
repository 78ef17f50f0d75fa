"""Submits a job to a Ray cluster: uploads the spec and its local files to the store, and has the cluster run `farm render`.

The lease is held during the upload, so that nobody else begins; a driver that fails at once is reported at once.
"""

import re
import shlex
import time
from collections.abc import Callable

from farm.cluster.store_settings import prefixed
from farm.film.setup import looks_of
from farm.ops.input_upload import FOLDER, InputUpload
from farm.ops.ray_jobs import RayJobs, Submission, marks
from farm.progress.lease_control import lease_on_job
from jobs.digest import digest
from jobs.document import Document
from jobs.errors import BadSpec, FilmFailed
from jobs.ledger.lease import NAME, SYSTEM, read_lease
from jobs.ledger.ledger import Ledger
from jobs.spec.job import JobSpec
from jobs.store.retry import in_work

METRICS_PORT = 9300
"""The first of those that Prometheus is told of (deploy/prometheus)."""
BEGIN_SECONDS = 60.0
"""How long the driver is waited for: two seconds are usual."""
POLL_SECONDS = 0.5
"""Between two looks at a driver that is to begin."""


class Submitted(Document):
    """`farm submit --json`."""

    job: str
    store: str
    spec: str
    """Where the spec lies that is rendered."""
    submission: str
    """Ray's id of it."""
    began: bool
    """Its driver is at work, or has been; otherwise the cluster has not begun with it yet."""


def submit_job(spec: JobSpec, jobs: RayJobs, *, take_over: bool, say: Callable[[str], object]) -> Submitted:
    """Hand a film to a cluster. `say`: sentences on the way.

    Raises BadInput for what cannot be carried or reached, JobHeld where somebody works on the job (unless it is to `take_over`), and
    what the driver said where it ended at once.
    """
    looks_of(spec)
    baggage = InputUpload(spec)
    ledger = baggage.ledger
    ledger.store.check()
    ledger.admit(baggage.spec)
    with lease_on_job(ledger, take_over=take_over) as lease, in_work():
        baggage.send(say, lease.tick)
        name = f"{FOLDER}{digest(baggage.spec)}.json"
        ledger.store.write(ledger.key(name), baggage.spec.model_dump_json(indent=2).encode())
    place = f"{ledger.store.url}/{ledger.key(name)}"
    command = prefixed(f"farm render {shlex.quote(place)} --address auto --metrics-port {METRICS_PORT}")
    submission = jobs.submit(spec.key, command, marks(ledger))
    began = _began(jobs, submission, ledger, lease.paper.token)
    return Submitted(job=spec.name, store=ledger.store.url, spec=place, submission=submission, began=began)


def _began(jobs: RayJobs, submission: str, ledger: Ledger, token: str) -> bool:
    """Whether the driver has begun, as its lease shows: not the one of `token`. Raises what it said where it ended before."""
    stop = time.monotonic() + BEGIN_SECONDS
    while time.monotonic() < stop:
        found = jobs.find(submission)
        if found.over:
            _refuse(jobs, found)
            return True
        lease = read_lease(ledger.store, ledger.key(NAME))
        if lease and lease.paper and lease.paper.token != token:
            return True
        SYSTEM.wait(POLL_SECONDS)
    return False


def _refuse(jobs: RayJobs, found: Submission) -> None:
    if found.state == "SUCCEEDED":
        return
    kind = BadSpec if found.exit_code == BadSpec.exit_code else FilmFailed
    raise kind(f"Submitted as {found.id}, and ended at once: {reason_in(jobs.log(found.id))}")


_FRAME = "╭╮╰╯│─┌┐└┘|"
_USAGE = re.compile(r"(Usage: |Try '|Error$)")
_RAISED = re.compile(r"(\w+\.)*[A-Z]\w*(Error|Exception|Interrupt|Exit|Failed|Refused)\b(: .*)?")
_SHELL = re.compile(r"(/\S*/)?(sh|bash|dash|env|python[0-9.]*): .*|.*: (command )?not found")
_ASIDE = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*|\([^)]*\b(pid|raylet|autoscaler)\b.*|\s*warnings\.warn\(.*|.*Warning: .*|\s+.*|WARNING\b.*|INFO\b.*"
)


def reason_in(log: str) -> str:
    """Why a command ended, out of what it wrote on its screen: the farm's own last sentence; else the last error that was raised, or
    what a shell refused; else the last line that is no warning, no line of a log and no frame around text."""
    lines = [(line, line.strip(f"{_FRAME} ")) for line in log.splitlines()]
    said = [(line, words) for line, words in lines if words and not _USAGE.match(words)]
    if own := [line.removeprefix("farm: ") for line, _ in said if line.startswith("farm: ")]:
        return own[-1]
    for kind in (_RAISED, _SHELL):
        if found := [line for line, _ in said if kind.fullmatch(line)]:
            return found[-1]
    plain = [words for line, words in said if not _ASIDE.fullmatch(line)]
    return plain[-1] if plain else said[-1][1] if said else "it said nothing"
