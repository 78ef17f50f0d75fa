"""Counts the faults of each node of a cluster and which nodes to avoid. Workers that fail in one event count once."""

from collections import Counter
from typing import NamedTuple

from farm.fleet.node_faults import STRIKES


class Node(NamedTuple):
    """A machine that workers run on."""

    id: str
    """Ray's."""
    address: str
    """For people."""

    def __str__(self) -> str:
        return f"{self.address}, Ray node {self.id[:12]}"


class Nodes:
    """The nodes of one film."""

    def __init__(self) -> None:
        self.left_alone: dict[str, str] = {}
        """By Ray's id: which node, and what is wrong there, for people."""
        self._strikes: Counter[str] = Counter()
        self._before: dict[str, int] = {}

    def strike(self, node: Node, worker: int, newest: int, why: str, *, lasting: bool) -> bool:
        """A worker met a fault of its node. Whether that node is left alone from now on, and was not before.

        `worker`: its number; `newest`: that of the last who was hired. Workers who were there together count once.
        `lasting`: waiting would not mend it.
        """
        if node.id in self.left_alone:
            return False
        if lasting or worker > self._before.get(node.id, -1):
            self._strikes[node.id] += STRIKES if lasting else 1
            self._before[node.id] = newest
        if self._strikes[node.id] < STRIKES:
            return False
        self.left_alone[node.id] = f"{node}: {why}"
        return True

    @property
    def selector(self) -> dict[str, str]:
        """Ray's label selector that keeps workers away from those nodes; empty where there are none."""
        return {"ray.io/node-id": f"!in({','.join(self.left_alone)})"} if self.left_alone else {}
