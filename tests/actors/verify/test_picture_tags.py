"""The time code: in every container that of the first frame, or left out with a word at plan time."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from actors.survey.probe import timecode_of
from jobs.spec.codecs import Codec, Container
from jobs.spec.formats import Deliverable
from tests.actors.reels import dressed, reel
from tests.films import Recipe

MOV = Deliverable(container=Container.MOV, preset="ultrafast", crf=30)
MXF = Deliverable(codec=Codec.PRORES, container=Container.MXF)


@pytest.mark.parametrize(
    ("rate", "code", "written", "said"),
    [
        ("24", "01:00:00:10", "01:00:00:10", ""),
        ("30000/1001", "01:00:00;10", "01:00:00;10", ""),
        ("25", "01:00:00;00", "01:00:00:00", "is written as 01:00:00:00"),
        ("24", "01:00:00:30", "", "time code 01:00:00:30 is left out, for at 24 frames a second no frame has it"),
        ("120", "01:00:00:10", "", "time code 01:00:00:10 is left out"),
    ],
)
@pytest.mark.parametrize("container", ["mov", "mxf"])
def test_a_code_is_written_as_its_rate_counts_or_left_out(
    tmp_path: Path, rate: str, code: str, written: str, said: str, container: str
) -> None:
    plain = Recipe(frames=6, size=(64, 48), rate=Fraction(rate)).make(tmp_path / "plain.mkv")
    made = reel(dressed(plain, tmp_path / "a.mkv", timecode=code), tmp_path, MXF if container == "mxf" else MOV)
    detail = made.plan.fates[0].detail
    assert ("time code" in detail) == bool(said)
    assert said in detail
    assert made.inspect(made.stitch()).findings == ()
    with av.open(str(made.path)) as media:
        told = timecode_of(media, media.streams.video[0])
    # MXF has a time code always: where none is given, one of noughts.
    assert told == written if written else not told.strip("0:")


@pytest.mark.parametrize(("deliverable", "code"), [(MOV, "01:00:00:20"), (MXF, "01:00:01:08")], ids=["mov", "mxf"])
@pytest.mark.parametrize("first", ["late", "hidden"])
def test_a_film_that_begins_late_keeps_its_code_in_step(
    tmp_path: Path, deliverable: Deliverable, code: str, first: str
) -> None:
    recipe = Recipe(
        frames=12, size=(64, 48), rate=Fraction(24), start=12 * (first == "late"), hidden=3 * (first != "late")
    )
    source = dressed(recipe.make(tmp_path / "plain.mov"), tmp_path / "a.mov", timecode="01:00:00:20")
    made = reel(source, tmp_path, deliverable)
    assert made.inspect(made.stitch()).findings == ()
    with av.open(str(made.path)) as media:
        assert timecode_of(media, media.streams.video[0]) == (code if first == "late" else "01:00:00:20")
