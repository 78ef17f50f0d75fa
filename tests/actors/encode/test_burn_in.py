"""What is drawn over frames: numbers and texts are read back by Pillow's own drawing of them, and nothing else of the picture changes."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from actors.encode.burn_in import BurnInDrawer
from actors.media.planes import planes_of
from jobs.records.burn_in import BurntIn
from jobs.records.orders import Encoding
from tests.paper import encoding_of, picture_of

WIDTH, HEIGHT = 960, 540
LINE = HEIGHT // 24
Grey = NDArray[np.uint8]
FIELDS: Mapping[str, Any] = {"title": "", "text": "", "frame": True, "rate": Fraction(25), "start": "10:00:00:00"}


def letter(text: str, line: int, around: int = 2) -> Grey:
    """As Pillow draws it, cut to its ink and so many pixels around it."""
    image = Image.new("L", (len(text) * line + 4 * line, 3 * line))
    ImageDraw.Draw(image).text((line, line), text, fill=255, font=ImageFont.load_default(line * 0.8))
    box = image.getbbox()
    assert box
    return np.asarray(image.crop((box[0] - around, box[1] - around, box[2] + around, box[3] + around)), np.uint8)


def read(luma: Grey, line: int = LINE) -> str:
    """Digits, by where they are most like Pillow's."""
    found: list[tuple[float, int, str]] = []
    for one in "0123456789":
        glyph = letter(one, line)
        likeness = cv2.matchTemplate(luma, glyph, cv2.TM_CCOEFF_NORMED)
        found += [
            (float(likeness[row, column]), int(column), one)
            for row, column in zip(*np.nonzero(likeness > 0.75), strict=True)
        ]
    said: list[tuple[int, str]] = []
    for _, column, one in sorted(found, reverse=True):
        if all(abs(column - other) > line // 4 for other, _ in said):
            said.append((column, one))
    return "".join(one for _, one in sorted(said))


def frame_of(form: str, level: int = 90) -> VideoFrame:
    rng = np.random.default_rng(1)
    frame = VideoFrame(WIDTH, HEIGHT, form)
    scale = 2 ** (frame.format.components[0].bits - 8)
    for place, plane in enumerate(planes_of(frame)):
        soft = cv2.resize(rng.uniform(-30, 30, (9, 16)).astype(np.float32), plane.shape[::-1])
        plane[:] = (((128 if place else level) + soft) * scale).astype(plane.dtype)
    return frame


def drawn(given: VideoFrame, number: int, turned: int = 0, full: bool = False, **fields: Any) -> VideoFrame:
    burnt = BurntIn.model_validate({**FIELDS, **fields})
    form = given.format.name
    film = picture_of(form, WIDTH, HEIGHT, full=full).model_copy(update={"rotation": turned})
    plain = encoding_of(film, form)
    told = {"burn_in": burnt, "width": given.width, "height": given.height}
    encoding: Encoding = plain.model_copy(
        update={**told, "colour": plain.colour.model_copy(update={"full_range": full})}
    )
    return BurnInDrawer(film, encoding).drawn(given, number)


def luma_of(frame: VideoFrame) -> Grey:
    plane = planes_of(frame)[0].astype(np.float64) / 2 ** (frame.format.components[0].bits - 8)
    return np.asarray(plane.round(), np.uint8)


@pytest.mark.parametrize("form", ["yuv420p", "yuv422p10le", "yuv444p12le", "gray", "gray10le"])
@pytest.mark.parametrize("number", [0, 7, 138_469])
def test_number_and_time_code_are_read_back(form: str, number: int) -> None:
    luma = luma_of(drawn(frame_of(form), number))
    below = luma[-2 * LINE :]
    assert read(below[:, WIDTH // 2 :]) == str(number)
    seconds, frames = divmod(number, 25)
    code = f"{10 + seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}{frames:02d}"
    assert read(below[:, : WIDTH // 2]) == code


def test_the_frame_that_is_given_stays_and_so_does_all_beside_the_texts() -> None:
    frame = frame_of("yuv420p")
    before = [plane.copy() for plane in planes_of(frame)]
    after = planes_of(drawn(frame, 3))
    assert all((plane == was).all() for plane, was in zip(planes_of(frame), before, strict=True))
    for plane, was in zip(after, before, strict=True):
        rows = np.nonzero((plane != was).any(axis=1))[0]
        assert rows.min() >= plane.shape[0] - 2 * LINE * plane.shape[0] // HEIGHT
    bare = drawn(frame, 3, frame=False, rate=None)
    assert all((plane == was).all() for plane, was in zip(planes_of(bare), before, strict=True))


def test_letters_are_white_without_colour_and_stay_within_levels() -> None:
    for full, black, white in ((False, 16, 235), (True, 0, 255)):
        luma, blue, red = planes_of(drawn(frame_of("yuv444p"), 888, full=full))
        text = luma[-2 * LINE :, -6 * LINE :]
        assert (int(text.max()), int(luma.min()) >= black) == (white, True)
        solid = luma == white
        assert solid.any()
        assert {*np.unique(blue[solid]), *np.unique(red[solid])} == {128}


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_texts_stand_upright_as_the_film_is_seen(turned: int) -> None:
    seen = np.rot90(luma_of(drawn(frame_of("yuv420p"), 4711, turned)), turned // 90)
    line = max(10, min(seen.shape[0] // 24, seen.shape[1] // 14))
    assert read(np.ascontiguousarray(seen[-2 * line :, seen.shape[1] // 2 :]), line) == "4711"


HOSTILE = "<script>%{pts}:'\\x00{title}$(id)</script>"


def test_any_text_is_drawn_as_it_is_and_what_has_no_letter_is_told_by_a_question_mark() -> None:
    def title(text: str) -> Grey:
        return luma_of(drawn(frame_of("gray", 60), 0, title=text))[: 2 * LINE]

    likeness = cv2.matchTemplate(title(HOSTILE), letter(HOSTILE, LINE), cv2.TM_CCOEFF_NORMED)
    assert likeness.max() > 0.8
    assert (title("Bäume 東") == title("Baume ?")).all()
    assert luma_of(drawn(frame_of("gray"), 0, title="W" * 3000, text="M" * 3000)).shape == (HEIGHT, WIDTH)


def test_a_watermark_is_faint_and_across_the_middle() -> None:
    plain, marked = (luma_of(drawn(frame_of("gray", 60), 0, text=text)).astype(int) for text in ("", "NOT FOR RELEASE"))
    rows, columns = np.nonzero(plain != marked)
    assert abs(rows.mean() - HEIGHT / 2) < 2 * LINE
    assert abs(columns.mean() - WIDTH / 2) < 2 * LINE
    assert 30 < (marked - plain).max() < 60
