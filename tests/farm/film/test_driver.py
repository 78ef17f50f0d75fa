"""The driver, whole: real films, on real Ray where workers matter and in this process elsewhere. A film that goes in comes out, frame for frame, however it is cut, stopped or begun again."""

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import pytest

from actors.verify.compare import compare
from farm.cli.inspect import describe_film
from farm.cli.sessions import deliver
from farm.fleet.calls import RetryPolicy
from farm.fleet.fleet import Fleet
from farm.ops.status import statuses
from jobs.errors import BadLook, BadMedia, BadSpec, BadStore, FilmFailed
from jobs.records.orders import SegmentRecord
from tests.farm.inline import InlineFleet
from tests.farm.studio import Stopping, Studio, same, spec_of
from tests.films import Recipe

NTSC = Fraction(24000, 1001)


@pytest.fixture(scope="module")
def on_ray() -> Iterator[Studio]:
    with Fleet("local", workers=2) as fleet:
        yield Studio(fleet)


@pytest.fixture
def studio() -> Studio:
    return Studio(InlineFleet(budget=RetryPolicy()))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """90 frames in three shots, open GOP, B-frames, sound."""
    recipe = Recipe(frames=90, cuts=(30, 40), open_gop=True, gop=12, sound="aac")
    return recipe.make(tmp_path_factory.mktemp("film") / "film.mp4")


def window(radius: int, declared: int) -> dict[str, Any]:
    return {"name": "test-window", "settings": {"radius": radius, "declared": declared}}


RECIPES = [
    (Recipe(frames=60, open_gop=True, sound="aac"), "film.mp4"),
    (Recipe(frames=60, codec="libx265", open_gop=True, gop=10), "film.mkv"),
    (Recipe(frames=60, start=24, sound="aac"), "film.mp4"),
    (Recipe(frames=60, codec="mpeg2video", rate=Fraction(25)), "film.ts"),
    (Recipe(frames=60, hidden=7), "film.mp4"),
    (Recipe(frames=60, gop=600, sound="flac"), "film.mkv"),
    (Recipe(frames=40, pix_fmt="yuv422p10le"), "film.mkv"),
    (Recipe(frames=40, codec="ffv1", pix_fmt="gray"), "film.mkv"),
    (Recipe(frames=60, times=lambda n: n + n // 7), "film.mp4"),
]


@pytest.mark.parametrize(("recipe", "name"), RECIPES, ids=lambda one: getattr(one, "codec", one))
def test_none_gives_the_film_back_bit_for_bit(studio: Studio, tmp_path: Path, recipe: Recipe, name: str) -> None:
    source = recipe.make(tmp_path / name)
    report = studio.render(spec_of(source, tmp_path, chunk_seconds=0.7)).report()
    assert report.conforms
    assert report.seams >= 2
    assert report.frames == recipe.frames - recipe.hidden
    same(tmp_path / "out/film.mkv", source)


@pytest.mark.minutes
def test_no_decoder_runs_in_the_driver(
    on_ray: Studio, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first look at the source to the review page: whatever opens media raises here, and works in workers."""

    def refuse(*given: object, **named: object) -> None:
        raise AssertionError("the driver opens media")

    for library, name in ((av, "open"), (cv2, "imdecode"), (cv2, "imread"), (cv2, "VideoCapture")):
        monkeypatch.setattr(library, name, refuse)
    with pytest.raises(AssertionError, match="the driver opens media"):
        describe_film(str(film))  # this process would be seen
    overrides = [{"shots": "2", "look": {"name": "colorize", "settings": {"size": 128}}}]
    spec = spec_of(film, tmp_path, overrides=overrides, workers={"count": 1, "cpus": 1})
    report = deliver(spec)
    assert report is not None
    assert report.conforms
    assert (tmp_path / "out/film.review/index.html").is_file()


@pytest.mark.parametrize(
    "wish",
    [
        {"look": window(5, 5)},
        {"look": {"name": "colorize", "settings": {"size": 128}}},
        {"look": {"name": "colorize", "settings": {"size": 128}}, "propagate": False},
    ],
    ids=["window", "propagated", "steadied"],
)
def test_many_chunks_equal_one(studio: Studio, tmp_path: Path, film: Path, wish: dict[str, Any]) -> None:
    shots = {"detect": "adaptive", "threshold": 1000}
    many = studio.render(spec_of(film, tmp_path / "many", shots=shots, chunk_seconds=0.5, **wish))
    one = studio.render(spec_of(film, tmp_path / "one", shots=shots, chunk_seconds=60, **wish))
    assert (many.report().chunks, one.report().chunks) == (9, 1)
    same(tmp_path / "many/out/film.mkv", tmp_path / "one/out/film.mkv")
    against_source = compare(str(film), str(tmp_path / "many/out/film.mkv"))
    assert (against_source.luma_equal, against_source.picture_equal) == (90, 0)


def test_handles_one_frame_short_are_seen(studio: Studio, tmp_path: Path, film: Path) -> None:
    shots = {"detect": "adaptive", "threshold": 1000}
    for name, seconds in (("many", 0.5), ("one", 60)):
        studio.render(spec_of(film, tmp_path / name, look=window(5, 4), shots=shots, chunk_seconds=seconds))
    found = compare(str(tmp_path / "many/out/film.mkv"), str(tmp_path / "one/out/film.mkv"))
    assert not found.same
    assert found.luma_equal == 90


def test_a_film_that_was_stopped_goes_on_and_ends_the_same(
    on_ray: Studio, studio: Studio, tmp_path: Path, film: Path
) -> None:
    """Stopped and gone on with on Ray; it ends as one that was rendered without Ray and never stopped."""
    spec = spec_of(film, tmp_path / "stopped", look=window(3, 3), chunk_seconds=0.4)
    with pytest.raises(KeyboardInterrupt):
        Studio(Stopping(on_ray.fleet, SegmentRecord, 4)).render(spec)  # type: ignore[arg-type]
    assert not (tmp_path / "stopped/out/film.mkv").exists()
    (halfway,) = statuses(spec.store, None)
    assert halfway.state == "interrupted"
    resumed = on_ray.render(spec).report()
    # What was in flight may have been finished unseen, so it may be fewer, never more.
    assert resumed.chunks_rendered <= resumed.chunks - halfway.chunks_done <= resumed.chunks - 4
    studio.render(spec_of(film, tmp_path / "whole", look=window(3, 3), chunk_seconds=0.4))
    same(tmp_path / "stopped/out/film.mkv", tmp_path / "whole/out/film.mkv")
    again = studio.render(spec).report()
    assert (again.chunks_rendered, again.conforms) == (0, True)


def test_a_changed_shot_renders_its_own_chunks_only(studio: Studio, tmp_path: Path, film: Path) -> None:
    spec = spec_of(film, tmp_path, look=window(2, 2), chunk_seconds=0.5)
    first = studio.render(spec).report()
    assert first.shots == 3
    changed = [{"shots": "2", "look": window(1, 1)}]
    report = studio.render(spec_of(film, tmp_path, look=window(2, 2), chunk_seconds=0.5, overrides=changed)).report()
    assert report.chunks_rendered == 1
    assert studio.render(spec).report().chunks_rendered == 0


def test_an_override_of_frames_ends_at_its_edges(studio: Studio, tmp_path: Path, film: Path) -> None:
    overrides = [{"frames": [50, 70], "look": {"name": "test-negative"}}]
    report = studio.render(spec_of(film, tmp_path, overrides=overrides)).report()
    assert (report.shots, report.seams, report.conforms) == (3, 0, True)
    found = compare(str(film), str(tmp_path / "out/film.mkv"))
    assert (found.luma_differs_at, found.luma_equal) == (50, 70)


def test_another_deliverable_is_another_encoding_of_the_same_film(studio: Studio, tmp_path: Path, film: Path) -> None:
    both = [{"name": "film", "codec": "ffv1"}, {"name": "view", "codec": "h264", "preset": "ultrafast"}]
    studio.render(spec_of(film, tmp_path))
    report = studio.render(spec_of(film, tmp_path, deliverables=both)).report()
    assert [one.file for one in report.deliverables] == ["film.mkv", "view.mp4"]
    assert report.conforms
    found = compare(str(film), str(tmp_path / "out/view.mp4"))
    assert found.frames == (90, 90)
    assert found.times_differ_at is None


def test_cuts_from_a_list(studio: Studio, tmp_path: Path, film: Path) -> None:
    listed = tmp_path / "cuts.csv"
    rows = ["Scene Number,Start Frame,Start Timecode,Start Time (seconds),End Frame,End Timecode"]
    rows += [
        f"{n},{start + 1},00:00:00.000,0,{stop},00:00:00.000" for n, (start, stop) in enumerate([(0, 20), (20, 90)], 1)
    ]
    listed.write_text("\n".join(rows))
    film_made = studio.render(spec_of(film, tmp_path, shots={"file": str(listed)}))
    assert [shot.frames for shot in film_made.survey.plan.shots] == [(0, 20), (20, 90)]


@pytest.mark.parametrize(("how", "words"), [("nan", "no numbers"), ("raise", "the network fell over")])
def test_a_look_that_fails_fails_the_film(studio: Studio, tmp_path: Path, film: Path, how: str, words: str) -> None:
    look = {"name": "test-broken", "settings": {"how": how}}
    with pytest.raises(FilmFailed, match=words):
        studio.render(spec_of(film, tmp_path, look=look, workers={"attempts": 2}))
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_what_the_user_can_mend_is_refused_before_any_work(studio: Studio, tmp_path: Path, film: Path) -> None:
    with pytest.raises(BadLook, match="There is no look 'sepia'"):
        studio.render(spec_of(film, tmp_path, look={"name": "sepia"}))
    with pytest.raises(BadMedia, match="does not exist"):
        studio.render(spec_of(tmp_path / "nothing.mp4", tmp_path / "a"))
    master = Recipe(frames=12, codec="ffv1").make(tmp_path / "film.mkv")
    with pytest.raises(BadSpec, match="over the source"):
        studio.render(spec_of(master, tmp_path / "b", output=str(tmp_path)))
    assert not (tmp_path / "out").exists()


def test_a_source_that_changed_is_refused(studio: Studio, tmp_path: Path) -> None:
    source = Recipe(frames=20).make(tmp_path / "film.mp4")
    studio.render(spec_of(source, tmp_path))
    Recipe(frames=24).make(source)
    with pytest.raises(BadMedia, match="has changed since the job 'film' began"):
        studio.render(spec_of(source, tmp_path))
    with pytest.raises(BadStore, match="was begun with source"):
        studio.render(spec_of(tmp_path / "other.mp4", tmp_path))


def test_the_paper_in_the_store_tells_the_whole_job(studio: Studio, tmp_path: Path, film: Path) -> None:
    studio.render(spec_of(film, tmp_path))
    root = tmp_path / "store/film"
    assert json.loads((root / "job.json").read_text())["source"] == str(film)
    kinds = {json.loads(path.read_text())["kind"] for path in (root / "records").iterdir()}
    assert kinds == {"split", "segment"}
    assert {path.name for path in root.iterdir()} == {
        "job.json", "spec.json", "identity.json", "specs", "survey", "chunks", "media", "records", "stills", "clips", "figures", "assembly", "deliverables.json", "continuity.json",
    }  # fmt: skip
