"""Tests of the arithmetic, the table and the plot."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.bench.__main__ import table
from tests.bench.figures import Figures, figures_of, medians, per_seam, ratios
from tests.bench.measuring import Reading
from tests.bench.plot import plot


def run(fps: float, cpu: float, **more: object) -> Figures:
    return {"frames_per_second": fps, "cpu_seconds": cpu, "peak_mib": 100.0, **more}


def results() -> Figures:
    median = run(10.0, 5.0)
    films = {
        str(minutes): run(100.0, 5.0, peak_mib_by={"main": 50.0}, first_segment_seconds=2.0) for minutes in (1, 4, 16)
    }
    one = {"median": median, "ratio": ratios([median], [median]), "runs": [median]}
    return {
        "date": "2026-11-22",
        "machine": {"cpu": "some processor", "cores": 2},
        "contest": {"clip": {"name": "film.mp4", "frames": 48}, "bare": one, "farm": one},
        "lengths": {"minutes": films},
    }


def test_a_run_says_what_was_found_and_what_was_read() -> None:
    reading = Reading(2.0, 3.5, 3 << 20, defaultdict(float, {"a": 0.01, "b": 1.0, "main": 2.5}), Counter(main=1 << 20))
    found = figures_of(reading, {"frames": 50})
    assert (found["frames"], found["frames_per_second"], found["cpu_seconds"]) == (50, 25.0, 3.5)
    assert (found["peak_mib"], found["peak_mib_by"]) == (3.0, {"main": 1.0})
    assert list(found["cpu_seconds_by"]) == ["main", "b"]


def test_medians_are_of_numbers_alone() -> None:
    assert medians([{"a": 1, "by": {}}, {"a": 9, "by": {}}, {"a": 2, "by": {}}]) == {"a": 2}


def test_ratios_are_taken_round_by_round() -> None:
    base = [run(10, 1), run(1, 10), run(10, 1)]
    found = ratios([run(20, 2), run(2, 20), run(40, 2)], base)
    assert found == {"frames_per_second": 2.0, "cpu_seconds": 2.0, "peak_mib": 1.0}
    with pytest.raises(ValueError, match="longer"):
        ratios([run(1, 1)], base)


def test_a_seam_costs_the_difference_shared_by_all_seams() -> None:
    whole = {"cpu_seconds": 10.0, "wall_seconds": 5.0, "seams": 0, "frames": 200, "extra_frames_percent": 0.0}
    parted = {"cpu_seconds": 12.0, "wall_seconds": 6.0, "seams": 4, "frames": 200, "extra_frames_percent": 8.0}
    assert per_seam(whole, parted) == {"cpu_seconds": 0.5, "wall_seconds": 0.25, "extra_frames": 4.0}


def test_the_table_has_a_line_for_each_contender_and_length() -> None:
    lines = table(results())
    assert [line.split()[0] for line in lines] == ["frames/s", "bare", "farm", "minutes", "1", "4", "16"]
    assert lines[2].split() == ["farm", "10.0", "1.00", "5.0", "1.00", "100", "1.00"]


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    plot(results(), tmp_path / "bench.png")
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")
