"""How fast the stitcher joins segments, alone. Promises real pictures and sound, and a film of thousands of frames, its few segments read again and again; renders nothing."""

from itertools import islice
from pathlib import Path

import av

from actors.stitch import Stitcher
from actors.streams import plan_deliverables
from actors.survey import Surveyor
from jobs.deliverables import DeliverableFacts
from jobs.formats import Codec, Deliverable
from jobs.index import FrameIndex
from jobs.ledger import Ledger
from jobs.plan import Range
from jobs.records import Encoding, SegmentRecord
from jobs.spec import JobSpec
from jobs.timing import timing_for
from tests.actors.reels import keep_segment
from tests.bench.apart import Clock, Found

SEGMENT = 48
"""Frames of a segment."""
DIFFERENT = 4
"""Segments that are really encoded; the film is made of these, over and over."""


def stitch(clock: Clock, clip: str, folder: str, codec: str) -> Found:
    """Stitch the whole clip from finished segments, its sound with it; only that is on the clock."""
    spec = JobSpec(
        name="film",
        source=clip,
        store=f"{folder}/store",
        output=f"{folder}/out",
        deliverables=(Deliverable(codec=Codec(codec)),),
    )
    surveyor = Surveyor(clip)
    film = surveyor.film()
    index = FrameIndex(list(surveyor.pages()), complete=True)
    (plan,) = plan_deliverables(film, spec, clip)
    timing = timing_for(index, film.picture, plan.container, plan.origin)
    whole = index.frames // SEGMENT * SEGMENT
    assert whole == index.frames, f"{clip} has {index.frames} frames; take a multiple of {SEGMENT}"
    encoded = _encoded(clip, Ledger.at(spec.store, spec.name), plan.encoding, Path(folder))
    records = [
        encoded[start // SEGMENT % DIFFERENT].model_copy(update={"frames": Range(start, start + SEGMENT)})
        for start in range(0, index.frames, SEGMENT)
    ]
    stitcher = Stitcher(clip, spec.store, spec.name, spec.output)
    with clock():
        *_, facts = stitcher.stitch(film, plan, timing, records)
    assert isinstance(facts, DeliverableFacts)
    return {"frames": facts.frames, "segments": len(records), "bytes": facts.bytes}


def _encoded(clip: str, ledger: Ledger, encoding: Encoding, folder: Path) -> list[SegmentRecord]:
    with av.open(clip) as media:
        frames = media.decode(video=0)
        ranges = [Range(place * SEGMENT, (place + 1) * SEGMENT) for place in range(DIFFERENT)]
        return [keep_segment(ledger, encoding, one, islice(frames, SEGMENT), folder) for one in ranges]
