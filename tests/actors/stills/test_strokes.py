"""Layers of strokes: known by how much of them is transparent, and taken as they lie."""

import io

import numpy as np
import pytest
from PIL import Image

from actors.stills.headers import measured
from actors.stills.matching import lay_strokes
from actors.stills.reading import read_still
from jobs.errors import BadMedia
from jobs.stills.listing import StillFile
from tests.actors.stills.pictures import grey_frame
from tests.paper import picture_of


def layer(painted: int, mode: str = "RGBA", alpha: int = 255, size: tuple[int, int] = (100, 100)) -> bytes:
    """A picture of which so many upper rows are painted."""
    picture = Image.new("RGBA", size)
    picture.paste((200, 60, 40, alpha), (0, 0, size[0], painted))
    file = io.BytesIO()
    picture.convert(mode).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("painted", "mode", "alpha", "expected"),
    [
        (9, "RGBA", 255, True),
        (11, "RGBA", 255, False),
        (11, "RGBA", 1, False),  # paint, however faint
        (9, "LA", 255, True),
        (0, "RGBA", 255, True),
        (9, "RGB", 255, False),
    ],
)
def test_a_layer_is_known_by_how_much_of_it_is_transparent(painted: int, mode: str, alpha: int, expected: bool) -> None:
    data = layer(painted, mode, alpha)
    still = StillFile(name="a.f1.png", frame=1, sha256="", bytes=len(data))
    assert measured(data, still).strokes is expected


@pytest.mark.parametrize("light", [0.25, 0.5, 0.8])
def test_a_stroke_lies_where_it_was_drawn_with_chroma_in_proportion_to_its_frame_s_luma(light: float) -> None:
    film = picture_of("yuv444p", 50, 50)
    frame = grey_frame(np.full((50, 50, 3), round(255 * light), np.uint8), film)
    found = lay_strokes(read_still(layer(8), "a.f1.png"), frame, film)
    assert np.array_equal(found.weight_HW[:4], np.ones((4, 50)))
    assert not found.weight_HW[5:].any()
    red, green, blue = np.array([200, 60, 40]) / 255
    kr, kb = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}[film.colour.matrix]
    luma = kr * red + kb * blue + (1 - kr - kb) * green
    share = min(1.5, (light + 0.05) / (luma + 0.05))
    for plane, wanted in zip(found.chroma_2HW, (blue - luma, red - luma), strict=True):
        assert np.abs(plane[:3] - share * wanted).max() < 0.01


def test_a_layer_of_another_shape_is_refused() -> None:
    film = picture_of("yuv444p", 50, 50)
    frame = grey_frame(np.zeros((50, 50, 3), np.uint8), film)
    with pytest.raises(BadMedia, match="another shape"):
        lay_strokes(read_still(layer(8, size=(100, 60)), "a.f1.png"), frame, film)
