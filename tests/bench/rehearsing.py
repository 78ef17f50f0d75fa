"""Ten thousand chunks by the rehearsal: the farm's own dealing to any number of workers. Promises a share of the ideal time; hires nobody."""

from farm.estimate.outcome import Times
from farm.fleet.calls import Cluster
from jobs.plan.plan import Look, Plan, Range, Shot
from jobs.spec.job import LookChoice
from tests.bench.rehearsal import Rehearsal, pools_of

TARGET = 192


def rehearsed(chunks: int, workers: int, seconds: float) -> float:
    """Share of the ideal time, from when the first chunk is begun; chunks of so many seconds each, and splitters enough."""
    plan = Plan(TARGET)
    plan.grow([Shot(1, Range(0, TARGET * chunks), Look(choice=LookChoice(name="none")))])
    pools = pools_of(workers, workers, dissolvers=1)
    times = Times(
        boot=lambda pool: 0.0,
        opening=0.0,
        split=lambda chunk: 0.05,
        render=lambda chunk, place: seconds,
        dissolve=lambda chunk: 0.0,
        stitch=0.0,
        prove=0.0,
        propagate=lambda chunk: 0.0,
        cores_shared=False,
    )
    found = Rehearsal(plan.chunks, plan, times).on(Cluster(False, 1000.0, float(workers)), pools)
    return round(chunks * seconds / workers / (found.rendered - (found.first - seconds)), 4)
