"""The proof's page: one HTML file over the stills, shots below one another, looks side by side. Promises to need no server, no network and no script; makes no picture."""

from collections.abc import Iterator
from html import escape

from farm.film.review_page import STYLE
from jobs.film.timecode import FrameTimecodes
from jobs.records.stills import Proof, ShotProof

OWN = """
body { max-width: none; } .row { display: grid; grid-template-columns: repeat(%d, minmax(0, 1fr)); gap: .5rem; }
.row figure { margin: 0; } .heads { position: sticky; top: 0; background: #16181b; padding: .4rem 0; font-weight: 600; }
"""


def page(proof: Proof, names: FrameTimecodes) -> str:
    """The page, for the output's folder `proof`."""
    return "".join(_page(proof, names))


def _page(proof: Proof, names: FrameTimecodes) -> Iterator[str]:
    title = escape(f"{proof.name}: proof")
    yield (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}{OWN % len(proof.columns)}</style><h1>{title}</h1>'
    )
    sheets = ", ".join(f'<a href="{_beside(key)}">{place}</a>' for place, key in enumerate(proof.sheets, 1))
    yield f"<p>One frame of each shot; a click on a picture shows it whole. Contact sheets: {sheets}</p>"
    for sentence in proof.lacking:
        yield f'<p class="bad">no still: {escape(sentence)}</p>'
    yield '<div class="row heads">' + "".join(f"<div>{escape(one)}</div>" for one in proof.columns) + "</div>"
    for shot in proof.shots:
        yield from _shot(shot, names)
    yield "</html>\n"


def _shot(shot: ShotProof, names: FrameTimecodes) -> Iterator[str]:
    shown = "no frame" if shot.frame is None else f"frame {shot.frame} ({names.name(shot.frame)})"
    yield f"<h2>Shot {shot.shot}: {names.spoken(shot.start, shot.stop - 1)}; shown is {shown}</h2>"
    yield '<div class="row">'
    for look, key in zip(shot.looks, shot.stills, strict=True):
        words = escape(look)
        yield "<figure>"
        if key is not None:
            large = _beside(key)
            little = f"{large.removesuffix('.jpg')}-small.jpg"
            yield f'<a href="{large}"><img loading="lazy" src="{little}" alt="shot {shot.shot}, {words}"></a>'
        yield f"<figcaption>{words}{'' if key else '<br>no still'}</figcaption></figure>"
    yield "</div>"


def _beside(key: str) -> str:
    return escape(key.partition("/")[2])
