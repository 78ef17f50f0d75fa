"""The decider: settles, before any work, what each deliverable will be. Promises to open the source where workers do, not where the driver runs; renders nothing."""

from actors.streams import plan_deliverables
from jobs.deliverables import DeliverablePlan
from jobs.film import Film
from jobs.spec import JobSpec


class Decider:
    """Decides the deliverables of one source, named by its URL."""

    def __init__(self, source: str) -> None:
        self.source = source

    def decide(self, film: Film, spec: JobSpec, grey_stays_grey: bool) -> tuple[DeliverablePlan, ...]:
        """See `plan_deliverables`."""
        return plan_deliverables(film, spec, self.source, grey_stays_grey)
