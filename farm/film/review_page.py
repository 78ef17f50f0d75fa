"""The review page: one HTML file beside the deliverables with a still of every chunk, before and after; it needs no server or network."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from actors.mux.hls.player import PLAYER
from actors.mux.hls.playlist import PAGE, whole_key
from actors.page_templates import PAGES
from farm.film.film_run import FilmRun
from jobs.ledger.ledger import still_name
from jobs.output.ownership import review_folder
from jobs.plan.plan import Chunk, Range
from jobs.records.report import FilmReport
from jobs.spec.codecs import FOLDERS, Codec
from jobs.store import Store, open_store


@dataclass(frozen=True)
class ReviewPicture:
    """A chunk on the page: its still, if there is one, and the words below it."""

    chunk: int
    frame: str
    words: str
    file: str


@dataclass(frozen=True)
class ReviewShot:
    """A shot on the page."""

    number: int
    frames: str
    pictures: list[ReviewPicture]


def publish(film: FilmRun, report: FilmReport, output: Store) -> str:
    """Write the page and its stills into the output, into a folder of the job's; gives the page's key. Safe to run again."""
    key = f"{_folder(film)}/index.html"
    output.write(key, _page(film, report, _stills(film, film.chunks, output)))
    return key


def show_preview(film: FilmRun) -> None:
    """Where the preview has just become whole: the page of it, and on the board where that lies. The last page takes its place."""
    if film.order.is_due(film.lacking):
        output = open_store(film.scout.spec.output)
        film.board.note(f"preview: {output.url}/{publish_preview(film, output)}")


def publish_preview(film: FilmRun, output: Store) -> str:
    """The page of the preview's chunks, of a film that is still rendered; gives its key. Safe to run again."""
    key = f"{_folder(film)}/index.html"
    chunks = [one for one in film.chunks if film.order.is_early(one.number)]
    said = f"{len(chunks)} of {len(film.chunks)} chunks, from all of the film, which is still rendered"
    output.write(key, _part(film, said, chunks, _stills(film, chunks, output)))
    return key


def publish_shots(film: FilmRun, output: Store) -> str:
    """The page of the shots that were chosen, of a film that is not whole yet; gives its key. Safe to run again."""
    chunks = [one for one in film.chunks if one.shot in film.chosen]
    key = f"{_folder(film)}/shots-{film.chosen.said.replace(',', '_').replace(' ', '')}.html"
    said = f"Shots {film.chosen.said} of {film.scout.plan.shot_count}; the film is not whole yet, and not delivered"
    output.write(key, _part(film, said, chunks, _stills(film, chunks, output)))
    return key


def _folder(film: FilmRun) -> str:
    return review_folder(film.scout.spec.key)


def _stills(film: FilmRun, chunks: Iterable[Chunk], output: Store) -> dict[int, int]:
    """Copies stills beside the page; gives the frame of each, by chunk."""
    kept = {}
    for chunk in chunks:
        frames, segment = _segment(film, chunk)
        if still := film.ledger.read(still_name(segment)):
            output.write(f"{_folder(film)}/{_still(chunk)}", still)
            kept[chunk.number] = frames.start + frames.frames // 2
    return kept


def _segment(film: FilmRun, chunk: Chunk) -> tuple[Range, str]:
    """The chunk's last segment, whose middle frame has a still: a dissolved opening is another."""
    return list(film.names(chunk, film.deliverables[0].encoding).items())[-1]


def _still(chunk: Chunk) -> str:
    return f"chunk-{chunk.number:05d}.jpg"


def _part(film: FilmRun, said: str, chunks: Iterable[Chunk], kept: Mapping[int, int]) -> bytes:
    aside = {number: one.sentence for number, one in film.aside.reports.items()}
    return _filled(film, chunks, kept, title=film.scout.spec.name, said=said, report=None, instead="", aside=aside)


def _page(film: FilmRun, report: FilmReport, kept: Mapping[int, int]) -> bytes:
    aside = {one.chunk: one.sentence for one in report.quarantined}
    instead = f"../{file}" if (file := _played(film)) else ""
    pages = {one.file: f"{one.file}/{PAGE}" for one in film.deliverables if one.container == "hls"}
    return _filled(film, film.chunks, kept, title=report.name, report=report, instead=instead, aside=aside, pages=pages)


def _filled(film: FilmRun, chunks: Iterable[Chunk], kept: Mapping[int, int], **values: object) -> bytes:
    stream = f"../{key}" if (key := _streamed(film)) else ""
    template = PAGES.get_template("farm/film/review_page.html.j2")
    return template.render(stream=stream, player=PLAYER, shots=_shots(film, chunks, kept), **values).encode()


def _played(film: FilmRun) -> str:
    """The deliverable that a browser is shown: H.264 where there is one; none where all are pictures."""
    films = sorted(
        (one for one in film.deliverables if one.container not in FOLDERS),
        key=lambda one: one.encoding.codec != Codec.H264,
    )
    return films[0].file if films else ""


def _streamed(film: FilmRun) -> str:
    """The playlist of the first review stream; empty where there is none."""
    return next((whole_key(one) for one in film.deliverables if one.container == "hls"), "")


def _shots(film: FilmRun, chunks: Iterable[Chunk], kept: Mapping[int, int]) -> Iterator[ReviewShot]:
    for number, grouped in groupby(chunks, key=lambda chunk: chunk.shot):
        several = list(grouped)
        frames = film.scout.names.spoken(several[0].core.start, several[-1].core.stop - 1)
        yield ReviewShot(number, frames, [_picture(film, chunk, kept.get(chunk.number)) for chunk in several])


def _picture(film: FilmRun, chunk: Chunk, kept: int | None) -> ReviewPicture:
    """`kept`: the frame of its still."""
    middle = chunk.core.start + chunk.core.frames // 2 if kept is None else kept
    look = ", ".join(f"{name} {value}" for name, value in chunk.look.choice.settings.items() if value is not None)
    frame = f"frame {middle} ({film.scout.names.name(middle)})"
    words = f"chunk {chunk.number}, {frame}; {chunk.look.title}{f' ({look})' if look else ''}"
    return ReviewPicture(chunk.number, frame, words, "" if kept is None else _still(chunk))
