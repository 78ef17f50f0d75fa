"""Renders a still of a shot in each look, chooses frames worth painting, and lays stills out on contact sheets.

Frames come straight from the source: those that the looks must see around the one that is shown, and the lead-in to them.
A still of a look without a memory is, before it becomes a JPEG, the very frame that a deliverable's encoder would be given.
A look with a memory is shown its warm-up before it: the film's own chunk may begin earlier.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice

import av
import numpy as np
import torch
from torch import Tensor

from actors.looks import recent
from actors.media.container import named
from actors.media.planes import planes_of
from actors.picture.compose import compose
from actors.picture.device import memory_ran_out, settled, stream_of
from actors.picture.frame_batches import batches_of, turned_back
from actors.picture.generator import BATCH, Generator, runtime_of
from actors.picture.prefetch import TurnLock
from actors.picture.stills import Photo, jpeg, of_finished, of_source
from actors.render.graders import grader_of
from actors.render.handles import as_kept
from actors.render.propagation.propagated_colour import PropagatedColour
from actors.render.segments import hardware
from actors.render.still_orders import ChoiceOrder, SheetCell, SheetMade, SheetOrder, StillOrder
from actors.stills.choosing import choose_frames, small_luma
from actors.stills.contact_sheet import Cell, contact_sheet, opened, small
from actors.stills.exporting import empty_layer, export
from actors.survey.frame_runs import frames_in_turn, frames_read
from actors.survey.neighbouring_frames import NeighbouringFrames, around
from jobs.errors import BadMedia, ChunkFailed, FilmFailed
from jobs.film.source import Film
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import Look
from jobs.records.media import Media
from jobs.records.stills import FOLDER, ChosenFrames, Still, still_paper
from jobs.stills.listing import hash_of
from jobs.store import Store, open_store, source_identity

FLAT = 0.02
"""Of white: a picture whose luma spreads by less than this (standard deviation) shows nothing, as in the midst of a fade."""
QUALITY = 93
MOST_LUMAS = 600
"""Frames of a shot that are looked at, at most, to choose those that are worth painting."""
WIDEST = 8192
"""Pixels of a still, at most: only of pixels far from square are there so many."""


class StillRenderer:
    """One worker. Loads each look once, when it is first asked for; two calls at a time, of which one reads while the other renders."""

    def __init__(self, store: str, job: str, looks: Sequence[Look], cpus: float, gpu: bool = False) -> None:
        """As the renderer; `looks` are those that may be asked for. What is on paper already needs none of them."""
        self.threads = max(1, int(cpus))
        self.batch = BATCH
        """Frames shown to a look at a time; halved where memory runs out."""
        torch.set_num_threads(self.threads)
        self.ledger = Ledger.at(store, job)
        self.device = settled(gpu)
        self.looks = looks
        self.stream = stream_of(self.device)
        self._turns = TurnLock()
        self._generators: dict[str, Generator] = {}
        self._known: set[str] = set()

    def take(self, order: StillOrder) -> Iterator[Still]:
        """The still of each look, those on paper first. Raises BadMedia where the source is no longer what was surveyed;
        ChunkFailed where no frame can be decoded, or a look gives no picture."""
        torch.set_num_threads(self.threads)
        lacking = []
        for look in order.looks:
            if kept := self._kept(order, look):
                yield kept
            else:
                lacking.append(look)
        if not lacking:
            return
        self._refuse_changed(order.film)
        run, frames = chosen(order, self.threads)
        for look in lacking:
            yield self._keep(order, look, run.frame, self._photo(order, look, run, frames))

    def finished(
        self, order: StillOrder, look: Look, run: NeighbouringFrames, frames: Sequence[av.VideoFrame]
    ) -> av.VideoFrame:
        """The frame of a run as the look makes it, in the encoding's form: what an encoder would be given."""
        frame = frames[run.frame - run.read.start]
        with self._turns, torch.cuda.stream(self.stream):
            generator = self._generator(look, order)
            picture_1CHW = self._picture(generator, look, order, run, frames)
            stored = turned_back(picture_1CHW, order.film.picture)
            stored = as_kept(stored) if look.support.dissolve else stored
            film = order.film.picture
            grader = grader_of(look, film, self.ledger)
            return compose([frame], stored, generator.domain, film, order.encoding, grader=grader, first=run.frame)[0]

    def choose(self, order: ChoiceOrder) -> ChosenFrames:
        """The frames of a shot that are worth painting. Raises BadMedia as `take`; ChunkFailed where its frames cannot be decoded."""
        kept = self.ledger.paper(still_paper(order.digest), ChosenFrames)
        if kept and kept.digest == order.digest and {*kept.frames} <= {*range(*order.run.read)}:
            return kept
        self._refuse_changed(order.film)
        made = ChosenFrames(digest=order.digest, frames=worth_painting(order, self.threads))
        self.ledger.keep_paper(still_paper(order.digest), made, only_if_absent=False)
        return made

    def sheet(self, order: SheetOrder) -> SheetMade:
        """Put a sheet, and its stills, into the output. Raises FilmFailed where a still is gone or damaged."""
        output, edited, layers = open_store(order.output), list[str](), list[tuple[str, str]]()
        rows = []
        for row in order.rows:
            cells = []
            for cell in row:
                photo = None
                if cell.still:
                    data = self._read(cell.still)
                    whole = opened(data)
                    photo = small(whole)
                    if cell.layer:
                        layers.append(self._put_layer(output, cell, whole, edited))
                    if not cell.layer and self._is_edited(output, cell, cell.still):
                        edited.append(cell.large)
                    else:
                        output.write(cell.large, data)
                    if cell.small:
                        output.write(cell.small, jpeg(photo, QUALITY))
                cells.append(Cell(photo, cell.words))
            rows.append(cells)
        output.write(order.key, contact_sheet(order.columns, rows))
        return SheetMade(order.key, tuple(edited), tuple(layers))

    def _put_layer(self, output: Store, cell: SheetCell, still: Photo, edited: list[str]) -> tuple[str, str]:
        """A transparent layer beside a still, unless somebody has drawn on one since: then its name is in `edited`."""
        height, width = still.shape[:2]
        data = empty_layer(width, height)
        name = hashlib.sha256(data).hexdigest()
        if output.stat(cell.layer) and hash_of(output, cell.layer)[0] not in (name, cell.before):
            edited.append(cell.layer)
        else:
            output.write(cell.layer, data)
        return cell.layer, name

    def _is_edited(self, output: Store, cell: SheetCell, still: Still) -> bool:
        """Whether something else lies under a still's name than this farm has put there."""
        if cell.before is None or output.stat(cell.large) is None:
            return False
        there, _ = hash_of(output, cell.large)
        if there in (still.media.sha256, cell.before):
            return False
        return self.ledger.store.stat(self.ledger.key(f"{FOLDER}/{there}.png")) is None

    def _refuse_changed(self, film: Film) -> None:
        # Once for each worker: an order is one of very many.
        if film.source not in self._known and source_identity(film.source) != film.identity:
            raise BadMedia(f"{named(film.source)} was changed since its survey; begin a new job for it.")
        self._known.add(film.source)

    def _photo(
        self, order: StillOrder, look: Look | None, run: NeighbouringFrames, frames: Sequence[av.VideoFrame]
    ) -> Photo:
        picture = order.film.picture
        if look is None:
            return of_source(frames[run.frame - run.read.start], picture, WIDEST, grey=order.export)
        return of_finished(self.finished(order, look, run, frames), picture, order.encoding, WIDEST)

    def _generator(self, look: Look, order: StillOrder) -> Generator:
        return PropagatedColour(self.ledger, order) if look.propagation else recent(self._generators, look, self.device)

    def _picture(
        self,
        generator: Generator,
        look: Look,
        order: StillOrder,
        run: NeighbouringFrames,
        frames: Sequence[av.VideoFrame],
    ) -> Tensor:
        """The look's picture of the frame (1CHW, upright), shown no more of the run than it needs."""
        begin, stop = around(run.frame, look, run.read)
        shown = frames[begin - run.read.start : stop - run.read.start]
        while True:
            try:
                batches = (batch for _, batch in batches_of(shown, order.film.picture, self.batch, self.device))
                made = [one for several in generator.render(batches) for one in torch.split(several, 1)]
                break
            except (RuntimeError, MemoryError) as error:
                if self.batch == 1 or not memory_ran_out(error):
                    raise
            self.batch //= 2
            torch.cuda.empty_cache()
        if len(made) != len(shown):
            raise ChunkFailed(
                f"The look '{look.title}' does not give one picture for each frame (seen at shot {order.number}); "
                "correct the look, and raise its version."
            )
        return made[run.frame - begin]

    # paper

    def _kept(self, order: StillOrder, look: Look | None) -> Still | None:
        digest = order.digest(look)
        still = self.ledger.paper(still_paper(digest), Still)
        if still is None:
            return None
        if still.digest != digest or still.frame not in range(*order.shot):
            self.ledger.store.delete(self.ledger.key(still_paper(digest)))
            return None
        there = self.ledger.store.stat(self.ledger.key(still.media.key))
        if there and there.bytes == still.media.bytes:
            return still
        self._forget(still)
        return None

    def _keep(self, order: StillOrder, look: Look | None, frame: int, photo: Photo) -> Still:
        data = export(photo) if order.export else jpeg(photo, QUALITY, whole_chroma=True)
        name = hashlib.sha256(data).hexdigest()
        media = Media(key=f"{FOLDER}/{name}.{'png' if order.export else 'jpg'}", sha256=name, bytes=len(data))
        self.ledger.store.write(self.ledger.key(media.key), data, only_if_absent=True)
        digest = order.digest(look)
        still = Still(digest=digest, frame=frame, media=media, made_on=self._made_on(look))
        if self.ledger.keep_paper(still_paper(digest), still):
            return still
        return self.ledger.paper(still_paper(digest), Still) or still

    def _made_on(self, look: Look | None) -> str:
        if look is None or look.propagation:
            return hardware(self.device, batch=self.batch)
        with self._turns:
            return hardware(self.device, runtime_of(recent(self._generators, look, self.device)), self.batch)

    def _read(self, still: Still) -> bytes:
        data = self.ledger.read(still.media.key)
        if data is None or hashlib.sha256(data).hexdigest() != still.media.sha256:
            self._forget(still)
            raise FilmFailed(
                f"The still of frame {still.frame}, {self.ledger.store.url}/{self.ledger.key(still.media.key)}, is gone or "
                "damaged; the same command makes it again."
            )
        return data

    def _forget(self, still: Still) -> None:
        for name in (still_paper(still.digest), still.media.key):
            self.ledger.store.delete(self.ledger.key(name))


def chosen(order: StillOrder, threads: int) -> tuple[NeighbouringFrames, list[av.VideoFrame]]:
    """The first of the order's runs whose frame shows something, else the one with the most contrast; and its frames.

    Raises ChunkFailed where none can be decoded.
    """
    best: tuple[float, NeighbouringFrames, list[av.VideoFrame]] | None = None
    for run in order.runs:
        try:
            frames = frames_read(order.film, run, threads)
        except LookupError:
            continue
        contrast = _contrast(frames[run.frame - run.read.start])
        if best is None or contrast > best[0]:
            best = contrast, run, frames
        if contrast >= FLAT:
            break
    if best is None:
        raise ChunkFailed(
            f"No frame of shot {order.number} that a still could be of can be decoded; the source is damaged there: copy it again."
        )
    return best[1], best[2]


def worth_painting(order: ChoiceOrder, threads: int) -> tuple[int, ...]:
    """Frames of a shot, chosen among all, or among MOST_LUMAS of a long one. Raises ChunkFailed where they cannot be decoded."""
    read, step = order.run.read, -(-order.run.read.frames // MOST_LUMAS)
    try:
        with closing(frames_in_turn(order.film, order.run, threads)) as frames:
            lumas = [small_luma(frame) for frame in islice(frames, 0, None, step)]
    except LookupError:
        raise ChunkFailed(
            f"Shot {order.number} cannot be decoded; the source is damaged there: copy it again."
        ) from None
    return choose_frames(lumas, range(read.start, read.stop, step), order.most)


def _contrast(frame: av.VideoFrame) -> float:
    """Standard deviation of luma, black and white being 0 and 1."""
    white = float(2 ** frame.format.components[0].bits - 1)
    spread = float(np.std(planes_of(frame)[0], dtype=np.float64))
    return spread / white
