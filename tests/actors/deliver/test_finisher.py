"""The finisher: begins with the finished prefix, gives a deliverable its name when it is proven, and its sum beside it."""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import pytest

from actors.deliver.finisher import Finisher
from actors.deliver.stitcher import WORD_EVERY
from jobs.ledger.finished_prefix import FinishedPrefix, name_of
from jobs.ledger.ledger import Ledger
from jobs.output.handover import UNPROVEN
from jobs.output.ownership import FOLDER, claim, claim_key, name_of_deliverable
from jobs.plan.sampling import SampledCore
from jobs.records.deliverables import DeliverableFacts
from jobs.records.orders import SegmentRecord
from jobs.records.report import Conform
from jobs.spec.codecs import Codec, Container
from jobs.spec.formats import Deliverable
from jobs.store import open_store
from tests.actors.reels import Reel, reel
from tests.films import Recipe

H264 = Deliverable(preset="ultrafast", crf=40)
FFV1 = Deliverable(codec=Codec.FFV1)


class Run:
    """One run over a reel: its records on paper, its pages written by hand."""

    def __init__(self, made: Reel, output: str = "") -> None:
        self.made = made
        self.ledger = Ledger.at(made.store, "job")
        ticks = count(step=100)
        self.assembly = FinishedPrefix(self.ledger, clock=lambda: next(ticks))
        self.output = open_store(output or str(made.output))
        self.finisher = Finisher(str(made.source), made.store, "job", self.output.url)
        self.claim()

    def claim(self) -> None:
        """Claim the deliverable's name, as the driver does before any work."""
        claim(self.ledger, self.output, [name_of_deliverable(self.made.spec, self.made.plan)], self.assembly.run)

    def files(self) -> list[str]:
        """What lies in the output, but for claims."""
        return [key for key in self.output.list("") if key != claim_key(self.made.plan.file)]

    def page(self, records: Sequence[SegmentRecord], *, whole: bool = False) -> None:
        for one in records:
            self.ledger.keep(one)
            core = SampledCore(start=one.frames.start, stop=one.frames.stop, keeps=self.made.keeps)
            self.assembly.add({name_of(self.made.plan.encoding): [one.digest]}, core)
        self.assembly.turn(whole=whole)

    def finish(self) -> Conform:
        """Finish the deliverable, all of whose pages are written."""
        *_, proof = self.begun()
        assert isinstance(proof, Conform)
        return proof

    def begun(self) -> Iterator[int | DeliverableFacts | Conform]:
        """The deliverable being finished."""
        made = self.made
        return self.finisher.finish(made.film, made.plan, made.timing, self.assembly.run, made.frames)


@pytest.mark.parametrize("container", [Container.MP4, Container.MKV])
def test_a_deliverable_begun_with_the_prefix_is_the_same(tmp_path: Path, container: Container) -> None:
    source = Recipe(frames=2 * WORD_EVERY + 100, size=(64, 48), sound="aac").make(tmp_path / "a.mp4")
    wish = H264.model_copy(update={"container": container})
    made = reel(source, tmp_path, wish, (100, WORD_EVERY + 20, 2 * WORD_EVERY))
    at_once, data = made.stitch(), made.path.read_bytes()
    made.path.unlink()
    run = Run(made)
    run.page(made.records[:2])
    finishing = run.begun()
    # The rest is not on paper yet, and this much is joined.
    assert next(finishing) == WORD_EVERY
    assert not made.path.exists()
    run.page(made.records[2:3])
    run.page(made.records[3:], whole=True)
    words = list(finishing)
    facts, proof = words[-2:]
    assert words[:-2] == [2 * WORD_EVERY, made.timing.frames]
    assert facts == at_once
    assert isinstance(proof, Conform)
    assert proof.findings == ()
    assert proof.edges == len(made.records) + 1
    assert made.path.read_bytes() == data
    assert (proof.bytes, proof.sha256) == (at_once.bytes, hashlib.sha256(data).hexdigest())


@pytest.fixture(params=["folder", "s3"])
def output(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "output") if request.param == "folder" else f"s3://{request.getfixturevalue('s3_bucket')}/out"


def test_what_is_proven_gets_its_name_and_its_sum(tmp_path: Path, output: str) -> None:
    made = reel(Recipe(frames=40, sound="aac").make(tmp_path / "a.mp4"), tmp_path, FFV1, (7, 20))
    run = Run(made, output)
    run.output.write("a.mkv.sha256", b"of another")
    run.page(made.records, whole=True)
    # A finisher that was lost at the end is followed by another.
    for _ in range(2):
        proof = run.finish()
        assert proof.conforms
        assert run.files() == ["a.mkv", "a.mkv.sha256"]
        data = run.output.read("a.mkv")
        assert (len(data), hashlib.sha256(data).hexdigest()) == (proof.bytes, proof.sha256)
        assert run.output.read("a.mkv.sha256") == f"{proof.sha256}  a.mkv\n".encode()


def test_what_does_not_conform_is_not_handed_over(tmp_path: Path, output: str) -> None:
    made = reel(Recipe(frames=40).make(tmp_path / "a.mp4"), tmp_path, FFV1, (7, 20))
    run = Run(made, output)
    run.output.write("a.mkv", b"the one before")
    run.output.write("a.mkv.sha256", b"its sum")
    run.page(made.records, whole=True)
    made.plan = made.plan.model_copy(update={"encoding": made.plan.encoding.model_copy(update={"width": 640})})
    run.assembly = FinishedPrefix(run.ledger)
    run.claim()
    run.page(made.records, whole=True)
    proof = run.finish()
    assert not proof.conforms
    assert proof.findings[0].startswith("its size is ")
    assert run.files() == ["a.mkv", "a.mkv.sha256"]
    assert (run.output.read("a.mkv"), run.output.read("a.mkv.sha256")) == (b"the one before", b"its sum")


def test_a_finisher_that_is_let_go_leaves_no_file(tmp_path: Path) -> None:
    made = reel(Recipe(frames=40).make(tmp_path / "a.mp4"), tmp_path, FFV1, (7, 20))
    run = Run(made)
    run.page(made.records, whole=True)
    finishing = run.begun()
    assert next(finishing) == 40
    assert {path.name for path in made.output.iterdir()} == {UNPROVEN, FOLDER}
    finishing.close()  # type: ignore[attr-defined]
    assert run.files() == []
    *_, facts, proof = run.begun()
    assert isinstance(facts, DeliverableFacts)
    assert isinstance(proof, Conform)
    assert proof.conforms
