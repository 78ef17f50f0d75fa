"""Chapters: through every container at their own times, and what mp4 and mov add to them is said before."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from jobs.spec.codecs import Container
from jobs.spec.formats import Deliverable
from tests.actors.reels import reel
from tests.films import Recipe

Spans = list[tuple[int, int, str]]

UNTITLED: Spans = [(0, 200, "a"), (200, 400, ""), (400, 500, "c")]
LATE: Spans = [(300, 400, ""), (400, 500, "b")]


def with_chapters(folder: Path, spans: Spans) -> Path:
    """A film of half a second with chapters: start and end in milliseconds, and title."""
    picture = Recipe(frames=12, size=(64, 48), rate=Fraction(24)).make(folder / "plain.mkv")
    with av.open(str(picture)) as media, av.open(str(folder / "a.mkv"), "w") as out:
        copy = out.add_stream_from_template(media.streams.video[0], opaque=True)
        tick = Fraction(1, 1000)
        out.set_chapters(
            [
                {"id": n, "start": a, "end": b, "time_base": tick, "metadata": {"title": title} if title else {}}
                for n, (a, b, title) in enumerate(spans, 1)
            ]
        )
        for packet in media.demux(video=0):
            if packet.size:
                packet.stream = copy
                out.mux_one(packet)
    return folder / "a.mkv"


@pytest.mark.parametrize(
    ("container", "spans", "found", "said"),
    [
        ("mkv", UNTITLED, [(0, "a"), (200, ""), (400, "c")], "3 of them"),
        ("mp4", UNTITLED, [(0, "a"), (200, "Chapter 2"), (400, "c")], "without a title are given their number"),
        ("mov", UNTITLED, [(0, "a"), (200, "Chapter 2"), (400, "c")], "without a title are given their number"),
        ("mkv", LATE, [(300, ""), (400, "b")], "2 of them"),
        ("mp4", LATE, [(0, "Opening"), (300, "Chapter 1"), (400, "b")], "'Opening' is put before it"),
        ("mov", LATE, [(0, "Opening"), (300, "Chapter 1"), (400, "b")], "'Opening' is put before it"),
        ("mp4", [(0, 9, "a"), (0, 9, "b")], [(0, "a")], "begin together mp4 holds the first"),
    ],
)
def test_chapters_keep_their_times_and_titles(
    tmp_path: Path, container: str, spans: Spans, found: list[tuple[int, str]], said: str
) -> None:
    one = Deliverable(container=Container(container), preset="ultrafast", crf=30)
    made = reel(with_chapters(tmp_path, spans), tmp_path, one)
    assert said in made.plan.fates[-1].detail
    assert made.inspect(made.stitch()).findings == ()
    with av.open(str(made.path)) as media:
        shown = [(one["start"] * (one["time_base"] or 0), one["metadata"].get("title", "")) for one in media.chapters()]
    assert shown == [(Fraction(start, 1000), title) for start, title in found]
