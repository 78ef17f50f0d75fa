"""Notes and verdicts: from the review page into a new spec, of which only what was rejected is rendered again, and into markers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest
import yaml

from farm.cli.inspect import notes
from farm.film.calls import RenderCall
from farm.film.review.publisher import published
from farm.specs.spec_files import read_spec
from jobs.errors import BadSpec
from jobs.store import open_store
from tests.farm.film.review.test_page import review_data
from tests.farm.inline import InlineFleet, rendered, shot_list
from tests.films import Recipe

LOOK = {"name": "test-window", "settings": {"radius": 2, "declared": 2}}


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A job of three shots, rendered and shown: its spec, and notes as a page saves them."""
    folder = tmp_path_factory.mktemp("reviewed")
    film = Recipe(frames=45, size=(96, 64), cuts=(15, 30)).make(folder / "film.mp4")
    spec = folder / "job.yaml"
    spec.write_text(
        yaml.safe_dump(
            {
                "name": "film",
                "source": str(film),
                "store": f"{folder}/store",
                "output": f"{folder}/out",
                "look": LOOK,
                "shots": {"file": str(shot_list(folder / "cuts.csv", 0, 15, 30, frames=45))},
                "overrides": [{"shots": 2, "locked": True}, {"frames": [30, 45], "look": LOOK}],
                "deliverables": [{"codec": "ffv1", "name": "film"}],
            }
        )
    )
    made = rendered(read_spec(str(spec)))
    published(made, made.report(), open_store(f"{folder}/out"))
    data = review_data(folder / "out/film.review")
    said = [
        {"start": one.start, "stop": one.stop, "version": one.version, "verdict": verdict, "settings": settings}
        for one, verdict, settings in zip(
            data.shots, ("approved", "rejected", "approved"), ([], [["radius", 1]], []), strict=True
        )
    ]
    said[1]["controls"] = {"saturation": 0.5}
    text = "=the sky |is\u2028green"
    written = {
        "kind": "review-notes",
        "version": 1,
        "film": data.id,
        "title": data.title,
        "verdicts": said,
        "notes": [{"start": 20, "stop": 22, "version": data.shots[1].version, "text": text}],
    }
    file = folder / "film.notes.json"
    file.write_text(json.dumps(written))
    assert [one.locked for one in data.shots] == [False, True, False]
    return spec, file


def changed(file: Path, to: Path, **fields: Any) -> str:
    to.write_text(json.dumps({**json.loads(file.read_text()), **fields}))
    return str(to)


def test_what_was_rejected_is_rendered_again_and_the_rest_is_locked(
    reviewed: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, file = reviewed
    new = tmp_path / "job-2.yaml"
    notes(str(spec), str(file), apply=str(new))
    said = capsys.readouterr().err
    assert "locked as they are: shots 1, 3" in said
    assert f"then: farm render {new} --shots 2" in said
    assert yaml.safe_load(new.read_text())["overrides"] == [
        {"frames": [30, 45], "look": LOOK},
        {"frames": [0, 15], "locked": True},
        {"frames": [15, 30], "look": {"name": "test-window", "settings": {"radius": 1, "declared": 2}}},
        {"frames": [15, 30], "controls": {"saturation": 0.5}},
        {"frames": [30, 45], "locked": True},
    ]
    fleet = InlineFleet()
    again = rendered(read_spec(str(new)), fleet)
    assert sorted({order.core for call in fleet.calls(RenderCall) for order in call.orders}) == [(15, 30)]
    # The page shows the version that was rejected beside the new one.
    before = review_data(spec.parent / "out/film.review").shots[1].version
    published(again, again.report(), open_store(f"{spec.parent}/out"))
    first, second, third = review_data(spec.parent / "out/film.review").shots
    assert ([one.version for one in second.older], second.version != before) == ([before], True)
    assert (first.locked, second.locked, third.locked, first.older, third.older) == (True, False, True, (), ())
    assert all((spec.parent / "out/film.review" / one.still).is_file() for one in second.older[0].pieces)
    # What was said of the earlier version is passed over now, and nothing is replaced.
    notes(str(new), str(file), apply=str(tmp_path / "job-3.yaml"))
    assert "passed over: frames 15 to 29" in capsys.readouterr().err
    with pytest.raises(BadSpec, match=r"job-2\.yaml is there already, and is not replaced"):
        notes(str(spec), str(file), apply=str(new))


def test_markers_come_back_through_opentimelineio(reviewed: tuple[Path, Path], tmp_path: Path) -> None:
    spec, file = reviewed
    for form in ("otio", "edl", "csv"):
        notes(str(spec), str(file), to=str(tmp_path / f"notes.{form}"))
    (clip,) = otio.adapters.read_from_file(str(tmp_path / "notes.otio")).find_clips()
    assert [
        (one.name, one.color, one.marked_range.start_time.value, one.marked_range.duration.value)
        for one in clip.markers
    ] == [
        ("approved", "GREEN", 0, 15),
        ("rejected: saturation 0.5, radius 1", "RED", 15, 15),
        ("=the sky |is\u2028green", "YELLOW", 20, 2),
        ("approved", "GREEN", 30, 15),
    ]
    read = otio.adapters.read_from_file(str(tmp_path / "notes.edl"), rate=24)
    found = [
        (one.markers[0].name, one.markers[0].color, one.source_range.start_time.value) for one in read.find_clips()
    ]
    assert found[1:3] == [("rejected: saturation 0.5, radius 1", "RED", 15), ("=the sky is green", "YELLOW", 20)]
    assert " |C:ResolveColorYellow |M:=the sky is green |D:2" in (tmp_path / "notes.edl").read_text()
    assert ",'=the sky" in (tmp_path / "notes.csv").read_text()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"kind": "a list"}, "is no file of notes as the review page saves it: kind: Input should be 'review-notes'"),
        ({"film": "0" * 16}, "holds notes of another job, 'film', or of another store"),
        ({"notes": [{"start": 3, "stop": 3, "version": "", "text": ""}]}, "start before stop"),
    ],
)
def test_other_files_are_refused(
    reviewed: tuple[Path, Path], tmp_path: Path, fields: dict[str, Any], sentence: str
) -> None:
    spec, file = reviewed
    other, new = changed(file, tmp_path / "other.json", **fields), tmp_path / "new.yaml"
    with pytest.raises(BadSpec) as refused:
        notes(str(spec), other, apply=str(new))
    assert sentence in str(refused.value)
    assert not new.exists()


def test_notes_beyond_the_film_and_options_that_mean_nothing(reviewed: tuple[Path, Path], tmp_path: Path) -> None:
    spec, file = reviewed
    late = changed(file, tmp_path / "late.json", notes=[{"start": 80, "stop": 90, "version": "", "text": "late"}])
    for options, sentence in (
        ({"to": str(tmp_path / "a.edl")}, "frame 89 is not in the film as it was rendered"),
        ({"to": str(tmp_path / "a.txt")}, r"markers are written as \.otio, \.edl or \.csv"),
        ({"apply": str(tmp_path / "a.txt")}, r"a spec is a \.yaml, \.yml or \.json"),
        ({}, "--apply or --to is missing"),
    ):
        with pytest.raises(BadSpec, match=sentence):
            notes(str(spec), late, **options)
    assert [one.name for one in tmp_path.iterdir()] == ["late.json"]
