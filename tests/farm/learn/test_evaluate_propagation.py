"""Propagated colour judged on films: which frames are anchors, which are judged, and that what is judged is what the product makes."""

import re
import tempfile
from io import StringIO
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from actors.picture.image_metrics import chroma_rms, de00
from actors.survey.surveyor import Surveyor
from farm.film.driver import render_film
from farm.film.setup import preflight
from farm.fleet.calls import RetryPolicy
from farm.learn.evaluate_propagation import (
    REACH,
    PropagationRequest,
    SpanCall,
    evaluate_propagation,
    judged_film,
    spans_within_reach,
)
from farm.learn.propagation_table import show_propagation
from farm.progress.pictures_console import EvaluationProgress
from farm.progress.plain_console import PlainConsole
from jobs.errors import BadInput, BadMedia, BadSpec
from jobs.plan.plan import Range
from jobs.records.evaluation import PropagationEvaluation
from jobs.spec.job import LookChoice
from jobs.store.allowed_places import FOLDERS
from tests.actors.evaluation.painted_films import Levels, film_of, panned, rgb
from tests.actors.evaluation.pictures import kept, patches
from tests.farm.inline import InlineFleet, quiet
from tests.farm.shell import farm
from tests.farm.studio import spec_of
from tests.films import Recipe

CUT, FRAMES = 14, 24


@pytest.fixture(scope="module")
def levels() -> Levels:
    """Two shots of textures that move a pixel a frame, of 14 and 10 frames."""
    return np.concatenate([panned(CUT, 1, seed=1, light=90), panned(FRAMES - CUT, 1, seed=20, light=160)])


@pytest.fixture(scope="module")
def film(levels: Levels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film_of(tmp_path_factory.mktemp("film") / "film.mkv", levels)


def judged(
    film: Path, anchors: str, fleet: InlineFleet | None = None, **fields: int | str | LookChoice
) -> PropagationEvaluation:
    """In this process."""
    wish = PropagationRequest(on=str(film), anchors=anchors, **fields)  # type: ignore[arg-type]
    progress = EvaluationProgress(PlainConsole(file=StringIO()))
    return judged_film(fleet or InlineFleet(), str(film), wish, progress)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "anchors"),
    [
        ("middle", (7, 19)),
        ("ends", (0, 13, 14, 23)),
        ("three", (0, 7, 13, 14, 19, 23)),
        ("3,20-21", (3, 20, 21)),
        ("00:00:00:20,3", (3, 20)),
    ],
)
def test_all_frames_that_are_no_anchors_are_judged(film: Path, said: str, anchors: tuple[int, ...]) -> None:
    found = judged(film, said)
    assert found.anchors == anchors
    assert [one.frame for one in found.each] == sorted({*range(FRAMES)} - {*anchors})
    assert (found.frames, found.propagated, found.left_out, found.shots) == (FRAMES - len(anchors),) * 2 + (0, 2)
    for one in found.each:
        own = [anchor for anchor in anchors if (anchor < CUT) == (one.frame < CUT)]
        assert one.distance == min(abs(one.frame - anchor) for anchor in own)
    assert found.total.chroma_rms.share
    assert found.total.chroma_rms.share < 0.2
    errors = [one.propagated.de00 for one in found.each]
    assert found.total.de00.propagated == pytest.approx(np.mean(errors))


def test_a_shot_without_an_anchor_is_left_out(film: Path) -> None:
    found = judged(film, "20")
    assert [one.frame for one in found.each] == [one for one in range(CUT, FRAMES) if one != 20]
    assert (found.left_out, found.shots) == (CUT, 2)


def test_the_shots_of_a_list_take_the_place_of_those_found(film: Path, tmp_path: Path) -> None:
    listed = tmp_path / "shots.csv"
    listed.write_text(f"Scene Number,Start Frame\n1,1\n2,8\n3,{CUT + 1}\n")
    found = judged(film, "middle", shots=str(listed))
    assert (found.shots, found.anchors) == (3, (3, 10, 19))
    # At 7 the picture goes on, and so does its colour.
    assert {one.frame: one.distance for one in found.each} == {
        frame: min(abs(frame - 3), abs(frame - 10)) if frame < CUT else abs(frame - 19)
        for frame in range(FRAMES)
        if frame not in (3, 10, 19)
    }
    listed.write_text("Scene Number,Start Frame\n1,1\n2,25\n")
    with pytest.raises(BadSpec, match="has a cut at frame 24, and the film has frames 0 to 23"):
        judged(film, "middle", shots=str(listed))


def test_no_more_frames_are_judged_than_were_asked_for(film: Path) -> None:
    fleet = InlineFleet()
    found = judged(film, "ends", fleet, frames=4)
    # Of the 20 frames that are no anchors, the middle ones of four parts; the shots' ends are anchors.
    others = [one for one in range(FRAMES) if one not in (0, 13, 14, 23)]
    assert [one.frame for one in found.each] == [others[place] for place in (2, 7, 12, 17)]
    assert (found.frames, found.propagated) == (4, 20)
    alone = InlineFleet()
    assert [one.frame for one in judged(film, "ends", alone, frames=1).each] == [others[10]]
    (call,) = alone.calls(SpanCall)
    assert call.order.run.read == Range(0, CUT), "no other span is propagated"


def test_what_is_judged_is_what_the_product_makes(film: Path, levels: Levels, tmp_path: Path) -> None:
    found = judged(film, "7,19")
    (tmp_path / "stills").mkdir()
    for number in (7, 19):
        still = (65535 * rgb(levels[number])[0].permute(1, 2, 0).numpy()).round().clip(0, 65535).astype(np.uint16)
        assert cv2.imwrite(str(tmp_path / f"stills/x.f{number:06d}.png"), still[:, :, ::-1])
    spec = spec_of(
        film,
        tmp_path,
        look={"name": "colorize", "settings": {"size": 128}},
        stills=str(tmp_path / "stills"),
        match="shot",
    )
    assert render_film(preflight(spec), fleet=InlineFleet(), console=quiet()).report().conforms  # type: ignore[arg-type]
    with av.open(str(tmp_path / "out/film.mkv")) as opened:
        made = [frame.to_ndarray().astype(np.uint8) for frame in opened.decode(video=0)]
    for one in found.each:
        # As a player shows them: what leaves R'G'B' is cut. A guide is kept with 10 bits, which is a tenth of a step.
        shown, truth = (rgb(picture).clamp(0, 1) for picture in (made[one.frame], levels[one.frame]))
        assert one.propagated.chroma_rms == pytest.approx(float(chroma_rms(shown, truth)), abs=0.03)
        assert one.propagated.de00 == pytest.approx(float(de00(shown, truth)), abs=0.03)


def test_a_lost_worker_changes_nothing(film: Path) -> None:
    whole = judged(film, "middle")
    assert judged(film, "middle", InlineFleet({"span": 2, "pages": 1, "cuts": 0}, RetryPolicy())) == whole


def test_spans_reach_only_so_far() -> None:
    shot = Range(1000, 5000)

    def told(*anchors: int) -> list[tuple[Range, list[int]]]:
        return [(span.frames, [one.frame for one in span.anchors]) for span in spans_within_reach(shot, anchors)]

    assert told() == told(7, 999, 5000) == []
    assert told(7, 3000) == [(Range(3000 - REACH, 3000), [3000]), (Range(3000, 3001 + REACH), [3000])]
    near = 3000 + 2 * REACH
    assert (Range(3000, near), [3000, near]) in told(3000, near)
    assert told(3000, near + 1) == [*told(3000), *told(near + 1)]
    assert told(1000, 4999)[0] == (Range(1000, 1001 + REACH), [1000])


@pytest.mark.parametrize(
    ("anchors", "words"),
    [
        (
            "0,24",
            "--anchors 0,24: 24 is not in the film, whose frames are 0 to 23; allowed are middle, ends, three, or",
        ),
        ("centre", "--anchors centre: 'centre' is no time code"),
        ("0-23", "--anchors 0-23: no frame of the film lies between its anchors"),
    ],
)
def test_anchors_that_are_none_are_refused(film: Path, anchors: str, words: str) -> None:
    with pytest.raises(BadSpec, match=words):
        judged(film, anchors)


def test_a_grey_film_is_refused(tmp_path: Path) -> None:
    grey = Recipe(frames=8, codec="ffv1", pix_fmt="gray").make(tmp_path / "grey.mkv")
    with pytest.raises(BadMedia, match=r"grey\.mkv is grey, and cannot judge colours"):
        judged(grey, "middle")
    levels = panned(8)
    levels[:, 1:] = 128
    with pytest.raises(BadMedia, match=r"film\.mkv is grey, and cannot judge colours"):
        judged(film_of(tmp_path / "film.mkv", levels), "middle")


def test_a_film_that_a_glance_takes_for_grey_is_judged(tmp_path: Path) -> None:
    levels = panned(16, step=0)
    levels[::2, 1:] = 128  # the frames that the survey looks at
    film = film_of(tmp_path / "film.mkv", levels)
    assert Surveyor(str(film)).film().picture.grey
    found = {one.frame: one for one in judged(film, "1").each}
    assert found[2].grey.chroma_rms < 0.1
    assert found[3].grey.chroma_rms > 10
    assert found[3].propagated.chroma_rms < 0.1 * found[3].grey.chroma_rms < found[2].propagated.chroma_rms


def test_what_is_no_film_is_refused_before_anybody_is_hired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDERS, tempfile.gettempdir())  # who joins a Ray touches local files only where it is allowed
    kept(tmp_path / "a.png", patches(1))
    for on, words in ((tmp_path, "holds photographs; name a film"), (tmp_path / "b.mp4", "does not exist")):
        with pytest.raises(BadInput, match=words):
            evaluate_propagation(PropagationRequest(on=str(on), anchors="middle"), address="nowhere:1")


def test_people_read_a_table(film: Path) -> None:
    found = judged(film, "20")
    said = StringIO()
    show_propagation(found, PlainConsole(file=said, width=110))
    text = said.getvalue()
    assert f"9 of 9 propagated frames of {film}; 1 anchor in 2 shots, 14 left out" in text
    (row,) = [line for line in text.splitlines() if "1-12" in line]
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    total = found.total
    assert total.de00.share
    assert cells[:5] == [
        "1-12",
        "9",
        f"{total.de00.propagated:.2f}",
        f"{total.de00.grey:.2f}",
        f"{100 * total.de00.share:.1f} %",
    ]
    assert found.moving
    assert f"jitter in moving areas: {found.moving.propagated:.3f} of 255 a frame" in text


def figures(found: PropagationEvaluation) -> list[float]:
    """All numbers of it, in order."""
    return [float(number) for number in re.findall(r"-?\d+\.\d+(?:e-?\d+)?", found.model_dump_json())]


def test_the_command_gives_a_table_or_json(film: Path, tmp_path: Path) -> None:
    (listed := tmp_path / "shots.csv").write_text(f"Scene Number,Start Frame\n1,1\n2,{CUT + 1}\n")  # as they are found
    asked = (
        "evaluate",
        "--on",
        film,
        "--anchors",
        "middle",
        "--shots",
        listed,
        "--frames",
        6,
        "--out",
        tmp_path / "out",
        "--json",
    )
    found = PropagationEvaluation.model_validate(farm(*asked).json)
    here = judged(film, "middle", frames=6)
    assert (found.anchors, [frame.frame for frame in found.each]) == (
        here.anchors,
        [frame.frame for frame in here.each],
    )
    # Products of matrices are rounded in another order where they have two threads, as here, than by a worker, which has one.
    assert figures(found) == pytest.approx(figures(here), rel=1e-2)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "evaluation.json",
        *(f"sheet-{number:03}.png" for number in range(4)),
    ]
    assert PropagationEvaluation.model_validate_json((tmp_path / "out/evaluation.json").read_text()) == found


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ((), "Name a look, or with --anchors the frames whose own colour is propagated."),
        (
            ("colorize", "--shots", "list.csv"),
            "--shots goes with --anchors: name the frames whose colour is propagated, as in `--anchors middle`.",
        ),
        (
            ("colorize", "--anchors", "middle", "--set", "size=320"),
            "--anchors goes without the look colorize and --set: it is the film's own colour that is propagated.",
        ),
    ],
)
def test_the_command_refuses_in_one_sentence(film: Path, asked: tuple[str, ...], sentence: str) -> None:
    said = farm("evaluate", *asked, "--on", film)
    assert (said.code, said.sentence) == (2, sentence)


def test_strokes_gain_some_of_what_true_anchors_gain(film: Path) -> None:
    found = judged(film, "middle", strokes=5, look=LookChoice(name="colorize", settings={"size": 128}))
    alone = judged(film, "middle")
    assert found.strokes
    assert found.strokes.still == pytest.approx(alone.total.de00.propagated)
    assert found.strokes.still < found.strokes.strokes < found.strokes.look
    assert found.strokes.gained == pytest.approx(
        (found.strokes.look - found.strokes.strokes) / (found.strokes.look - found.strokes.still)
    )
    assert alone.strokes is None
    assert all(one.look is None for one in alone.each)
    show_propagation(found, PlainConsole(file=(said := StringIO())))
    told = " ".join(said.getvalue().split())
    assert "with 5 strokes on each anchor" in told
    assert found.strokes.outside
    assert "outside the strokes' colours" in told


def test_strokes_are_for_looks_that_keep_the_film_s_luma(film: Path) -> None:
    with pytest.raises(BadSpec, match="does not keep the film's luma"):
        judged(film, "middle", strokes=5, look=LookChoice(name="style"))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (["colorize", "--strokes", "5"], "--strokes goes with --anchors"),
        (["--anchors", "middle", "--strokes", "5"], "name the look"),
    ],
)
def test_strokes_lack_neither_anchors_nor_a_look(film: Path, said: list[str], why: str) -> None:
    ended = farm("evaluate", *said, "--on", str(film))
    assert ended.code == 2
    assert why in ended.err
