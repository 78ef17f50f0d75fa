"""The assembly's pages: in film order, not too many, with an end; those of an earlier run are swept."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from jobs.document import read_document
from jobs.ledger.finished_prefix import PAGE_SECONDS, FinishedPrefix, PrefixPage, page_name
from jobs.ledger.ledger import Ledger


def pages(ledger: Ledger, run: str) -> Iterator[PrefixPage]:
    for number in count():
        data = ledger.read(page_name(run, number))
        if data is None:
            return
        page = read_document(PrefixPage, data)
        assert page
        yield page


def test_pages_hold_what_is_finished_once_and_in_order(tmp_path: Path) -> None:
    ledger, now = Ledger.at(str(tmp_path), "job"), [0.0]
    assembly = FinishedPrefix(ledger, lambda: now[0])
    # The first is written at once, so that whoever waits knows that the run lives.
    assembly.turn(whole=False)
    assembly.add({"ffv1": ["a", "b"], "h264": ["x"]})
    assembly.turn(whole=False)
    assert [one.segments for one in pages(ledger, assembly.run)] == [{}]
    now[0] += PAGE_SECONDS
    assembly.add({"ffv1": ["c"], "h264": ["y"]})
    assembly.turn(whole=False)
    now[0] += PAGE_SECONDS
    # Nothing new is not worth a page, and the end is not kept waiting.
    assembly.turn(whole=False)
    assembly.add({"ffv1": ["d"], "h264": ["z"]})
    assembly.turn(whole=False)
    assembly.add({"ffv1": ["e"], "h264": ["w"]})
    assert not assembly.whole
    assembly.turn(whole=True)
    assembly.turn(whole=True)
    assert assembly.whole
    assert [(one.segments, one.last) for one in pages(ledger, assembly.run)] == [
        ({}, False),
        ({"ffv1": ("a", "b", "c"), "h264": ("x", "y")}, False),
        ({"ffv1": ("d",), "h264": ("z",)}, False),
        ({"ffv1": ("e",), "h264": ("w",)}, True),
    ]


def test_a_run_sweeps_the_pages_of_the_one_before(tmp_path: Path) -> None:
    ledger = Ledger.at(str(tmp_path), "job")
    before, now = FinishedPrefix(ledger), FinishedPrefix(ledger)
    before.turn(whole=False)
    assert list(ledger.names("")) == [page_name(before.run, 0)]
    now.add({"ffv1": ["a"]})
    now.turn(whole=True)
    assert list(ledger.names("")) == [page_name(now.run, 0)]
    assert list(pages(ledger, now.run)) == [PrefixPage(segments={"ffv1": ("a",)}, last=True)]
