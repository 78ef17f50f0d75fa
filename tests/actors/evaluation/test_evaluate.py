"""The evaluator: looks whose pictures are known have the figures that follow from them, on the way that a film's frames go."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from actors.evaluation.evaluate import Evaluator, is_grey
from actors.evaluation.evaluation_orders import EvaluationMaterial, names_in
from actors.evaluation.photographs import as_frame, read_photograph
from actors.looks import fit
from actors.picture.frame_batches import batches_of
from actors.picture.image_metrics import MOST_DB, de00, luma_of
from jobs.errors import BadMedia, FilmFailed
from jobs.records.evaluation import Figures, JudgedPicture, SkippedPicture
from jobs.spec.job import LookChoice
from jobs.store import open_store
from tests.actors.evaluation.pictures import grey, kept, patches

STRENGTHS = (0.0, 0.5, 1.0, 2.0)


def evaluator(on: Path | str, *looks: str, out: Path | str | None = None, **settings: Any) -> Evaluator:
    fitted = [fit(LookChoice(name=name, settings=settings if not place else {})) for place, name in enumerate(looks)]
    return Evaluator(EvaluationMaterial(str(on), str(out) if out else None), fitted, STRENGTHS)


def judged(on: Path, *looks: str, **settings: Any) -> JudgedPicture:
    """The first photograph of a folder."""
    (found,) = evaluator(on, *looks, **settings).photographs(0, names_in(str(on))[:1])
    assert isinstance(found, JudgedPicture)
    return found


def test_a_look_without_colours_is_grey(tmp_path: Path) -> None:
    kept(tmp_path / "a.png", patches(1))
    found = judged(tmp_path, "none")  # it gives back the chroma it is shown, and is shown none
    assert found.looks == ((found.grey,) * len(STRENGTHS),)
    truth = torch.from_numpy(patches(1).copy()).permute(2, 0, 1)[None] / 255
    wanted = float(de00(luma_of(truth).expand(-1, 3, -1, -1), truth))
    assert found.grey.de00 == pytest.approx(wanted, abs=0.2)  # 8-bit Y'CbCr
    assert found.grey.de00 > 5
    assert found.grey.colourfulness == pytest.approx(0, abs=1e-3)
    assert found.grey.ssim == pytest.approx(1, abs=1e-3)
    assert found.grey.psnr < 30


def test_a_look_that_gives_the_truth_has_no_distance(tmp_path: Path) -> None:
    # The colours that test-calm gives for these greys, at its own size, so that nothing is resampled.
    luma = luma_of(torch.from_numpy(patches(2).copy()).permute(2, 0, 1)[None] / 255)
    blue, red = luma + (luma - 0.5) * 0.4, luma + (0.5 - luma) * 0.4
    green = (luma - 0.2126 * red - 0.0722 * blue) / 0.7152
    photo = (torch.cat((red, green, blue), 1) * 255).round()[0].permute(1, 2, 0).numpy().astype(np.uint8)
    kept(tmp_path / "a.png", photo)
    none, half, whole, twice = judged(tmp_path, "test-calm").looks[0]
    assert whole.de00 < 0.5  # steps of 8 bits
    assert whole.chroma_psnr > 45
    assert none.de00 > 4
    assert none.de00 / 2 == pytest.approx(half.de00, rel=0.2)
    assert twice.de00 > half.de00
    assert whole.colourfulness == pytest.approx(2 * half.colourfulness, rel=0.02)


def test_a_look_that_gives_a_picture_is_shown_the_truth(tmp_path: Path) -> None:
    kept(tmp_path / "a.png", patches(3))
    (curve,) = judged(tmp_path, "test-negative").looks
    assert len(curve) == 3  # no strength beyond 1
    same, half, negative = curve
    assert (same.de00, same.psnr) == pytest.approx((0, MOST_DB))
    # Half way to its negative every picture is the same grey.
    assert half.colourfulness < 1
    assert negative.colourfulness == pytest.approx(judged(tmp_path, "none").colourfulness, rel=0.02)
    assert negative.ssim < 0


def test_a_look_that_gives_luma_leaves_chroma(tmp_path: Path) -> None:
    kept(tmp_path / "a.png", patches(4))
    same, _, negative = judged(tmp_path, "test-calm", domain="luma").looks[0]
    assert same.de00 == 0
    assert negative.chroma_psnr > 40
    assert negative.psnr < 20


def test_several_looks_are_judged_side_by_side(tmp_path: Path) -> None:
    kept(tmp_path / "a.png", patches(5))
    both = judged(tmp_path, "test-calm", "none")
    assert both.looks == (judged(tmp_path, "test-calm").looks[0], judged(tmp_path, "none").looks[0])
    told = evaluator(tmp_path, "test-calm", "test-negative").candidates()
    assert told == (("chroma", STRENGTHS), ("rgb", STRENGTHS[:3]))


def test_grey_pictures_are_passed_over(tmp_path: Path) -> None:
    kept(tmp_path / "a.png", grey())
    kept(tmp_path / "b.png", patches(6))
    first, second = evaluator(tmp_path, "none", out=tmp_path / "out").photographs(3, ["a.png", "b.png"])
    assert first == SkippedPicture(name="a.png")
    assert isinstance(second, JudgedPicture)
    list(evaluator(tmp_path, "none", out=tmp_path / "out").photographs(4, ["a.png"]))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["sheet-003.png"]


def test_a_tint_is_no_colour() -> None:
    ramp = torch.linspace(0.1, 0.9, 256).expand(1, 3, 8, 256)
    assert is_grey(ramp)
    assert is_grey(ramp + torch.tensor([0.05, 0, -0.05])[None, :, None, None])
    assert not is_grey(ramp * torch.tensor([1, 0.9, 0.8])[None, :, None, None])


def test_a_sheet_shows_grey_result_and_truth(tmp_path: Path) -> None:
    kept(tmp_path / "a.png", patches(7))
    kept(tmp_path / "b.png", patches(8, 60, 30))
    list(evaluator(tmp_path, "none", out=tmp_path / "out").photographs(0, ["a.png", "b.png"]))
    sheet = cv2.imread(str(tmp_path / "out/sheet-000.png"))
    assert sheet is not None
    rows, gutter = (60, 60, 60), 4
    assert sheet.shape[0] == sum(rows) + 3 * 18 + 5 * gutter
    assert sheet.shape[1] == 40 + gutter + 30
    top = sheet.shape[0] - 60
    shown = sheet[top : top + 24, :40, ::-1].astype(int)
    assert np.abs(shown - patches(7)).max() <= 3
    first = sheet[18 + gutter :][:24, :40].astype(int)
    assert np.abs(first - first[..., :1]).max() == 0


def test_photographs_lie_in_s3_too(s3_bucket: str) -> None:
    store = open_store(f"s3://{s3_bucket}")
    done, data = cv2.imencode(".png", patches(9)[:, :, ::-1])
    assert done
    store.write("photos/deep/a.PNG", data.tobytes())
    store.write("photos/read.me", b"text")
    at, out = f"s3://{s3_bucket}/photos", f"s3://{s3_bucket}/out"
    assert names_in(at) == ["deep/a.PNG"]
    (found,) = evaluator(at, "none", out=out).photographs(0, names_in(at))
    assert found.name == "deep/a.PNG"
    assert list(store.list("out/")) == ["out/sheet-000.png"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "cannot be read as a picture"),
        (b"no picture at all", "cannot be read as a picture"),
        (
            cv2.imencode(".png", np.zeros((10, 40, 3), np.uint8))[1].tobytes(),
            "is 40x10; pictures of at least 11 pixels",
        ),
    ],
)
def test_a_file_that_is_no_photograph_is_named(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(BadMedia, match=words) as error:
        list(evaluator(tmp_path, "none").photographs(0, ["a.png"]))
    assert "a.png" in str(error.value)


def test_a_folder_without_photographs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"x")
    with pytest.raises(BadMedia, match="holds no photographs"):
        names_in(str(tmp_path))


@pytest.mark.parametrize("how", ["few", "many"])
def test_a_look_that_miscounts_is_named(tmp_path: Path, how: str) -> None:
    kept(tmp_path / "a.png", patches(1))
    with pytest.raises(FilmFailed, match=r"test-broken.*one picture for each frame.*a\.png"):
        judged(tmp_path, "test-broken", how=how)


def test_a_photograph_becomes_a_frame_and_stays_what_it_is(tmp_path: Path) -> None:
    kept(tmp_path / "a.png", patches(10))
    rgb = read_photograph(open_store(str(tmp_path)), "a.png")
    frame, picture = as_frame(rgb)
    ((_, batch),) = batches_of([frame], picture, 1, torch.device("cpu"))
    assert float((batch.rgb() - rgb).abs().max()) < 1.5 / 255
    assert float((255 * rgb - torch.from_numpy(patches(10).copy()).permute(2, 0, 1)).abs().max()) < 1e-3


def test_figures_of_the_same_picture_are_the_same_in_any_company(tmp_path: Path) -> None:
    for number in range(3):
        kept(tmp_path / f"{number}.png", patches(number, 24 + 4 * number, 40))
    together = list(evaluator(tmp_path, "test-calm").photographs(0, names_in(str(tmp_path))))
    alone = [one for name in names_in(str(tmp_path)) for one in evaluator(tmp_path, "test-calm").photographs(0, [name])]
    assert together == alone
    assert all(isinstance(one, JudgedPicture) and isinstance(one.grey, Figures) for one in together)
