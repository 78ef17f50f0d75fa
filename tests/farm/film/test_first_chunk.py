"""Until the first chunk of a film in S3 lies split in the store, no more is fetched of a long film than of a short one."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from actors.render.splitter import Splitter
from actors.survey.surveyor import Surveyor
from farm.film.setup import looks_of
from farm.film.survey_run import SurveyRun
from jobs.ledger.ledger import Ledger
from jobs.records.orders import split_order
from jobs.store import open_store
from jobs.store.traffic import drain
from tests.farm.studio import spec_of
from tests.films import Recipe

MIB = 1 << 20


def fetched_before_first_chunk(folder: Path, bucket: str, frames: int) -> tuple[int, int]:
    """Bytes fetched until the first chunk is split, and the film's own."""
    film = Recipe(frames=frames, size=(64, 32), codec="v210", pix_fmt="yuv422p10le", b_frames=0).make(
        folder / f"{frames}.mov"
    )
    place = f"s3://{bucket}/{frames}"
    store = open_store(place)
    store.write_file("film.mov", film)
    spec = spec_of(f"{place}/film.mov", folder / str(frames), shots={"detect": "adaptive", "threshold": 1000})
    ledger = Ledger.at(spec.store, spec.name)
    drain()
    surveyor = Surveyor(spec.source)
    survey = SurveyRun(spec, surveyor.film(), ledger, looks_of(spec))
    demux: Any
    demux, *_ = survey.survey_calls()
    searches: list[Any] = []
    for page in islice(surveyor.pages(*demux.arguments), 1):
        searches += survey.calls_after_finding(page)
    fresh: list[Any] = []
    while not fresh:
        search = searches.pop(0)
        survey.calls_after_finding(surveyor.cuts(*search.arguments))
        fresh = survey.fresh()
    order = split_order(survey.film, fresh[0], survey.span(fresh[0].read))
    assert [one.digest for one in Splitter(spec.source, spec.store, spec.name).split([order])] == [order.digest]
    return drain().bytes_read, film.stat().st_size


def test_what_is_fetched_before_the_first_chunk_does_not_grow_with_the_film(s3_bucket: str, tmp_path: Path) -> None:
    (little, short), (much, long) = (fetched_before_first_chunk(tmp_path, s3_bucket, one) for one in (700, 2000))
    # It is fetched in ranges of some MiB, of which the last is shorter in a short film; to read all of it once would be more.
    assert much - little < long - short
    assert long - short > 9 * MIB
