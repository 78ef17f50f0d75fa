"""The Ray actor that holds one worker. An error of its machine is reported as such, and names the machine."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import ray

from farm.cluster.terminal import leave_terminal
from farm.fleet.calls import PoolSpec
from farm.fleet.node_faults import fault_of
from farm.fleet.nodes import Node
from jobs.errors import BadStore, NodeFault, StoreDown, StoreFault
from jobs.ledger.places import WorkerPlaces
from jobs.processes import give_way, identity
from jobs.store.retry import in_work
from jobs.store.traffic import drain


class WorkerActor:
    """Makes the plain class inside a call, for an error in an actor's constructor comes home as text only."""

    _places: WorkerPlaces | None = None

    def __init__(self) -> None:
        leave_terminal()  # before the class is imported, by `boot`

    def place(self) -> tuple[str, Node]:
        """It has a place: the identity of its process (jobs/processes.py), and the machine."""
        return identity(os.getpid()), _here()

    def boot(self, pool: PoolSpec, places: WorkerPlaces | None) -> None:
        """Prove that this machine sees what it must, and make the class. Raises NodeFault."""
        self._places = places
        with in_work(), charged(places):
            prove(places)
            self._own = pool.make()

    def do(self, method: str, arguments: tuple[object, ...], ahead: bool = False) -> Iterator[object]:
        """Make one call; one that is `ahead` gives way to others on this machine. Raises NodeFault, and what the call raises."""
        if ahead:
            give_way()
        with in_work(), charged(self._places):
            found = getattr(self._own, method)(*arguments)
            if isinstance(found, Iterator):
                # Not `yield from`: Ray sends values into generators, which are none of the pool's business.
                for one in found:
                    self._refuse_lost()
                    yield one
            elif found is not None:
                self._refuse_lost()
                yield found
        if moved := drain():
            yield moved

    def _refuse_lost(self) -> None:
        """A finding tells of what has been written: it is no finding where that lies in an empty folder of this machine's own."""
        if self._places and (why := self._places.lost()):
            raise NodeFault(why, unseen=True)


def _here() -> Node:
    context = ray.get_runtime_context()
    address = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
    return Node(context.get_node_id(), f"node {address} ({socket.gethostname()})")


def prove(places: WorkerPlaces | None) -> None:
    """Raises NodeFault where this machine does not see what it must: before any work."""
    if places and (why := places.unseen()):
        raise NodeFault(why, unseen=True, lasting=True)


@contextmanager
def charged(places: WorkerPlaces | None) -> Iterator[None]:
    """The one seam where an error becomes the machine's: by what it says, or because places are not seen from here any more."""
    try:
        yield
    except StoreFault:
        raise  # may not happen again: it is retried
    except Exception as error:
        fault = error if isinstance(error, NodeFault) else None
        why, unseen = fault_of(error), bool(fault and fault.unseen)
        if why is None and places:
            # That a store is down for this machine alone is the driver's to tell: it is asked whether it sees it.
            down = isinstance(error, StoreDown)
            why = str(error) if down else places.unseen(to_write=isinstance(error, BadStore))
            unseen = why is not None
        if why is None:
            raise
        raise NodeFault(why, node=_here(), unseen=unseen, lasting=bool(fault and fault.lasting)) from None
