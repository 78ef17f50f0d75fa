"""Copies stills and clips from a job's folder in the store to the folder of its review page, each once."""

import hashlib
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import PurePosixPath

from farm.film.film_run import FilmRun
from farm.film.review.background_reads import BackgroundReads
from jobs.errors import BadStore
from jobs.ledger.ledger import clip_name, still_name
from jobs.output.ownership import review_folder
from jobs.plan.plan import Chunk
from jobs.review.shown import ShownPiece
from jobs.stills.listing import StillFile
from jobs.store import Store, open_store

LARGEST_PAINTED = 64 << 20
"""Bytes of a painted still that is shown as it is; a larger one is named alone."""
SHOWN_FORMS = (".png", ".jpg", ".jpeg", ".webp")
"""Of painted stills, what browsers show."""


class ReviewPictures:
    """The pictures of one film's page."""

    def __init__(self, film: FilmRun, output: Store) -> None:
        self.film = film
        self.output = output
        self.folder = review_folder(film.survey.spec.key)
        self._known: dict[int, tuple[Chunk, list[ShownPiece]]] = {}
        """By chunk number: a chunk that another stands in for is another."""
        self._there: set[str] | None = None
        """Names in the page's folder, once it was listed."""
        self._wanted: dict[str, Callable[[], bytes | None]] = {}
        """Of files that may be copied, by name in the page's folder, how each is read."""
        self._copies = BackgroundReads(self._copy)

    def pieces(self, chunk: Chunk) -> list[ShownPiece]:
        """A finished chunk's pieces, with the files that show them as far as these are copied."""
        known = self._known.get(chunk.number)
        if known is None or known[0] is not chunk:
            known = self._known[chunk.number] = chunk, list(self._pieces(chunk))
        return [
            one.model_copy(update={"still": self._copied(one.still), "clip": self._copied(one.clip)})
            for one in known[1]
        ]

    def painted(self, still: StillFile) -> str:
        """The file beside the page that shows a painted still; empty where there is none."""
        ending = PurePosixPath(still.name).suffix.lower()
        folder = self.film.survey.spec.stills
        if ending not in SHOWN_FORMS or still.bytes > LARGEST_PAINTED or folder is None:
            return ""
        name = f"painted/{still.sha256[:20]}{ending}"
        self._wanted.setdefault(name, partial(_unchanged, folder, still))
        return self._copied(name)

    def copy(self, seconds: float) -> None:
        """Have what is there by now copied, and wait so long for it."""
        until = time.monotonic() + seconds
        for chunk in self.film.chunks:
            if not self.film.states[chunk.number].missing:
                self.pieces(chunk)
        for still in self.film.survey.stills:
            self.painted(still)
        if self._there is None:
            self._there = self._listed()
        self._copies.ask(name for name in self._wanted if not self._is_there(name))
        self._copies.go_on(until - time.monotonic())
        self.film.finishing.measured.read(until - time.monotonic())

    def go_on(self) -> None:
        """Copy on in the background."""
        self._copies.go_on()
        self.film.finishing.measured.go_on()

    def _pieces(self, chunk: Chunk) -> Iterator[ShownPiece]:
        for frames, segment in self.film.finishing.measured.segments(chunk).items():
            still, clip = f"stills/{segment[:20]}.jpg", f"clips/{segment[:20]}.mp4"
            self._wanted[still] = partial(self.film.ledger.read, still_name(segment))
            self._wanted[clip] = partial(self.film.ledger.read, clip_name(segment))
            yield ShownPiece(
                start=frames.start,
                stop=frames.stop,
                seconds=float(self.film.survey.names.seconds(frames.start)),
                still_at=frames.start + frames.frames // 2,
                still=still,
                clip=clip,
            )

    def _copied(self, name: str) -> str:
        return name if self._is_there(name) else ""

    def _is_there(self, name: str) -> bool:
        return bool(self._copies.found.get(name)) or (self._there is not None and name in self._there)

    def _listed(self) -> set[str]:
        prefix = f"{self.folder}/"
        parts = (self.output.list(f"{prefix}{part}/") for part in ("stills", "clips", "painted"))
        return {name.removeprefix(prefix) for name in chain.from_iterable(parts)}

    def _copy(self, name: str) -> str:
        data = self._wanted[name]()
        if data is None:
            return ""
        self.output.write(f"{self.folder}/{name}", data)
        return name


def _unchanged(folder: str, still: StillFile) -> bytes | None:
    """A painted still, if it is what was rendered: people work in its folder."""
    try:
        data = open_store(folder).read(still.name)
    except BadStore:
        return None
    return data if hashlib.sha256(data).hexdigest() == still.sha256 else None
