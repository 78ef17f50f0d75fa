"""Which kind of hardware a job is rendered on, for jobs that refuse to mix kinds whose pictures differ in their last bits."""

import re

from jobs.document import Document
from jobs.errors import NodeFault
from jobs.ledger.ledger import Ledger

PAPER = "hardware.json"
"""Of a job with `workers: {mixed: refuse}`: written by the first worker that renders."""


class Hardware(Document):
    """What a job is rendered on."""

    kind: str


def kinds_of(made_on: str) -> set[str]:
    """The kinds in a record's `made_on`: of a dissolved opening there may be two.

    How many cores a processor has changes no bit, and that onnxruntime ran a look is the look's, not the machine's.
    """
    return {re.sub(r", \d+ cores\b|, onnxruntime .*", "", one) for one in made_on.split(" + ")}


def refuse_other(ledger: Ledger, made_on: str) -> None:
    """Make this worker's hardware the job's, or raise NodeFault where the job is rendered on another kind.

    Of workers that come at the same time one is first, for paper is written once.
    """
    (kind,) = kinds_of(made_on)
    mine = Hardware(kind=kind)
    if ledger.keep_paper(PAPER, mine):
        return
    held = ledger.paper(PAPER, Hardware) or mine
    if held.kind != kind:
        raise NodeFault(
            f"the job is rendered on {held.kind}, and here is {kind}, whose pictures differ in their last bits (workers: {{mixed: "
            "refuse}); give it workers of one kind, or set mixed: warn",
            lasting=True,
        )
