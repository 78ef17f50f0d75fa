"""What a film will take, told from its plan alone."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from actors.mux.stream_plan import plan_deliverables
from farm.estimate.estimate import Estimate, estimate, show
from farm.fleet.calls import Cluster
from jobs.errors import BadSpec
from tests.farm.inline import shot_list, surveyed
from tests.farm.studio import spec_of
from tests.films import Recipe

RATE = Fraction(10)
HERE = Cluster(local=True, cpus=2.0, gpus=0.0)
WHOLE = {"detect": "adaptive", "threshold": 1000}


def made(folder: Path, **fields: Any) -> Path:
    recipe: dict[str, Any] = {"frames": 60, "size": (96, 64), "rate": RATE, "gop": 10, "b_frames": 0}
    return Recipe(**{**recipe, **fields}).make(folder / "film.mp4")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 frames, a keyframe every 10, none shown out of order: what is decoded in vain can be counted by hand."""
    return made(tmp_path_factory.mktemp("film"))


@pytest.fixture(scope="module")
def one_keyframe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("film"), gop=600)


def window(radius: int) -> dict[str, Any]:
    return {"name": "test-window", "settings": {"radius": radius, "declared": radius}}


def of(film: Path, folder: Path, **fields: Any) -> Estimate:
    spec = spec_of(film, folder, **{"shots": WHOLE, "chunk_seconds": 1, **fields})
    survey = surveyed(spec)
    return estimate(survey, plan_deliverables(survey.film, spec, spec.source), HERE)


def test_a_film_cut_at_its_keyframes_costs_nothing_extra(film: Path, tmp_path: Path) -> None:
    found = of(film, tmp_path)
    assert (found.name, found.source) == ("film", str(film))
    assert (found.frames, found.shots, found.chunks, found.seams) == (60, 1, 6, 5)
    assert (found.extra_frames, found.extra_frames_percent) == (0, 0)
    assert (found.lead_in_frames, found.lead_in_percent, found.lossless_chunks) == (0, 0, 0)
    # All of its packets and no more: the file has little beside them.
    assert film.stat().st_size * 0.8 < found.chunk_bytes < film.stat().st_size
    assert found.shot_list == ((1, 0, 60, "none"),)


def test_handles_are_counted_and_so_is_what_comes_before_them(film: Path, tmp_path: Path) -> None:
    found = of(film, tmp_path, look=window(2))
    # Five seams, two frames on either side; the two ahead of a core lie eight frames behind their keyframe.
    assert (found.extra_frames, found.extra_frames_percent) == (20, 33.333)
    assert (found.lead_in_frames, found.lead_in_percent) == (40, 66.667)
    assert found.looks == ("test-window",)
    plain = of(film, tmp_path / "plain")
    assert found.chunk_bytes > plain.chunk_bytes
    assert found.worker_seconds > plain.worker_seconds


def test_one_decoding_serves_all_chunks_of_a_keyframe(one_keyframe: Path, tmp_path: Path) -> None:
    found = of(one_keyframe, tmp_path, chunk_seconds=1.5)
    # Chunks of 15: the second has as much lead-in as frames and is copied; the third and the fourth are decoded together.
    assert (found.chunks, found.lossless_chunks) == (4, 2)
    assert found.lead_in_frames == 15 + 30


def test_frames_that_two_lossless_chunks_share_are_wanted_once(one_keyframe: Path, tmp_path: Path) -> None:
    found = of(one_keyframe, tmp_path, look=window(5))
    # The second and third read from frames 5 and 15; the others are decoded together, and their handles begin at 25.
    assert (found.chunks, found.lossless_chunks) == (6, 3)
    assert found.lead_in_frames == 5 + 15 + 25


def test_cuts_cost_nothing(film: Path, tmp_path: Path) -> None:
    listed = shot_list(tmp_path / "cuts.csv", 0, 10, 20, 30, 40, 50, frames=60)
    found = of(film, tmp_path, look=window(5), shots={"file": str(listed)})
    assert (found.shots, found.chunks, found.seams, found.extra_frames, found.lead_in_frames) == (6, 6, 0, 0, 0)


def test_looks_and_shots_are_listed_in_the_films_order(film: Path, tmp_path: Path) -> None:
    listed = shot_list(tmp_path / "cuts.csv", 0, 20, 40, frames=60)
    overrides = [{"shots": "2", "look": {"name": "test-negative"}}, {"frames": [50, 55], "look": window(1)}]
    found = of(film, tmp_path, shots={"file": str(listed)}, overrides=overrides)
    assert found.looks == ("none", "test-negative", "test-window")
    assert found.shot_list == (
        (1, 0, 20, "none"),
        (2, 20, 40, "test-negative"),
        (3, 40, 50, "none"),
        (3, 50, 55, "test-window"),
        (3, 55, 60, "none"),
    )
    assert found.shots == 3


def test_frames_have_time_codes_or_else_times(film: Path, tmp_path: Path) -> None:
    coded = Recipe(frames=40, cuts=(30,), rate=Fraction(24000, 1001)).make(tmp_path / "coded.mp4")
    frames = ["00:00:00:20", "00:00:01.3"]
    found = of(coded, tmp_path / "a", shots={"detect": "adaptive"}, overrides=[{"frames": frames, "look": window(1)}])
    assert found.shot_list == (
        (1, 0, 20, "none"),
        (1, 20, 30, "test-window"),
        (2, 30, 31, "test-window"),
        (2, 31, 40, "none"),
    )
    assert found.shot_names == (
        ("00:00:00:00", "00:00:00:20"),
        ("00:00:00:20", "00:00:01:06"),
        ("00:00:01:06", "00:00:01:07"),
        ("00:00:01:07", "00:00:01:16"),
    )
    # There is no time code at 10 frames a second.
    assert of(film, tmp_path / "b").shot_names == (("00:00:00.000", "00:00:06.000"),)
    with pytest.raises(
        BadSpec, match=r"override 1, frames = \['00:00:01:00', 20\]: .* no time code, for its rate is 10;"
    ):
        of(film, tmp_path / "c", overrides=[{"frames": ["00:00:01:00", 20], "look": window(1)}])


def test_it_says_what_each_deliverable_will_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = Recipe(frames=20, size=(256, 144), sound="aac").make(tmp_path / "film.mp4")
    wishes = [{"name": "a", "codec": "prores", "profile": "lt"}, {"name": "b", "codec": "h264", "height": 72}]
    found = of(source, tmp_path, deliverables=[*wishes, {"name": "c", "codec": "ffv1"}], drop=["audio"])
    one, two, three = found.deliverables
    assert (one.file, one.container, one.codec, one.profile, one.pix_fmt) == (
        "a.mov",
        "mov",
        "prores",
        "lt",
        "yuv422p10le",
    )
    assert (two.file, two.profile, two.width, two.height) == ("b.mp4", None, 128, 72)
    assert any("256x144" in words for words in two.converted)
    assert (three.converted, three.pix_fmt) == ((), "yuv420p")
    assert [len(each.dropped) for each in found.deliverables] == [1, 1, 1]
    assert one.dropped[0].startswith("stream 1 (audio aac): ")
    assert "constant 24000/1001 frames a second" in one.timing
    show(found)
    said = capsys.readouterr().err
    assert "deliverables" in said
    assert all(one.file in said for one in found.deliverables)


def test_time_grows_with_frames_pixels_and_deliverables(tmp_path: Path) -> None:
    def seconds(place: str, **fields: Any) -> float:
        recipe = {"frames": 20, **fields.pop("recipe", {})}
        (tmp_path / place).mkdir()
        return of(made(tmp_path / place, **recipe), tmp_path / place, **fields).worker_seconds

    look = {"name": "colorize"}
    base, large = seconds("base", look=look), seconds("large", recipe={"size": (640, 480)}, look=look)
    assert seconds("none") < base < large
    assert seconds("longer", recipe={"frames": 40}, look=look) > 1.5 * base
    both = [{"name": "a", "codec": "ffv1"}, {"name": "b"}]
    assert seconds("both", recipe={"size": (640, 480)}, look=look, deliverables=both) > large


def test_the_estimate_renders_nothing(film: Path, tmp_path: Path) -> None:
    of(film, tmp_path)
    assert {path.name for path in (tmp_path / "store" / "film").iterdir()} == {
        "job.json",
        "spec.json",
        "specs",
        "survey",
    }


def test_people_read_it_on_standard_error(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show(of(film, tmp_path, look=window(2)))
    said = capsys.readouterr()
    assert said.out == ""
    assert "20 (33.33 %)" in said.err
    assert "test-window" in said.err
