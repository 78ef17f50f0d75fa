"""Bad pictures: a chunk that goes wrong every time is set aside, the rest is made, and the spec says what becomes of the film."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from prometheus_client import generate_latest

from actors.verify.compare import compare
from farm.film.calls import RenderCall
from farm.film.film_run import FilmRun
from farm.film.report import file_reports
from farm.film.review.publisher import published
from farm.fleet.calls import ONCE, RetryPolicy
from farm.fleet.fleet import Fleet
from farm.ops.status import statuses
from farm.progress.console import ProgressConsole
from farm.progress.lease_control import lease_on_job
from farm.progress.metrics import FilmMetrics
from farm.progress.metrics_server import MetricsServer
from farm.progress.progress import Progress
from jobs.errors import BadMedia, FilmFailed
from jobs.ledger.ledger import Ledger
from jobs.ledger.quarantine import lift, reports
from jobs.output.ownership import FOLDER
from jobs.spec.job import JobSpec, LookChoice
from jobs.store import open_store
from tests.farm.film.review.test_page import review_data
from tests.farm.inline import InlineFleet, rendered, shot_list
from tests.farm.shell import farm
from tests.farm.studio import Studio, same, spec_of
from tests.films import Recipe, serial

CUTS = (0, 16, 32, 48)
BAD = {"frames": [16, 32]}
"""The film's second shot."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=64, cuts=CUTS[1:], sound="aac").make(tmp_path_factory.mktemp("film") / "film.mp4")


def poisoned(film: Path, folder: Path, how: str = "nan", **fields: Any) -> JobSpec:
    """Four shots of 16 frames; the second in a look that goes wrong in this way."""
    folder.mkdir(exist_ok=True)
    cuts = {"file": str(shot_list(folder / "cuts.csv", *CUTS, frames=64))}
    look = {"name": "test-broken", "settings": {"how": how}}
    fields.setdefault("overrides", [{**BAD, "look": look}])
    return spec_of(film, folder, look={"name": "test-negative"}, shots=cuts, **fields)


def inline(attempts: int = 2) -> InlineFleet:
    return InlineFleet(budget=RetryPolicy(attempts=attempts))


def equal_frames(one: Path, other: Path) -> list[bool]:
    return [mine == theirs for mine, theirs in zip(serial(one), serial(other), strict=True)]


# what becomes of the film


@pytest.mark.parametrize(("on_error", "verdict"), [("fail", "failed"), ("hold", "is held")])
def test_the_rest_is_made_and_kept_and_one_sentence_says_what_to_do(
    film: Path, tmp_path: Path, on_error: str, verdict: str
) -> None:
    made = rendered(poisoned(film, tmp_path, on_error=on_error), inline())
    says = (
        rf"^The film {verdict}: chunk 2 \(frames 16 to 31, shot 2\), set aside after 2 errors: ChunkFailed: the look gave a "
        r"picture with values that are no numbers .*`farm retry .*/store --job film`, and run the job again; or set on_error: passthrough"
    )
    with pytest.raises(FilmFailed, match=says):
        made.report()
    assert made.console.progress.chunks_rendered == 3
    assert not list((tmp_path / "out").rglob("film.mkv"))
    (report,) = reports(made.ledger)
    assert (report.chunk, report.shot, report.frames, report.attempts, report.losses) == (2, 2, (16, 32), 2, 0)
    (told,) = statuses(f"{tmp_path}/store", None)
    assert (told.state, told.chunks_done, told.chunks_quarantined) == ("interrupted", 3, 1)
    fleet = inline()
    with pytest.raises(FilmFailed, match=says):
        rendered(poisoned(film, tmp_path, on_error=on_error), fleet).report()
    assert fleet.verbs()["render"] == 0, "what is set aside is not tried again unasked"
    assert bool(list(open_store(f"{tmp_path}/out").list(FOLDER))) == (on_error == "hold")
    if on_error == "fail":
        other = made.survey.spec.model_copy(update={"name": "other", "look": LookChoice(name="none"), "overrides": ()})
        assert rendered(other, inline()).report().conforms, "another job has its names"


def test_with_passthrough_the_sources_own_frames_are_there_and_flagged(film: Path, tmp_path: Path) -> None:
    spec = poisoned(film, tmp_path, on_error="passthrough", deliverables=[{"name": "film", "codec": "ffv1"}])
    progress = Progress(spec.name)
    made = rendered(spec, inline(), ProgressConsole(progress))
    report = made.report()
    assert (report.conforms, report.frames, [one.chunk for one in report.quarantined]) == (True, 64, [2])
    out = tmp_path / "out/film.mkv"
    assert equal_frames(out, film) == [frame in range(16, 32) for frame in range(64)]
    found = compare(str(film), str(out))
    assert (found.times_differ_at, found.sound_packets > 0) == (None, True)
    shown = generate_latest(MetricsServer(FilmMetrics(progress)).registry).decode()
    assert 'film_farm_quarantined_chunks{job="film"} 1.0' in shown
    assert 'film_farm_stand_in_frames{job="film"} 16.0' in shown
    flagged_everywhere(made)
    (told,) = statuses(spec.store, None)
    assert (told.chunks_done, told.chunks_quarantined) == (4, 1)


def flagged_everywhere(made: FilmRun) -> None:
    output = open_store(made.survey.spec.output)
    file_reports(made, output)
    (flag,) = json.loads(output.read("film.mkv.conform.json"))["stand_ins"]
    assert flag == {"chunk": 2, "shot": 2, "frames": [16, 32], "by": "source"}
    published(made, made.report(), output)
    data = review_data(Path(made.survey.spec.output) / "film.review")
    assert "set aside, and not the look: 1 chunk" in data.said
    assert [one.progress for one in data.shots].count("aside") == 1
    assert "the source's own frames" in [look.title for one in data.shots for look in one.looks]
    assert "set aside after" in "".join(words for one in data.shots for words in one.warnings)


def test_retry_brings_back_the_chunks_own_work_and_the_film_is_stitched_anew(film: Path, tmp_path: Path) -> None:
    marker = tmp_path / "mended"
    look = {"name": "test-poison", "settings": {"frames": 16, "mended": str(marker)}}
    overrides = [{**BAD, "look": look}]
    spec = poisoned(film, tmp_path, overrides=overrides, on_error="passthrough")
    assert len(rendered(spec, inline()).report().quarantined) == 1
    first = serial(tmp_path / "out/film.mkv")
    marker.touch()
    again = rendered(spec, inline()).report()
    assert (len(again.quarantined), again.chunks_rendered) == (1, 0), "nobody asked for it"
    ledger = Ledger.at(spec.store, "film")
    with lease_on_job(ledger):
        held = farm("retry", spec.store, "--job", "film")
    assert (held.code, "The job 'film' in " in held.sentence, "is being rendered by " in held.sentence) == (
        2,
        True,
        True,
    )
    other = farm("retry", spec.store, "--job", "film", "--chunk", 3)
    assert (other.code, other.sentence.split(";")[0]) == (2, "No chunk 3 of the job 'film' is set aside")
    said = farm("retry", spec.store, "--job", "film", "--chunk", 2)
    assert (said.code, "To be made again: chunk 2 (frames 16 to 31, shot 2)" in said.err) == (0, True)
    report = rendered(spec, inline()).report()
    assert (report.quarantined, report.chunks_rendered, report.conforms) == ((), 1, True)
    last = serial(tmp_path / "out/film.mkv")
    assert [one == other for one, other in zip(first, last, strict=True)] == [n not in range(16, 32) for n in range(64)]
    nothing = farm("retry", spec.store, "--job", "film")
    assert (nothing.code, nothing.sentence) == (
        2,
        "No chunk of the job 'film' is set aside; the review page and report.json name those that are.",
    )


def test_one_spec_after_another_changes_what_becomes_of_it(film: Path, tmp_path: Path) -> None:
    with pytest.raises(FilmFailed, match="failed"):
        rendered(poisoned(film, tmp_path), inline()).report()
    passed = rendered(poisoned(film, tmp_path, on_error="passthrough"), inline()).report()
    assert (passed.chunks_rendered, passed.conforms) == (1, True), "the stand-in alone"
    other = [{**BAD, "look": {"name": "none"}}]
    mended = rendered(poisoned(film, tmp_path, overrides=other), inline()).report()
    assert (mended.quarantined, mended.conforms) == ((), True), "another look is another matter"
    same_frames = equal_frames(tmp_path / "out/film.mkv", film)
    assert same_frames == [frame in range(16, 32) for frame in range(64)]


@pytest.mark.parametrize("on_error", ["fail", "passthrough"])
def test_a_look_that_never_works_ends_the_film_soon(film: Path, tmp_path: Path, on_error: str) -> None:
    look = {"name": "test-broken", "settings": {"how": "raise"}}
    fleet = inline()
    cuts = {"file": str(shot_list(tmp_path / "cuts.csv", *range(0, 64, 4), frames=64))}
    spec = spec_of(film, tmp_path, look=look, shots=cuts, on_error=on_error, chunk_seconds=0.2)
    with pytest.raises(FilmFailed, match=r"^3 chunks set aside and none could be made.*the network fell over"):
        rendered(spec, fleet)


def test_in_a_batch_the_one_that_is_bad_is_found(film: Path, tmp_path: Path) -> None:
    look = {"name": "test-poison", "settings": {"frames": 4}}
    cuts = {"file": str(shot_list(tmp_path / "cuts.csv", 0, 10, 14, 30, frames=64))}
    spec = spec_of(film, tmp_path, look=look, shots=cuts, on_error="passthrough", chunk_seconds=8)
    fleet = inline()
    report = rendered(spec, fleet).report()
    assert [(one.chunk, one.frames, one.attempts) for one in report.quarantined] == [(2, (10, 14), 2)]
    together = [call for call in fleet.calls(RenderCall) if len(call.orders) > 1]
    assert [call.budget for call in together] == [ONCE], "what it costs to find it"
    assert (report.chunks, report.chunks_rendered, report.conforms) == (4, 4, True)
    assert fleet.expected == {"renderer": (0, True), "surveyor": (0, True), "splitter": (0, True)}


def test_nothing_is_dissolved_with_a_stand_in(film: Path, tmp_path: Path) -> None:
    look = {"name": "test-calm", "settings": {"warmup": 0, "dissolve": 2, "bad": 15}}
    cuts = {"file": str(shot_list(tmp_path / "cuts.csv", 0, frames=64))}
    spec = spec_of(film, tmp_path, look=look, shots=cuts, on_error="passthrough", chunk_seconds=0.8)
    fleet = inline()
    made = rendered(spec, fleet)
    report = made.report()
    assert (report.conforms, fleet.expected["renderer"]) == (True, (0, True))
    assert [chunk.core for chunk in made.chunks] == [(0, 19), (19, 38), (38, 51), (51, 64)]
    assert [chunk.dissolve for chunk in made.chunks] == [0, 2, 0, 0]
    assert [one.frames for one in report.quarantined] == [(38, 51)]
    calm = {"name": "test-calm", "settings": {"warmup": 0, "dissolve": 2}}
    rendered(spec_of(film, tmp_path / "calm", look=calm, shots=cuts, chunk_seconds=0.8))
    alike = equal_frames(tmp_path / "out/film.mkv", tmp_path / "calm/out/film.mkv")
    assert alike == [frame not in range(38, 51) for frame in range(64)], (
        "a memory that is none: no seam changes anything"
    )
    (lifted,) = lift(made.ledger, 3)
    assert (lifted.chunk, lift(made.ledger, None)) == (3, [])


# sources


def damaged(path: Path, packets: range) -> Path:
    """A film whose packets of these numbers are noise: every frame that they hold is lost."""
    Recipe(frames=64, gop=8, b_frames=0, codec="mpeg4", sound="aac").make(path)
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as media:
        found = [one for one in media.demux(video=0) if one.size]
        for number in packets:
            at, size = found[number].pos, found[number].size
            assert at is not None
            data[at : at + size] = b"\xff" * size
    path.write_bytes(data)
    return path


def test_damage_is_refused_by_fail_before_any_work_and_mended_by_passthrough(tmp_path: Path) -> None:
    source = damaged(tmp_path / "film.mp4", range(24, 32))
    spec = spec_of(source, tmp_path, chunk_seconds=0.7)
    with pytest.raises(BadMedia, match=r"is damaged: frame \d+ cannot be decoded"):
        rendered(spec, inline())
    report = rendered(spec_of(source, tmp_path, chunk_seconds=0.7, on_error="passthrough"), inline()).report()
    assert (report.conforms, report.frames) == (True, 64)
    flagged = [frame for one in report.quarantined for frame in range(*one.frames)]
    assert flagged
    assert set(range(24, 32)) <= set(flagged)
    assert "cannot be decoded" in report.quarantined[0].error
    whole = Recipe(frames=64, gop=8, b_frames=0, codec="mpeg4", sound="aac").make(tmp_path / "whole.mp4")
    alike = equal_frames(tmp_path / "out/film.mkv", whole)
    assert [frame for frame in range(64) if not alike[frame]] == list(range(24, 32)), "the last good one is held"


# on a real Ray


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with Fleet("local", workers=2, budget=RetryPolicy(losses=2)) as fleet:
        yield Studio(fleet)


@pytest.mark.minutes
def test_a_chunk_that_kills_its_process_every_time(studio: Studio, film: Path, tmp_path: Path) -> None:
    """With `fail` the rest is kept; with `passthrough`, afterwards, the film is there."""
    made = studio.render(poisoned(film, tmp_path, how="die", workers={"count": 2}))
    assert made.console.progress.chunks_rendered == 3
    assert made.console.progress.lost_workers == 3, "once in a batch with its neighbours, then its budget alone"
    with pytest.raises(FilmFailed, match=r"^The film failed: chunk 2 .*set aside after 2 lost workers: ActorDiedError"):
        made.report()
    fleet = inline()
    report = rendered(poisoned(film, tmp_path, how="die", on_error="passthrough"), fleet).report()
    assert (report.conforms, report.frames, report.chunks_rendered) == (True, 64, 1)
    (flag,) = report.quarantined
    assert (flag.chunk, flag.attempts, flag.losses) == (2, 0, 2)
    assert equal_frames(tmp_path / "out/film.mkv", film) == [frame in range(16, 32) for frame in range(64)]


@pytest.mark.minutes
def test_a_renderer_that_hangs_is_replaced(studio: Studio, film: Path, tmp_path: Path) -> None:
    look = {"name": "test-poison", "settings": {"frames": 16, "hang": str(tmp_path / "hung")}}
    workers = {"count": 1, "hung_seconds": 2, "boot_seconds": 60}
    spec = poisoned(film, tmp_path, overrides=[{**BAD, "look": look}], workers=workers)
    report = studio.render(spec).report()
    assert (report.conforms, report.quarantined, report.retries) == (True, (), 1)
    assert (tmp_path / "hung").exists(), "it hung, for good"
    alone = poisoned(film, tmp_path / "alone", overrides=[{**BAD, "look": {**look, "settings": {"frames": 0}}}])
    rendered(alone)
    same(tmp_path / "out/film.mkv", tmp_path / "alone/out/film.mkv")


def test_the_ledger_of_a_job_holds_what_was_set_aside(film: Path, tmp_path: Path) -> None:
    rendered(poisoned(film, tmp_path), inline())
    assert [one.chunk for one in reports(Ledger.at(f"{tmp_path}/store", "film"))] == [2]
