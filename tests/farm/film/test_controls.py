"""Controls through the real driver: they are put on propagated colour, propagate nothing again, and change their own frames alone."""

from fractions import Fraction
from pathlib import Path

import pytest

from actors.mux.stream_plan import plan_deliverables
from farm.estimate.rerender_diff import again
from farm.film.calls import GuideCall, RenderCall
from farm.film.film_run import FilmRun
from jobs.spec.job import JobSpec
from tests.farm.inline import InlineFleet, rendered, scouted
from tests.farm.studio import spec_of
from tests.films import Recipe, serial


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """36 frames, 10 a second."""
    return Recipe(frames=36, size=(96, 64), rate=Fraction(10), gop=12).make(
        tmp_path_factory.mktemp("film") / "film.mp4"
    )


def spec(film: Path, folder: Path, **fields: object) -> JobSpec:
    return spec_of(film, folder, look={"name": "colorize"}, propagate=True, chunk_seconds=1.2, **fields)


def delivered(made: FilmRun) -> Path:
    return Path(made.scout.spec.output) / "film.mkv"


def test_a_control_renders_its_own_frames_and_propagates_nothing(film: Path, tmp_path: Path) -> None:
    first = rendered(spec(film, tmp_path))
    before = serial(delivered(first))
    rest = {"saturation": 1.0, "strength": 1.0}
    turned = spec(
        film, tmp_path, controls=rest, gamut=None,
        overrides=[{"frames": [14, 22], "ramp": 1, "controls": {"saturation": 3.0, "warmth": 1.0}}],
    )  # fmt: skip
    scout = scouted(turned)
    told = again(scout, plan_deliverables(scout.film, turned, turned.source))
    assert (told.chunks, told.propagated) == (1, ())
    assert "propagated colour is there" in told.sentence
    assert told.shots[0].why == ("controls changed: range 1 at rest -> frames 14 to 21",)
    fleet = InlineFleet()
    made = rendered(turned, fleet)
    assert (fleet.calls(GuideCall), [call.chunks for call in fleet.calls(RenderCall)]) == ([], [(2,)])
    assert made.report().conforms
    after = serial(delivered(made))
    changed = [number for number, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
    assert changed == list(range(14, 22))


def test_a_report_counts_what_leaves_the_gamut_on_its_luma(film: Path, tmp_path: Path) -> None:
    made = rendered(spec_of(film, tmp_path, controls={"saturation": 3.0}, gamut="report", chunk_seconds=2)).report()
    found = made.outside_gamut["film.mkv"]
    assert (made.conforms, found.frames, found.most >= found.mean > 0) == (True, 36, True)
