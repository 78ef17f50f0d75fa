"""Gives a verified file its final name in the output.

The name goes to the very file that was verified, and only by the run that has claimed it.
"""

from contextlib import suppress

from jobs.errors import BadStore, FilmFailed, NameTaken, StoreFault
from jobs.ledger.ledger import Ledger
from jobs.output.ownership import TRIES, Owner, claim_key, identity, read_claim, report_key
from jobs.store import Stat, Store, open_store

UNPROVEN = "unproven"
"""The output's folder where deliverables grow and are proven: unproven/<job>/<file>.<made>/<file>."""
_MADE = 12
"""Digits of the digest of what is made, in a folder's name."""


class HeldName:
    """A run's hold on one name, to be looked at before anything is given that name."""

    def __init__(self, ledger: Ledger, output: Store, name: str, run: str) -> None:
        self._ledger = ledger
        self._output = output
        self._name = name
        self._run = run

    def check(self) -> Owner:
        """The claim. Raises NameTaken where it is another job's by now, or gone, FilmFailed where it is another run's."""
        key = claim_key(self._name)
        found = read_claim(self._output, key) if self._output.stat(key) else None
        if found is None or found.token != identity(self._ledger):
            raise NameTaken(
                f"{self._output.url}/{self._name} is not this job's any more ({key} there "
                f"{f'names the job {found.job!r} in {found.store}' if found else 'is gone'}): nothing was replaced; "
                "run the job again to claim it again, or give it another output."
            )
        if found.run != self._run:
            raise FilmFailed(
                f"Another run of the job '{self._ledger.title()}' has begun and will finish {self._name}; this one ends here."
            )
        return found

    def is_anothers(self) -> bool:
        """Whether the name is another job's. Whose it was before it was given back, nobody knows."""
        key = claim_key(self._name)
        return self._output.stat(key) is not None and read_claim(self._output, key).token != identity(self._ledger)

    def staging(self) -> str:
        """The folder of the output where the file grows: no other job's, and no other's of what this job has made."""
        return f"{UNPROVEN}/{self._ledger.job}/{self._name}.{self.check().made[:_MADE]}"

    def write(self, key: str, data: bytes) -> None:
        """Write a small file beside what has the name. Raises as `check` does."""
        for _ in range(TRIES):
            there = self._output.stat(key)  # first: who writes late finds another there
            self.check()
            if there is None:
                done = self._output.write(key, data, only_if_absent=True)
            else:
                done = self._output.replace(key, data, there.version) is not None
            if done:
                return
        raise StoreFault(f"{self._output.url}/{key} changes too often to be written; try again.")

    def give(self, unproven: str, found: Stat, name: str) -> None:
        """Give what was `found` at `unproven`, and proven, its `name`, in the place of what this job had there.

        Raises as `check` does, and FilmFailed where it is another file by now.
        """
        for _ in range(TRIES):
            over = self._output.stat(name)  # first: who comes late finds another there
            self.check()
            if self._output.rename(unproven, name, found, over):
                return
            if self._output.stat(unproven) != found:
                raise FilmFailed(
                    f"{self._output.url}/{unproven} was changed after it was proven, so it is not handed over: run the job again."
                )
        raise StoreFault(f"{self._output.url}/{name} changes too often to be replaced; try again.")


def sweep(output: Store, job: str, name: str, staging: str) -> None:
    """Delete what earlier runs of a job have left unproven of one deliverable, whole and half-written, but below `staging`.

    What a farm without claims has left goes too: it grew under the bare name, whosoever it was.
    """
    begin, bare = f"{UNPROVEN}/{job}/{name}.", f"{UNPROVEN}/{name}"

    def is_left(key: str) -> bool:
        made = key.removeprefix(begin).partition("/")[0]  # of "film" and not of "film.mkv"
        return len(made) == _MADE and not key.startswith(f"{staging}/")

    for key in filter(is_left, [*output.unfinished(begin)]):
        output.abort(key)
    for key in filter(is_left, [*output.list(begin)]):
        output.delete(key)
    output.abort(bare)
    output.delete(bare)


class Unproven:
    """What a job that nobody works on has left unproven in its output, whole and half-written; nothing where the output is not to be had."""

    def __init__(self, ledger: Ledger) -> None:
        self.bytes = 0
        self._whole: list[str] = []
        self._half: list[str] = []
        with suppress(BadStore, NameTaken):
            self._output = open_store(ledger.spec().output)
            if not HeldName(ledger, self._output, report_key(ledger.job), "").is_anothers():
                self._whole = list(self._output.list(f"{UNPROVEN}/{ledger.job}/"))
                self._half = list(self._output.unfinished(f"{UNPROVEN}/{ledger.job}/"))
                self.bytes = sum(there.bytes for there in map(self._output.stat, self._whole) if there)

    def __len__(self) -> int:
        return len(self._whole) + len(self._half)

    def delete(self) -> None:
        """Delete it."""
        for key in self._half:
            self._output.abort(key)
        for key in self._whole:
            self._output.delete(key)
