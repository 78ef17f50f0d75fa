"""HDR10's static metadata: that hevc tells what the source told, in every container, and that other deliverables say what they lose."""

from pathlib import Path

import av
import pytest

from actors.survey.hdr_metadata import light_of
from actors.survey.surveyor import Surveyor
from jobs.film.source import Light
from jobs.spec.codecs import Codec, Container
from jobs.spec.formats import Deliverable
from tests.actors.reels import reel
from tests.films import Recipe

LIGHT = Light(display="G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)", level="1000,400")
DISPLAY = Light(display=LIGHT.display, level="")
LEVEL = Light(display="", level=LIGHT.level)
NOT_TOLD = "the mastering display and light level (HDR10) are not told"


def graded(path: Path, light: Light | None) -> Path:
    """A film of 10 bits that was graded so."""
    said = f":master-display={light.display}" if light and light.display else ""
    said += f":max-cll={light.level}" if light and light.level else ""
    params = f"keyint=4:log-level=none:pools=1:frame-threads=1:hdr10={int(bool(light))}{said}"
    options = {"x265-params": params}
    return Recipe(8, (64, 48), codec="libx265", pix_fmt="yuv420p10le", matrix="bt2020", options=options).make(path)


def told(path: Path) -> Light | None:
    """What the first frame says."""
    with av.open(str(path)) as media:
        return light_of(next(media.decode(video=0)))


@pytest.mark.parametrize("light", [LIGHT, DISPLAY, LEVEL], ids=["both", "display", "level"])
@pytest.mark.parametrize("container", ["mp4", "mov", "mkv"])
def test_hevc_tells_what_the_source_tells(tmp_path: Path, light: Light, container: str) -> None:
    source = graded(tmp_path / "a.mkv", light)
    wish = Deliverable(codec=Codec.HEVC, depth=10, container=Container(container), preset="ultrafast")
    made = reel(source, tmp_path, wish, (3,))
    assert made.film.picture.light == light
    assert NOT_TOLD not in made.plan.fates[0].detail
    assert made.inspect(made.stitch()).findings == ()
    assert told(made.path) == light


@pytest.mark.parametrize("codec", [Codec.H264, Codec.PRORES, Codec.FFV1])
def test_others_say_that_they_do_not(tmp_path: Path, codec: Codec) -> None:
    source = graded(tmp_path / "a.mkv", LIGHT)
    assert NOT_TOLD in reel(source, tmp_path, Deliverable(codec=codec)).plan.fates[0].detail


def test_a_film_that_tells_nothing_has_none(tmp_path: Path) -> None:
    source = graded(tmp_path / "a.mkv", None)
    assert Surveyor(str(source)).film().picture.light is None
    made = reel(source, tmp_path, Deliverable(codec=Codec.HEVC, depth=10, preset="ultrafast"))
    assert "hdr10" not in made.plan.encoding.options["x265-params"]
    assert NOT_TOLD not in made.plan.fates[0].detail
