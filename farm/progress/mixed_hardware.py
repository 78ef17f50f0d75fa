"""Warns, once for each kind, when a job's frames come from another kind of hardware. Refusing mixed hardware is left to the workers."""

from collections.abc import Iterable

from farm.progress.console import ProgressConsole
from jobs.ledger.hardware import kinds_of
from jobs.records.orders import DeviceUsage, SegmentRecord


class MixedHardware:
    """The kinds of hardware that one film's pictures were made on."""

    def __init__(self, console: ProgressConsole) -> None:
        self._console = console
        self._kinds: list[str] = []

    def heard(self, made_on: Iterable[str]) -> None:
        """Some pictures were made on these."""
        for kind in sorted({kind for one in made_on for kind in kinds_of(one)} - set(self._kinds)):
            self._kinds.append(kind)
            if len(self._kinds) > 1:
                self._console.note(
                    f"mixed hardware: pictures are made on {self._kinds[0]} and on {kind}, which differ in their last bits, so "
                    "that another run need not give the same file; workers: {mixed: refuse} keeps a job to one kind"
                )


def made_on(found: object) -> tuple[str, ...]:
    """The hardware that a finding tells of."""
    return (found.made_on,) if isinstance(found, DeviceUsage | SegmentRecord) and found.made_on else ()
