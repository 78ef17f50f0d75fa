"""Wages: the time that workers take up, from being placed on a node until they are let go. Promises that each second counts once; knows no price."""

from collections.abc import Callable, Iterator

from farm.fleet.calls import PoolSize, PoolSpec
from farm.progress.metrics import WorkerUsage


class WorkerSeconds:
    """Of all crews of one film."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: seconds."""
        self._clock = clock
        self._at_work: dict[str, tuple[PoolSpec, int]] = {}
        self._since = clock()

    def staffed(self, crew: PoolSpec, staff: PoolSize) -> list[WorkerUsage]:
        """There are others of a crew now. Gives what is due until now."""
        due = list(self.due())
        self._at_work[crew.name] = (crew, staff.ready + staff.warming)
        return due

    def due(self) -> Iterator[WorkerUsage]:
        """What has been worked since this was last asked."""
        now = self._clock()
        passed, self._since = max(0.0, now - self._since), now
        for crew, number in self._at_work.values():
            if number:
                yield WorkerUsage(crew.name, passed * number, passed * number * crew.gpus, passed * number * crew.cpus)
