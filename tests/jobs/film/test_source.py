"""A film on paper: what is said of its development, and what of it names its pictures."""

import pytest

from jobs.film.source import WITHIN_16_BIT, Picture
from tests.paper import picture_of


def developed(stored: str, pix_fmt: str) -> Picture:
    return picture_of(pix_fmt).model_copy(update={"stored": stored})


@pytest.mark.parametrize(
    ("stored", "pix_fmt", "lossy"),
    [
        ("rgb48be", "yuv444p16le", True),
        ("rgba64le", "yuv444p16le", True),
        ("gbrap16le", "yuv444p16le", True),
        ("gbrp14le", "yuv444p16le", False),
        ("gbrpf16le", "yuv444p16le", False),
        ("gbrpf32le", "yuv444p16le", False),
        ("rgb24", "yuv444p10le", False),
        ("gray16be", "gray16le", False),
    ],
)
def test_only_integers_of_16_bit_lose_steps(stored: str, pix_fmt: str, lossy: bool) -> None:
    said = developed(stored, pix_fmt).remarks
    assert any(f"within {WITHIN_16_BIT} steps" in words for words in said) is lossy


def test_a_pictures_name_holds_all_of_its_development() -> None:
    plain, made = picture_of("yuv420p"), developed("rgb24", "yuv444p10le")
    assert made.development is not None
    assert made.named()["development"] == made.development.model_dump(mode="json")
    assert "development" not in plain.named()
    woven = plain.model_copy(update={"deinterlace": True})
    names = [one.named() for one in (plain, made, woven, woven.model_copy(update={"fields": "top"}))]
    assert all(one not in names[:place] for place, one in enumerate(names))
