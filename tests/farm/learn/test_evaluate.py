"""`farm evaluate`: photographs and films judged on a real Ray, refusals before it, and what people and programs are told."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import av
import pytest
import ray

from farm.fleet.fleet import Fleet
from farm.learn.evaluate import EvaluationRequest, evaluate
from farm.learn.evaluation_table import show
from farm.progress.pictures_console import EvaluationProgress
from farm.progress.plain_console import PlainConsole
from jobs.errors import BadLook, BadMedia, BadSpec, BadStore, FarmError
from jobs.records.evaluation import Evaluation
from jobs.spec.job import LookChoice
from jobs.store.allowed_places import FOLDERS
from tests.actors.evaluation.pictures import grey, kept, patches
from tests.farm.shell import farm
from tests.films import Recipe

NONE, CALM, NEGATIVE = (LookChoice(name=name) for name in ("none", "test-calm", "test-negative"))


@pytest.fixture(autouse=True)
def _places_of_tests_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What joins a Ray touches local files only where its operator allows it."""
    monkeypatch.setenv(FOLDERS, f"{tempfile.gettempdir()}:/nowhere")


@pytest.fixture(scope="module")
def ray_here() -> Iterator[str]:
    """The address of a Ray that evaluations may join."""
    with Fleet("local", workers=8):
        yield ray.get_runtime_context().gcs_address


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten photographs in two folders, and one without colours."""
    folder = tmp_path_factory.mktemp("photographs")
    for number in range(10):
        kept(folder / f"{number % 2}/{number:02}.png", patches(number))
    kept(folder / "0/grey.jpg", grey())
    return folder


def told(evaluation: Evaluation) -> str:
    """What people read."""
    said = StringIO()
    show(evaluation, PlainConsole(file=said, width=110))
    return said.getvalue()


@pytest.mark.parametrize(
    ("question", "error", "words"),
    [
        (EvaluationRequest((LookChoice(name="sepia"),), "."), BadLook, "There is no look 'sepia'"),
        (EvaluationRequest((NONE, LookChoice(name="sepia")), "."), BadLook, "There is no look 'sepia'"),
        (EvaluationRequest((NONE,), "/nowhere/at/all"), BadMedia, "/nowhere/at/all does not exist"),
        (EvaluationRequest((NONE,), "{tmp}"), BadMedia, "holds no photographs"),
        (EvaluationRequest((NONE,), "{tmp}", strengths=(0.5, -1)), BadSpec, "strength -1: strengths go from 0"),
        (EvaluationRequest((NONE,), "{tmp}", strengths=(float("nan"),)), BadSpec, "strength nan"),
        (EvaluationRequest((NONE,), "."), BadMedia, "holds no photographs"),
    ],
)
def test_what_cannot_be_judged_is_refused_before_anybody_is_hired(
    tmp_path: Path, question: EvaluationRequest, error: type[FarmError], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = EvaluationRequest(question.looks, question.on.format(tmp=tmp_path), strengths=question.strengths)
    with pytest.raises(error, match=words):
        evaluate(asked, address="nowhere:1")


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, photographs: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BadStore):
        evaluate(EvaluationRequest((NONE,), str(photographs), out=str(tmp_path / "file")), address="nowhere:1")


def test_photographs_are_judged(photographs: Path, ray_here: str, tmp_path: Path) -> None:
    question = EvaluationRequest((CALM, NONE), str(photographs), strengths=(0.5,), out=str(tmp_path / "out"))
    found = evaluate(question, address=ray_here, workers=2)
    names = [f"{folder}/{number:02}.png" for folder in (0, 1) for number in range(folder, 10, 2)]
    assert ([one.name for one in found.each], [one.name for one in found.passed_over]) == (names, ["0/grey.jpg"])
    calm, none = found.looks
    assert [point.strength for point in calm.curve] == [0, 0.5, 1]
    # The look `none` gives no colours: at any strength, as far as grey.
    assert {point.de00.mean for point in none.curve} == {found.grey.mean}
    assert none.curve[2].less_grey.low == none.curve[2].less_grey.high == 0
    assert found.grey.low < found.grey.mean < found.grey.high
    assert found.grey.mean == pytest.approx(sum(one.grey.de00 for one in found.each) / 10)
    (difference,) = found.differences
    assert difference.rendered.mean == pytest.approx(calm.curve[2].de00.mean - found.grey.mean)
    shown = told(found)
    assert f"grey: dE00 {found.grey.mean:.2f}" in shown
    assert "10 pictures of" in shown
    assert "1 passed over, being grey" in shown
    assert f"none: lowest dE00: {found.grey.mean:.2f}" in shown
    assert "none: at half the truth's CF: not on this curve" in shown
    assert f"dE00 of test-calm less that of none: as rendered {difference.rendered.mean:.2f}" in shown
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == ["evaluation.json", "sheet-000.png", "sheet-001.png"]
    assert Evaluation.model_validate_json((out / "evaluation.json").read_text()) == found


def test_a_film_is_judged(ray_here: str, tmp_path: Path) -> None:
    film = Recipe(frames=24, cuts=(12,)).make(tmp_path / "film.mp4")
    found = evaluate(EvaluationRequest((NEGATIVE,), str(film), frames=3), address=ray_here)
    assert [one.name for one in found.each] == ["frame 4", "frame 12", "frame 20"]
    assert found.looks[0].domain == "rgb"
    assert found.looks[0].curve[0].de00.mean < 0.2  # chroma of 4:2:0 goes to R'G'B' and back
    assert found.looks[0].curve[-1].de00.mean > 20


@pytest.mark.minutes
def test_a_recording_that_begins_amid_a_group_is_judged_from_where_it_can_be_decoded(
    ray_here: str, tmp_path: Path
) -> None:
    whole = Recipe(frames=48, size=(64, 48), gop=8).make(tmp_path / "whole.ts").read_bytes()
    film = tmp_path / "film.ts"
    film.write_bytes(whole[len(whole) // 3 // 188 * 188 :])
    with pytest.raises(BadMedia, match=r"frames come before .*\(--head trim\)"):
        evaluate(EvaluationRequest((NEGATIVE,), str(film), frames=3), address=ray_here)
    asked = ("--on", film, "--frames", 100, "--address", ray_here, "--json", "--head")
    found = Evaluation.model_validate(farm("evaluate", "test-negative", *asked, "trim").json)
    with av.open(str(tmp_path / "whole.ts")) as opened:
        times = [frame.pts for frame in opened.decode(video=0)]
    with av.open(str(film)) as opened:
        keys = [packet.pts for packet in opened.demux(video=0) if packet.is_keyframe and packet.size]
    assert found.pictures == 48 - times.index(keys[0]), "every frame from the first keyframe on"
    said = farm("evaluate", "none", *asked, "off")
    assert (said.code, said.sentence) == (2, "--head off: only trim is allowed.")


def test_pictures_that_are_all_grey_judge_nothing(ray_here: str, tmp_path: Path) -> None:
    kept(tmp_path / "a.png", grey())
    with pytest.raises(BadMedia, match="has no picture with colours to judge by, of 1 picture;"):
        evaluate(EvaluationRequest((NONE,), str(tmp_path)), address=ray_here)


def test_an_unreadable_picture_is_named(ray_here: str, tmp_path: Path) -> None:
    kept(tmp_path / "a.png", patches(1))
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    with pytest.raises(BadMedia, match=r"b\.jpg cannot be read as a picture"):
        evaluate(EvaluationRequest((NONE,), str(tmp_path)), address=ray_here)


@pytest.mark.minutes
def test_the_command_gives_json_to_programs(photographs: Path, ray_here: str) -> None:
    asked = ("--on", photographs, "--against", "none", "--strengths", "0.5", "--address", ray_here, "--json")
    found = Evaluation.model_validate(farm("evaluate", "test-calm", *asked, "--set", "context=2").json)
    assert (found.pictures, found.looks[0].choice.settings["context"]) == (10, 2)
    assert [look.name for look in found.looks] == ["test-calm", "none"]


def test_the_command_refuses_in_one_sentence(tmp_path: Path) -> None:
    said = farm("evaluate", "none", "--on", tmp_path, "--strengths", "bold")
    assert (said.code, said.sentence) == (2, "--strengths bold: write numbers with commas between them, as in 0,0.5,1.")


def test_people_are_told_how_far_it_is() -> None:
    now, said = [0.0], StringIO()
    progress = EvaluationProgress(PlainConsole(file=said, width=100), lambda: now[0])
    progress.begin(40)
    for done in range(1, 41):
        now[0] += 1
        progress.judged(done)
    progress.say()
    assert said.getvalue().splitlines()[0] == "judged 5 of 40 pictures in 5 s, 35 s left"
    assert said.getvalue().splitlines()[-1] == "judged 40 of 40 pictures in 40 s"
    progress.lost("evaluator", "sheet 3", "killed", free=False)
    progress.retried("evaluator", "sheet 4", OSError("bad luck"), 1)
    assert "sheet 3: its evaluator is lost (killed); another one takes over" in said.getvalue()
    assert "sheet 4: OSError: bad luck (error 1); trying again" in said.getvalue()
