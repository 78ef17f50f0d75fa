"""Hostile and merely odd texts on their way to people: shown as they are, steering nothing, and in bounds."""

from __future__ import annotations

import io
import json
import sys

import pytest

from farm.progress.plain_console import LONGEST_CELL, Column, PlainConsole, ProgressBar
from farm.progress.plain_output import answer, answer_json, answer_line, tell
from jobs.ledger.lease import LeaseDocument
from jobs.untrusted import LONGEST_SPOKEN, spoken

HOSTILE = [
    "lk[/x/p]",
    "[bold red]EUR[/bold red] :smiley:",
    "[link=file:///etc/passwd]here[/link]",
    "\x1b]0;owned\x07\x1b[2J\x1b[31m",
    "\x9b31mC1\x85\x9d",
    "a\rb\bc\vd\fe",
    "right\u202eto\u2066left\u200f",
    "half \ud800",
    "\u2028line\u2029",
]
CONTROLS = {*map(chr, range(32)), *map(chr, range(127, 160)), *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}


def steers(said: str) -> set[str]:
    """Characters that do more than be seen."""
    return set(said) & CONTROLS - {"\n"}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_console_shows_text_as_it_is(text: str) -> None:
    said = io.StringIO()
    console = PlainConsole(said, width=200)
    console.note(text)
    console.table(text, [(text, text)], [Column(text), Column(text, right=True)])
    console.table(text, [(text, text)])
    assert steers(said.getvalue()) == set()
    assert spoken(text) in said.getvalue().splitlines()[0]
    assert said.getvalue().count(spoken(text)) >= 7


@pytest.mark.parametrize("text", HOSTILE)
def test_a_terminal_gets_no_sequence_that_the_text_holds(text: str) -> None:
    """A bar is drawn with sequences of rich's own: the text between them has none."""
    said = io.StringIO()
    with ProgressBar(PlainConsole(said, terminal=True, width=400), "render") as bar:
        bar.show(text, text, done=1, total=2)
    assert spoken(text)[:8] in said.getvalue()
    assert not any(sequence in said.getvalue() for sequence in ("\x1b]", "\x1b[2J", "\x1b[31m\n", "\x9b", "\u202e"))


def test_lines_stay_lines_and_nothing_else_breaks_one() -> None:
    said = io.StringIO()
    PlainConsole(said).note("delivered a\nreport b\x0bc\u2028d")
    assert said.getvalue() == "delivered a\nreport b\\x0bc\\u2028d\n"


def test_what_is_too_long_keeps_its_beginning_and_its_end() -> None:
    text = "First" + "x" * 1_000_000 + "what to do"
    assert len(spoken(text)) == LONGEST_SPOKEN
    assert spoken(text).startswith("First")
    assert spoken(text).endswith("what to do")
    said = io.StringIO()
    PlainConsole(said, width=100).table("", [(text,)], [Column("")])
    assert len(said.getvalue()) < 3 * LONGEST_CELL


def test_the_streams_are_plain_too(capsys: pytest.CaptureFixture[str]) -> None:
    for text in HOSTILE:
        tell(text)
        answer_line(text)
    said = capsys.readouterr()
    assert said.out.splitlines() == said.err.splitlines() == [spoken(text) for text in HOSTILE]
    assert steers(said.out + said.err) == set()


def test_json_is_ascii_and_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    answer(LeaseDocument(token="", host=HOSTILE[4], pid=1, process="", began=0.0, until=0.0))
    answer_json([{"text": text} for text in HOSTILE])
    said = capsys.readouterr().out
    assert said.isascii()
    assert steers(said) == set()
    _, _, several = said.partition("}\n[")
    assert [one["text"] for one in json.loads(f"[{several}")] == HOSTILE


def test_a_terminal_of_another_encoding_gets_what_it_can_show(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding="latin-1"))
    answer_line("Bäume 木")
    assert out.getvalue() == "Bäume \\u6728\n".encode("latin-1")
