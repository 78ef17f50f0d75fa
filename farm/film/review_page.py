"""The review page: one HTML file beside the deliverables, a still of every chunk before and after. Promises to need no server and no network; makes no picture."""

from collections.abc import Iterable, Iterator, Mapping, Set
from html import escape
from itertools import groupby

from actors.mux.hls.player import player
from actors.mux.hls.playlist import PAGE, whole_key
from farm.film.film_run import FilmRun
from jobs.film.timecode import FrameTimecodes
from jobs.ledger.ledger import still_name
from jobs.output.ownership import review_folder
from jobs.plan.plan import Chunk, Range
from jobs.records.report import FilmReport
from jobs.spec.formats import FOLDERS, Codec
from jobs.store import Store, open_store

STYLE = """
:root { color-scheme: dark; font: 15px/1.5 system-ui, sans-serif; background: #16181b; color: #d8dade; }
body { margin: 0 auto; max-width: 1100px; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; }
video { width: 100%; background: #000; } a { color: #8ab4f8; }
table { border-collapse: collapse; } td, th { padding: .15rem .9rem .15rem 0; text-align: left; vertical-align: top; }
figure { margin: 0 0 1rem; } figure img { width: 100%; max-width: 960px; display: block; }
figcaption { color: #9aa0a6; font-size: .85rem; } .bad { color: #f28b82; } .good { color: #81c995; }
"""


def publish(film: FilmRun, report: FilmReport, output: Store) -> str:
    """Write the page and its stills into the output, into a folder of the job's; gives the page's key. Safe to run again."""
    key = f"{_folder(film)}/index.html"
    output.write(key, "".join(_page(film, report, _stills(film, film.chunks, output))).encode())
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
    output.write(key, "".join(_part(film, said, chunks, _stills(film, chunks, output))).encode())
    return key


def publish_shots(film: FilmRun, output: Store) -> str:
    """The page of the shots that were chosen, of a film that is not whole yet; gives its key. Safe to run again."""
    chunks = [one for one in film.chunks if one.shot in film.chosen]
    key = f"{_folder(film)}/shots-{film.chosen.said.replace(',', '_').replace(' ', '')}.html"
    said = f"Shots {film.chosen.said} of {film.scout.plan.shot_count}; the film is not whole yet, and not delivered"
    output.write(key, "".join(_part(film, said, chunks, _stills(film, chunks, output))).encode())
    return key


def _folder(film: FilmRun) -> str:
    return review_folder(film.scout.spec.name)


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


def _head(name: str) -> str:
    title = escape(name)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style><h1>{title}</h1>'
    )


def _part(film: FilmRun, said: str, chunks: Iterable[Chunk], kept: Mapping[int, int]) -> Iterator[str]:
    yield _head(film.scout.spec.name)
    yield f"<p>{escape(said)}</p>"
    if stream := _streamed(film):
        yield player(f"../{stream}")
    aside = {number: one.sentence for number, one in film.aside.reports.items()}
    for number, several in groupby(chunks, key=lambda chunk: chunk.shot):
        yield from _shot(number, list(several), kept, film.scout.names, aside)
    yield "</html>\n"


def _page(film: FilmRun, report: FilmReport, kept: Mapping[int, int]) -> Iterator[str]:
    yield _head(report.name)
    verdict = '<span class="good">conforms</span>' if report.conforms else '<span class="bad">does not conform</span>'
    yield f"<p>{report.frames} frames, {report.shots} shots, {report.chunks} chunks, {report.seams} seams: {verdict}</p>"
    aside = {one.chunk: one.sentence for one in report.quarantined}
    if aside:
        yield f'<p class="bad">{len(aside)} of the chunks were set aside: these are not the look</p>'
    played = f"../{file}" if (file := _played(film)) else ""
    if stream := _streamed(film):
        yield player(f"../{stream}", played)
    elif played:
        yield f'<video controls preload="metadata" src="{escape(played)}"></video>'
    yield from _deliverables(report, {one.file for one in film.deliverables if one.container == "hls"})
    for number, chunks in groupby(film.chunks, key=lambda chunk: chunk.shot):
        yield from _shot(number, list(chunks), kept, film.scout.names, aside)
    yield "</html>\n"


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


def _deliverables(report: FilmReport, streams: Set[str]) -> Iterator[str]:
    yield "<h2>Deliverables</h2><table>"
    for one in report.deliverables:
        file = escape(one.file)
        place = f"{file}/{PAGE}" if one.file in streams else file
        yield f'<tr><td><a href="../{place}">{file}</a><td>{one.bytes / 1e6:.1f} MB<td>{escape(one.timing)}'
        for fate in one.fates:
            detail = f": {escape(fate.detail)}" if fate.detail else ""
            yield f"<tr><td><td>stream {fate.stream}<td>{escape(fate.kind)} {escape(fate.codec)} {fate.fate}{detail}"
        for finding in one.findings:
            yield f'<tr><td><td><td class="bad">{escape(finding)}'
    yield "</table>"


def _shot(
    number: int, chunks: list[Chunk], kept: Mapping[int, int], names: FrameTimecodes, aside: Mapping[int, str]
) -> Iterator[str]:
    yield f"<h2>Shot {number}: {names.spoken(chunks[0].core.start, chunks[-1].core.stop - 1)}</h2>"
    for chunk in chunks:
        middle = kept.get(chunk.number, chunk.core.start + chunk.core.frames // 2)
        look = ", ".join(f"{name} {value}" for name, value in chunk.look.choice.settings.items() if value is not None)
        frame = f"frame {middle} ({names.name(middle)})"
        words = f"chunk {chunk.number}, {frame}; {chunk.look.title}{f' ({look})' if look else ''}"
        yield "<figure>"
        if chunk.number in kept:
            yield f'<img loading="lazy" src="{_still(chunk)}" alt="{frame}, source and result">'
        flagged = f'<br><span class="bad">{escape(aside[chunk.number])}</span>' if chunk.number in aside else ""
        yield f"<figcaption>{escape(words)}{flagged}</figcaption></figure>"
