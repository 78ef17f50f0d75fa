"""Propagated colour through the real driver, with real pools in this process: one film in any number of chunks, each guide made once."""

from collections.abc import Iterator
from fractions import Fraction
from io import StringIO
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from farm.film.calls import GuideCall, RenderCall
from farm.film.driver import render_film
from farm.film.film_run import FilmRun
from farm.film.propagation_run import PropagationRun
from farm.film.setup import preflight
from farm.fleet.calls import Call, RetryPolicy
from farm.progress.console import ProgressConsole
from farm.progress.plain_console import PlainConsole
from jobs.errors import BadSpec, ChunkFailed
from jobs.ledger.ledger import JobDocument
from jobs.plan.plan import Chunk
from jobs.plan.spans import Span
from jobs.records.guides import GuideRecord, guides_of
from jobs.spec.job import JobSpec
from tests.farm.inline import InlineFleet, rendered, shot_list, surveyed
from tests.farm.studio import same, spec_of
from tests.films import Recipe

FRAMES = 130


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """130 frames, 10 a second: a shot of 100, one of 30."""
    recipe = Recipe(frames=FRAMES, size=(96, 64), rate=Fraction(10), gop=25, cuts=(100,))
    return recipe.make(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"file": str(shot_list(tmp_path_factory.mktemp("cuts") / "cuts.csv", 0, 100, frames=FRAMES))}


@pytest.fixture(scope="module")
def whole(film: Path, cuts: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> FilmRun:
    """The film with a chunk for each shot."""
    return rendered(spec(film, tmp_path_factory.mktemp("whole"), cuts, 60))


def spec(film: Path, folder: Path, cuts: dict[str, str], chunk_seconds: float, **fields: object) -> JobSpec:
    look = {"name": "colorize", "settings": {"size": 128}}
    return spec_of(film, folder, shots=cuts, look=look, propagate=True, chunk_seconds=chunk_seconds, **fields)


def delivered(made: FilmRun) -> Path:
    return Path(made.survey.spec.output) / "film.mkv"


def guides(made: FilmRun) -> list[str]:
    return [name for chunk in made.chunks for name in guides_of(made.film, chunk)]


@pytest.mark.parametrize("seconds", [0.7, 3.1])
def test_any_number_of_chunks_gives_one_film(
    film: Path, cuts: dict[str, str], tmp_path: Path, whole: FilmRun, seconds: float
) -> None:
    made = rendered(spec(film, tmp_path, cuts, seconds))
    assert made.report().conforms
    assert len(made.chunks) > len(whole.chunks) == 2
    assert {*guides(made)} == {*guides(whole)}
    same(delivered(made), delivered(whole))


def test_a_listed_cut_at_which_the_picture_goes_on_changes_no_picture(
    film: Path, tmp_path: Path, whole: FilmRun
) -> None:
    listed = shot_list(tmp_path / "cuts.csv", 0, 35, 70, 100, frames=FRAMES)
    made = rendered(spec(film, tmp_path, {"file": str(listed)}, 3.1))
    assert [shot.frames.start for shot in made.survey.plan.shots] == [0, 35, 70, 100]
    assert {*guides(made)} == {*guides(whole)}
    assert made.report().conforms
    same(delivered(made), delivered(whole))


def test_the_look_is_shown_its_anchors_alone(whole: FilmRun) -> None:
    anchors = {one.frame for chunk in whole.chunks for span in _spans(chunk) for one in span.anchors}
    assert anchors == {24, 72, 115}
    assert all(chunk.read == chunk.core for chunk in whole.chunks)


def _spans(chunk: Chunk) -> tuple[Span, ...]:
    assert chunk.look.propagation
    return chunk.look.propagation.spans


def test_a_lost_propagator_changes_nothing(film: Path, cuts: dict[str, str], tmp_path: Path, whole: FilmRun) -> None:
    made = rendered(spec(film, tmp_path, cuts, 60), InlineFleet({"propagate": 1}))
    same(delivered(made), delivered(whole))


def test_only_the_guides_that_lack_are_made(film: Path, cuts: dict[str, str], tmp_path: Path) -> None:
    asked = spec(film, tmp_path, cuts, 3.1)
    first = rendered(asked)
    ledger = first.ledger
    gone = first.segments_of(first.deliverables[0])[2]
    names = [*guides_of(first.film, first.chunks[2])]
    for name in (gone.digest, names[0]):
        ledger.store.delete(ledger.key(f"records/{name}.json"))
    fleet = InlineFleet()
    again = rendered(asked, fleet)
    assert [call.order.digest(span) for call in fleet.calls(GuideCall) for span in call.order.spans] == names[:1]
    assert [call.chunks for call in fleet.calls(RenderCall)] == [(3,)]
    assert again.report().conforms


def test_a_damaged_guide_is_made_again(film: Path, cuts: dict[str, str], tmp_path: Path, whole: FilmRun) -> None:
    asked = spec(film, tmp_path, cuts, 60)
    first = rendered(asked)
    ledger, name = first.ledger, guides(first)[0]
    record = ledger.record(name)
    assert isinstance(record, GuideRecord)
    data = bytearray(ledger.read(record.media.key) or b"")
    data[len(data) // 2] ^= 1
    ledger.store.write(ledger.key(record.media.key), bytes(data))
    ledger.store.delete(ledger.key(f"records/{first.segments_of(first.deliverables[0])[0].digest}.json"))
    fleet = InlineFleet()
    made = rendered(asked, fleet)
    assert [call.order.digest(span) for call in fleet.calls(GuideCall) for span in call.order.spans] == [name]
    same(delivered(made), delivered(whole))


def test_a_span_that_cannot_be_propagated_sets_its_chunks_aside_and_no_others(
    film: Path, cuts: dict[str, str], tmp_path: Path
) -> None:
    damaged = tmp_path / "film.mp4"
    damaged.write_bytes(film.read_bytes())
    asked = spec(damaged, tmp_path, cuts, 3.1, on_error="passthrough")
    fleet = Failing(budget=RetryPolicy(attempts=2))
    made = rendered(asked, fleet)
    assert [one.chunk for one in made.report().quarantined] == [1]
    assert made.report().conforms


def test_every_chunk_that_wants_a_failed_span_is_set_aside(film: Path, cuts: dict[str, str], tmp_path: Path) -> None:
    fleet = Failing(budget=RetryPolicy(attempts=2))
    made = rendered(spec(film, tmp_path, cuts, 1.2, on_error="passthrough"), fleet)
    # The first span is of frames 0 to 23, and chunks have 12.
    assert [one.chunk for one in made.report().quarantined] == [1, 2]
    assert made.report().conforms


def test_a_chunk_planned_after_its_span_has_failed_has_it_asked_for_once_more(
    film: Path, cuts: dict[str, str], tmp_path: Path
) -> None:
    survey = surveyed(spec(film, tmp_path, cuts, 1.2))
    run = PropagationRun(survey, set())
    first, second = survey.plan.chunks[:2]
    (call,) = run.calls_for([first])
    assert isinstance(call, GuideCall)
    assert run.calls_for([second]) == []
    assert run.give_up(call) == {*guides_of(survey.film, first)}
    assert [again.order.spans for again in run.calls_for([second]) if isinstance(again, GuideCall)] == [
        call.order.spans
    ]


def test_an_anchor_in_black_takes_its_colour_from_a_frame_beside_it(tmp_path: Path) -> None:
    """The look gives chroma by luma: in black it would give all frames that of black."""
    look = {"name": "test-calm", "settings": {"warmup": 0, "dissolve": 0, "keeps_luma": True}}
    chroma = []
    for name, black in (("plain", range(0)), ("black", range(20, 30))):
        folder = tmp_path / name
        folder.mkdir()
        film = textured(folder / "film.mkv", 60, black)
        one_shot = {"file": str(shot_list(folder / "cuts.csv", 0, frames=60))}
        made = rendered(spec_of(film, folder, shots=one_shot, look=look, propagate=True, chunk_seconds=60))
        with av.open(str(delivered(made))) as container:
            pictures = [frame.to_ndarray(format="yuv444p")[1:] for frame in container.decode(video=0)]
        chroma.append(np.stack(pictures).astype(np.int32))
    (anchor,) = {one.frame for span in _spans(made.chunks[0]) for one in span.anchors}
    assert anchor == 24
    plain, black_amid = chroma
    seen = [*range(18), *range(32, 60)]
    colour = np.abs(plain[seen] - 128).mean()
    assert colour > 5
    assert np.abs(plain[seen] - black_amid[seen]).mean() < colour / 2


def textured(path: Path, frames: int, black: range) -> Path:
    """A picture that stands still, 10 a second, and is black for some frames."""
    picture = cv2.GaussianBlur(np.random.default_rng(1).random((64, 96)), (0, 0), 3)
    picture = 16 + 219 * (picture - picture.min()) / np.ptp(picture)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "gray"
        for number in range(frames):
            luma = np.full((64, 96), 16) if number in black else picture
            container.mux(stream.encode(av.VideoFrame.from_ndarray(luma.astype(np.uint8), format="gray")))
        container.mux(stream.encode())
    return path


class Failing(InlineFleet):
    """The first span of the film cannot be propagated."""

    def _made_by(self, call: Call) -> Iterator[Any]:
        if isinstance(call, GuideCall) and call.order.spans[0].frames.start == 0:
            raise RuntimeError("no colour here")
        return super()._made_by(call)


@pytest.mark.parametrize(("how", "why"), [("nan", "NaN"), ("many", "one picture for one frame")])
def test_an_anchor_that_is_no_picture_is_refused(film: Path, tmp_path: Path, how: str, why: str) -> None:
    look = {"name": "test-broken", "settings": {"how": how}}
    with pytest.raises(ChunkFailed, match=why):
        rendered(spec_of(film, tmp_path, look=look, propagate=True))


def test_a_look_that_makes_a_whole_new_picture_is_not_propagated(film: Path, tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match="does not keep it; choose one that does"):
        preflight(spec_of(film, tmp_path, look={"name": "none"}, propagate=True))


def test_a_colouriser_is_propagated_unless_the_spec_says_otherwise(film: Path, tmp_path: Path) -> None:
    def propagated(**fields: object) -> set[str]:
        looks = preflight(spec_of(film, tmp_path, **fields)).looks.values()
        return {look.title for look in looks if look.propagates}

    colorize, luma = {"name": "colorize"}, {"name": "test-broken"}
    assert propagated(look=colorize) == {"colorize"}
    assert propagated(look=luma, overrides=[{"shots": "2", "look": colorize}]) == {"colorize"}
    assert propagated(look=luma, propagate=True) == {"test-broken"}
    assert propagated(look=colorize, propagate=False) == set()
    assert propagated(look={"name": "style"}) == set()


def test_a_job_begun_with_every_frame_coloured_goes_on_so_and_says_it(
    film: Path, cuts: dict[str, str], tmp_path: Path
) -> None:
    job = spec(film, tmp_path, cuts, 60).model_copy(update={"propagate": None})
    first = rendered(job)
    assert not first.chunks[0].spans
    began = JobDocument.of(job).model_copy(update={"propagates": False})  # so it reads where it was written without
    first.ledger.keep_paper("job.json", began, only_if_absent=False)
    said, fleet = StringIO(), InlineFleet()
    console = ProgressConsole(console=PlainConsole(file=said, width=1000))
    again = render_film(preflight(job), fleet=fleet, console=console)  # type: ignore[arg-type]
    assert not fleet.calls(RenderCall)
    assert again.report().conforms
    assert "goes on so; to have colour propagated" in said.getvalue()
    assert all(look.propagates for look in preflight(job.model_copy(update={"propagate": True})).looks.values())
