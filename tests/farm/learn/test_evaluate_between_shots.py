"""A look judged on what two shots both show: which frames are found, and that what is judged is what the product makes."""

from io import StringIO
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from actors.evaluation.between_shots import BetweenShotsEvaluator
from actors.picture.image_metrics import chroma_rms, de00
from farm.film.driver import render_film
from farm.film.setup import preflight
from farm.fleet.calls import RetryPolicy
from farm.learn.between_shots_table import show_between_shots
from farm.learn.evaluate_between_shots import (
    MOST_PARTS,
    BetweenShotsRequest,
    CompareCall,
    compared_parts,
    evaluate_between_shots,
    judged_between_shots,
)
from farm.progress.pictures_console import EvaluationProgress
from farm.progress.plain_console import PlainConsole
from jobs.errors import BadMedia, BadSpec
from jobs.plan.spans import FARTHEST
from jobs.records.evaluation import BetweenShotsEvaluation
from jobs.spec.job import LookChoice
from tests.actors.evaluation.painted_films import Levels, film_of, panned, rgb
from tests.actors.evaluation.pictures import kept, patches
from tests.farm.inline import InlineFleet, quiet
from tests.farm.shell import farm
from tests.farm.studio import spec_of

LOOK = LookChoice(name="colorize", settings={"size": 128})
FIRST, OTHER, AGAIN = 14, 10, 12
"""Frames of the three shots."""
SHIFT = 40
"""Pixels by which the first shot's set-up is seen farther to the right in the third."""


def setup(begin: int, frames: int, light: int = 0) -> Levels:
    """Frames of one painted set-up, over which the camera moves a pixel a frame."""
    levels = panned(90, 1, seed=1, light=100)[begin : begin + frames].copy()
    levels[:, 0] += np.uint8(light)
    return levels


@pytest.fixture(scope="module")
def levels() -> Levels:
    """Three shots: a set-up, another one, and the first again from elsewhere and a little brighter."""
    return np.concatenate([setup(0, FIRST), panned(OTHER, 1, seed=20, light=160), setup(SHIFT, AGAIN, light=12)])


@pytest.fixture(scope="module")
def film(levels: Levels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film_of(tmp_path_factory.mktemp("film") / "film.mkv", levels)


def judged(
    film: Path,
    fleet: InlineFleet | None = None,
    *,
    pairs: int = 24,
    look: LookChoice = LOOK,
    shots: str | None = None,
) -> BetweenShotsEvaluation:
    """In this process."""
    progress = EvaluationProgress(PlainConsole(file=StringIO()))
    wish = BetweenShotsRequest(on=str(film), look=look, pairs=pairs, shots=shots)
    return judged_between_shots(fleet or InlineFleet(), str(film), wish, progress)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def found(film: Path) -> BetweenShotsEvaluation:
    return judged(film)


def test_the_set_up_that_comes_back_is_found_and_matching_brings_its_colours_nearer(
    found: BetweenShotsEvaluation,
) -> None:
    assert (found.shots, found.compared, found.alike, found.pairs) == (3, 3, 1, 1)
    (pair,) = found.each
    first, again = pair.frames
    assert first in range(FIRST)
    assert again in range(FIRST + OTHER, FIRST + OTHER + AGAIN)
    assert found.patches == pair.patches >= 20
    assert [side.frame for side in pair.sides] == [first, again]
    assert pair.truth < 1, "the same paint, but for what brighter luma makes of it"
    for side in pair.sides:
        assert side.matched < 0.7 * side.unmatched
        assert side.matched_error.de00 < side.unmatched_error.de00
        assert side.unmatched_error.chroma_rms < 1.2 * side.grey.chroma_rms
    assert pair.alone < min(side.unmatched for side in pair.sides)
    assert found.matched == pytest.approx(np.mean([side.matched for side in pair.sides]))


@pytest.mark.parametrize("match", ["film", "shot"])
def test_what_is_judged_is_what_the_product_makes(
    film: Path, levels: Levels, found: BetweenShotsEvaluation, match: str, tmp_path: Path
) -> None:
    (pair,) = found.each
    painted, side = pair.frames[0], pair.sides[1]
    (tmp_path / "stills").mkdir()
    still = (65535 * rgb(levels[painted])[0].permute(1, 2, 0).numpy()).round().clip(0, 65535).astype(np.uint16)
    assert cv2.imwrite(str(tmp_path / f"stills/x.f{painted:06d}.png"), still[:, :, ::-1])
    look = {"name": LOOK.name, "settings": LOOK.settings}
    spec = spec_of(film, tmp_path, look=look, stills=str(tmp_path / "stills"), match=match)
    assert render_film(preflight(spec), fleet=InlineFleet(), console=quiet()).report().conforms  # type: ignore[arg-type]
    with av.open(str(tmp_path / "out/film.mkv")) as opened:
        made = [frame.to_ndarray().astype(np.uint8) for frame in opened.decode(video=0)][side.frame]
    shown, truth = (rgb(picture).clamp(0, 1) for picture in (made, levels[side.frame]))
    error = side.matched_error if match == "film" else side.unmatched_error
    # A guide is kept with 10 bits, which is a tenth of a step.
    assert error.chroma_rms == pytest.approx(float(chroma_rms(shown, truth)), abs=0.03)
    assert error.de00 == pytest.approx(float(de00(shown, truth)), abs=0.03)


def test_the_shots_of_a_list_take_the_place_of_those_found(film: Path, tmp_path: Path) -> None:
    listed = tmp_path / "shots.csv"
    listed.write_text(f"Scene Number,Start Frame\n1,1\n2,{FIRST + OTHER + 1}\n")
    found = judged(film, shots=str(listed))
    assert (found.shots, found.compared, found.alike) == (2, 1, 1)


def test_a_lost_worker_changes_nothing(film: Path, found: BetweenShotsEvaluation) -> None:
    assert judged(film, InlineFleet({"compare": 3, "judge": 0, "pages": 1}, RetryPolicy())) == found


def test_no_more_pairs_are_judged_than_were_asked_for(tmp_path: Path) -> None:
    other = panned(40, 1, seed=20, light=160)
    film = film_of(tmp_path / "film.mkv", np.concatenate([setup(0, 8), other[:8], setup(SHIFT, 8), other[20:28]]))
    found = judged(film, pairs=1)
    assert (found.shots, found.alike, found.pairs) == (4, 2, 1)
    (pair,) = found.each
    assert pair.frames[0] in range(8, 16)


def test_frames_are_compared_as_far_as_colours_are_matched(tmp_path: Path) -> None:
    between = np.repeat(panned(1, 0, seed=20, light=160), FARTHEST - FIRST, 0)
    film = film_of(tmp_path / "film.mkv", np.concatenate([setup(0, FIRST), between, setup(SHIFT, FIRST)]))
    fleet = InlineFleet()
    (pair,) = judged(film, fleet).each
    assert pair.frames[1] - pair.frames[0] <= FARTHEST < FARTHEST + FIRST - 1
    first, second = (call.order for call in fleet.calls(CompareCall))
    assert (first.own | second.own) == first.shots.keys() | second.shots.keys()
    assert not first.own & second.own
    assert pair.frames[0] in first.own
    assert pair.frames[1] in second.own
    assert max(first.shots) - min(first.shots) <= 2 * FARTHEST


def test_of_a_long_film_parts_are_compared() -> None:
    assert compared_parts(range(0, 10 * FARTHEST, 100)) == [*range(10)]
    found = compared_parts(range(0, 240 * FARTHEST, 100))
    assert found == [*range(5, 240, 10)]
    assert len(found) == MOST_PARTS


def test_a_film_that_shows_nothing_twice_is_refused(tmp_path: Path) -> None:
    two = film_of(tmp_path / "two.mkv", np.concatenate([setup(0, 8), panned(8, 1, seed=20, light=160)]))
    with pytest.raises(BadMedia, match=r"two\.mkv shows nothing twice: of 1 pair of shots .* none shares enough"):
        judged(two)
    one = film_of(tmp_path / "one.mkv", setup(0, 8))
    with pytest.raises(BadMedia, match=r"one\.mkv shows nothing twice: of 0 pairs of shots"):
        judged(one)


def test_a_grey_film_is_refused(tmp_path: Path, levels: Levels) -> None:
    grey = levels.copy()
    grey[:, 1:] = 128
    with pytest.raises(BadMedia, match=r"grey\.mkv is grey, and cannot judge colours"):
        judged(film_of(tmp_path / "grey.mkv", grey))


def test_a_damaged_film_is_told(tmp_path: Path, film: Path) -> None:
    fleet = InlineFleet()
    judged(film, fleet)
    (call,) = fleet.calls(CompareCall)
    damaged = tmp_path / "film.mkv"
    damaged.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    source = call.order.film.model_copy(update={"source": str(damaged)})
    evaluator = BetweenShotsEvaluator(None)
    with pytest.raises(BadMedia, match=r"is damaged: a frame near \d+ cannot be decoded"):
        list(evaluator.compare(call.order._replace(film=source)))


def test_people_read_a_table(found: BetweenShotsEvaluation) -> None:
    said = StringIO()
    show_between_shots(found, PlainConsole(file=said, width=110))
    text = said.getvalue()
    (pair,) = found.each
    assert f"1 of 3 pairs of shots of {found.on} show the same; {pair.patches} patches" in text
    (row,) = [line for line in text.splitlines() if f"{pair.frames[0]}, {pair.frames[1]}" in line]
    earlier, later = pair.sides
    figures = (pair.truth, pair.alone, later.unmatched, later.matched, earlier.unmatched, earlier.matched)
    assert [cell.strip() for cell in row.strip("│").split("│")][2:] == [f"{figure:.2f}" for figure in figures]
    less = 100 * (1 - found.matched / found.unmatched)
    assert f"{found.unmatched:.2f}, matched {found.matched:.2f}: {less:.0f} % less" in " ".join(text.split())


def test_the_command_gives_a_document_and_a_sheet(film: Path, tmp_path: Path) -> None:
    asked = ("evaluate", "colorize", "--set", "size=128", "--on", film, "--between-shots", "--out", tmp_path / "out")
    (listed := tmp_path / "shots.csv").write_text(  # as they are found
        f"Scene Number,Start Frame\n1,1\n2,{FIRST + 1}\n3,{FIRST + OTHER + 1}\n"
    )
    ended = farm(*asked, "--shots", listed, "--json")
    found = BetweenShotsEvaluation.model_validate(ended.json)
    assert (found.kind, found.pairs, found.look.settings["size"]) == ("between shots", 1, 128)
    assert found.matched < 0.7 * found.unmatched
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["evaluation.json", "sheet-000.png"]
    assert BetweenShotsEvaluation.model_validate_json((tmp_path / "out/evaluation.json").read_text()) == found
    sheet = cv2.imread(str(tmp_path / "out/sheet-000.png"))
    assert sheet is not None
    label, gutter, height, width = 18, 4, 96, 160
    assert sheet.shape[:2] == (4 * (label + height) + 7 * gutter, 2 * width + gutter)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (
            ("--between-shots",),
            "--between-shots: name the look whose colours are compared, as in `farm evaluate colorize --on FILM --between-shots`.",
        ),
        (
            ("colorize", "--between-shots", "--anchors", "middle", "--strengths", "1"),
            "--between-shots goes without --anchors and --strengths: it finds its frames itself, for one look.",
        ),
    ],
)
def test_the_command_refuses_in_one_sentence(film: Path, asked: tuple[str, ...], sentence: str) -> None:
    said = farm("evaluate", *asked, "--on", film)
    assert (said.code, said.sentence) == (2, sentence)


def test_what_cannot_be_judged_is_refused_before_anybody_is_hired(tmp_path: Path, film: Path) -> None:
    kept(tmp_path / "a.png", patches(1))
    with pytest.raises(BadSpec, match="holds photographs; name a film"):
        evaluate_between_shots(BetweenShotsRequest(on=str(tmp_path), look=LOOK))
    fleet = InlineFleet()
    with pytest.raises(BadSpec, match="does not keep the film's luma"):
        judged(film, fleet, look=LookChoice(name="style"))
    assert not fleet.pools
