"""How fast the stitcher joins segments, alone. Promises real pictures and sound, and a film of thousands of frames, its few segments read again and again; renders nothing."""

from itertools import islice
from pathlib import Path
from typing import NamedTuple

import av

from actors.deliver.stitcher import Stitcher
from actors.mux.stream_plan import plan_deliverables
from actors.survey.surveyor import Surveyor
from jobs.film.frame_index import FrameIndex
from jobs.film.source import Film
from jobs.ledger.ledger import Ledger
from jobs.plan.output_timing import Timing, timing_for
from jobs.plan.plan import Range
from jobs.plan.sampling import SourceFrames
from jobs.records.deliverables import DeliverableFacts, DeliverablePlan
from jobs.records.orders import Encoding, SegmentRecord
from jobs.spec.codecs import Codec, Container
from jobs.spec.formats import Deliverable
from jobs.spec.job import JobSpec
from tests.actors.reels import keep_segment
from tests.bench.apart import Clock, Found

SEGMENT = 48
"""Frames of a segment."""
DIFFERENT = 4
"""Segments that are really encoded; the film is made of these, over and over."""


class Segmented(NamedTuple):
    """A clip whose segments lie in a store, ready to be stitched."""

    film: Film
    plan: DeliverablePlan
    timing: Timing
    records: list[SegmentRecord]
    frames: SourceFrames


def stitch(clock: Clock, clip: str, folder: str, codec: str) -> Found:
    """Stitch the whole clip from finished segments, its sound with it; only that is on the clock."""
    where = (clip, f"{folder}/store", "film", f"{folder}/out")
    made = segmented(clip, where, folder, codec)
    with clock():
        *_, facts = Stitcher(*where).stitch(*made[:4])
    assert isinstance(facts, DeliverableFacts)
    return {"frames": facts.frames, "segments": len(made.records), "bytes": facts.bytes}


def segmented(
    clip: str, where: tuple[str, str, str, str], folder: str, codec: str, container: str = "auto"
) -> Segmented:
    """Survey a clip, and put a few segments that make it up into the store. `where`: source, store, job and output, as actors are told."""
    source, store, job, output = where
    wish = Deliverable(codec=Codec(codec), container=Container(container))
    spec = JobSpec(name=job, source=source, store=store, output=output, deliverables=(wish,))
    surveyor = Surveyor(source)
    film = surveyor.film()
    index = FrameIndex(list(surveyor.pages()), complete=True)
    (plan,) = plan_deliverables(film, spec, source)
    timing = timing_for(index, film.picture, plan.container, plan.origin)
    whole = index.frames // SEGMENT * SEGMENT
    assert whole == index.frames, f"{clip} has {index.frames} frames; take a multiple of {SEGMENT}"
    encoded = _encoded(clip, Ledger.at(store, job), plan.encoding, Path(folder))
    records = [
        encoded[start // SEGMENT % DIFFERENT].model_copy(
            update={"frames": Range(start, start + SEGMENT), "digest": f"{start:040d}"}
        )
        for start in range(0, index.frames, SEGMENT)
    ]
    return Segmented(film, plan, timing, records, SourceFrames(index.pts, index.entries()))


def _encoded(clip: str, ledger: Ledger, encoding: Encoding, folder: Path) -> list[SegmentRecord]:
    with av.open(clip) as media:
        frames = media.decode(video=0)
        ranges = [Range(place * SEGMENT, (place + 1) * SEGMENT) for place in range(DIFFERENT)]
        return [keep_segment(ledger, encoding, one, islice(frames, SEGMENT), folder) for one in ranges]
