"""Quality control through the driver: a figure that fails keeps a film from being delivered, and a raised bound delivers what is rendered."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from farm.cli.sessions import hand_over
from farm.film.calls import FinishCall, RenderCall
from farm.film.film_run import FilmRun
from farm.progress.console import ProgressConsole
from farm.progress.plain_console import PlainConsole
from jobs.errors import NotConformed
from jobs.ledger.ledger import figures_name
from jobs.records.quality import CheckSummary
from jobs.records.report import FilmReport
from jobs.review.figures import PieceFigures
from tests.farm.inline import InlineFleet, quiet, rendered
from tests.farm.studio import spec_of
from tests.films import Recipe


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return Recipe(frames=40, cuts=(20,)).make(tmp_path / "film.mp4")


def run(source: Path, folder: Path, fleet: InlineFleet, **fields: Any) -> FilmRun:
    return rendered(spec_of(source, folder, chunk_seconds=0.5, **fields), fleet)


def plant(film: FilmRun, chunk: int, **figures: Any) -> None:
    """Something else was measured of a chunk that is rendered."""
    (segment,) = film.names(film.chunks[chunk], film.deliverables[0].encoding).values()
    kept = film.ledger.paper(figures_name(segment), PieceFigures)
    assert kept
    film.ledger.keep_paper(figures_name(segment), kept.model_copy(update=figures), only_if_absent=False)


def test_a_figure_that_fails_keeps_the_film_back_until_its_bound_is_raised(source: Path, tmp_path: Path) -> None:
    first = run(source, tmp_path, InlineFleet(), qc={"flicker": {"fail": 2}})
    assert first.report().conforms
    delivered = tmp_path / "out/film.mkv"
    delivered.unlink()
    plant(first, 2, flicker=3.0, flicker_at=33)

    fleet = InlineFleet()
    failed = run(source, tmp_path, fleet, qc={"flicker": {"fail": 2}})
    with pytest.raises(NotConformed) as refused:
        hand_over(failed.survey.spec, failed, quiet())
    sentence = str(refused.value)
    assert "shot 2 flickers by 3.0 steps of 8 bits where the source is still (frame 33, fail: 2)" in sentence
    assert "raise qc.flicker.fail in the spec" in sentence
    assert "overrides: shots 2)" in sentence
    assert not delivered.exists()
    assert (fleet.calls(RenderCall), fleet.calls(FinishCall)) == ([], [])
    report = FilmReport.model_validate_json((tmp_path / "out/film.report.json").read_bytes())
    assert (report.conforms, report.deliverables) == (False, ())
    found = {one.shot: one.figures["flicker"].verdict for one in report.quality.shots}
    assert found == {1: "pass", 2: "fail"}
    assert "quality control has it fail" in (tmp_path / "out/film.review/data.js").read_text()

    fleet = InlineFleet()
    raised = run(source, tmp_path, fleet, qc={"flicker": {"fail": 4}})
    said = StringIO()
    report = hand_over(raised.survey.spec, raised, ProgressConsole(console=PlainConsole(file=said)))
    assert "quality control: shot 2 flickers by 3.0 steps" in said.getvalue()
    assert raised.console.progress.quality["flicker"] == CheckSummary(warnings=1, worst=3.0)
    assert (report.conforms, delivered.exists(), fleet.calls(RenderCall)) == (True, True, [])
    assert report.quality.sentence("warn") == (
        "shot 2 flickers by 3.0 steps of 8 bits where the source is still (frame 33, warn: 0.75)"
    )


def test_a_film_that_fails_as_it_is_rendered_gets_no_name(source: Path, tmp_path: Path) -> None:
    dark = {"cdl": {"slope": [0, 0, 0]}}  # every picture becomes black
    failed = run(source, tmp_path, InlineFleet(), look={"name": "test-negative"}, grade=dark, qc={"black": {"fail": 3}})
    assert failed.finishing.held_back
    assert [one.shot for one, _ in failed.finishing.quality.judged("fail")] == [1, 2]  # type: ignore[union-attr]
    assert not (tmp_path / "out/film.mkv").exists()
