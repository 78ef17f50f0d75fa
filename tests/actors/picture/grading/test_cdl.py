"""ASC CDLs as files: what is read, and that all else is refused in one sentence."""

import re

import pytest

from actors.picture.grading.cdl import read_cdl, read_edl
from jobs.errors import BadSpec
from jobs.spec.grade import Cdl

SOP = "<SOPNode><Description>day</Description><Slope>1.1 1 0.9</Slope><Offset>0.01 0 -0.02</Offset><Power>1 1 1.2</Power></SOPNode>"
SAT = "<SatNode><Saturation>0.8</Saturation></SatNode>"
ONE = f'<?xml version="1.0" encoding="UTF-8"?><!-- by hand --><ColorCorrection id="sh1">{SOP}{SAT}</ColorCorrection>'
WANTED = Cdl(slope=(1.1, 1, 0.9), offset=(0.01, 0, -0.02), power=(1, 1, 1.2), saturation=0.8)
COLLECTION = (
    f'<ColorCorrectionCollection xmlns="urn:ASC:CDL:v1.01"><ColorCorrection id="sh1">{SOP}<SATNode><Saturation>0.8</Saturation></SATNode></ColorCorrection>'
    f'<ColorCorrection id="sh2">{SOP}</ColorCorrection></ColorCorrectionCollection>'
)
DECISIONS = f'<ColorDecisionList><ColorDecision><ColorCorrection id="sh1">{SOP}{SAT}</ColorCorrection></ColorDecision></ColorDecisionList>'


@pytest.mark.parametrize(("text", "wanted"), [(ONE, None), (ONE, "sh1"), (COLLECTION, "sh1"), (DECISIONS, None)])
def test_a_correction_is_read(text: str, wanted: str | None) -> None:
    assert read_cdl(text.encode(), "a.cc", wanted) == WANTED


def test_what_a_correction_leaves_out_is_at_rest() -> None:
    assert read_cdl(COLLECTION.encode(), "a.ccc", "sh2").saturation == 1
    assert read_cdl(b"<ColorCorrection/>", "a.cc", None) == Cdl()


BOMB = f'<!DOCTYPE l [<!ENTITY a "aaaa">]>{ONE[ONE.index("<ColorC") :]}'


@pytest.mark.parametrize(
    ("text", "wanted", "why"),
    [
        ("", None, "is no XML of an ASC CDL"),
        ("LUT_1D_SIZE 2", None, "is no XML of an ASC CDL"),
        ("<html/>", None, "has no ColorCorrection"),
        (BOMB, None, "declares a document type or entities"),
        (COLLECTION, None, "has 2 corrections (sh1, sh2); say which is meant with cdl_id"),
        (COLLECTION, "sh3", "has no correction 'sh3'; it has sh1, sh2"),
        (ONE.replace("1.1 1 0.9", "nan 1 0.9"), None, "its slope is not what an ASC CDL has"),
        (ONE.replace("1.1 1 0.9", "-1 1 0.9"), None, "its slope is not what an ASC CDL has"),
        (ONE.replace("1.1 1 0.9", "1 1"), None, "its slope is not what an ASC CDL has"),
        (ONE.replace("1 1 1.2", "1 1 0"), None, "its power is not what an ASC CDL has"),
        (ONE.replace(">0.8<", "><"), None, "its saturation is not what an ASC CDL has"),
    ],
)
def test_what_is_no_cdl_is_refused_in_one_sentence(text: str, wanted: str | None, why: str) -> None:
    with pytest.raises(BadSpec) as refusal:
        read_cdl(text.encode(), "a.cc", wanted)
    assert why in str(refusal.value)
    assert "\n" not in str(refusal.value)


EDL = """TITLE: show
FCM: NON-DROP FRAME
001  A001 V C        10:00:00:00 10:00:04:00 01:00:00:00 01:00:04:00
* ASC_SOP (1.1 1 0.9)(0.01 0 -0.02)(1 1 1.2)
* ASC_SAT 0.8
002  A002 V C        10:00:00:00 10:00:00:00 01:00:04:00 01:00:04:00
002  A003 V D    024 10:00:00:00 10:00:02:00 01:00:04:00 01:00:06:00
* FROM CLIP NAME: x
003  A003 V C        10:00:00:00 10:00:02:00 01:00:06:00 01:00:08:00
*ASC_SAT 0.5
"""


def test_an_edls_comments_are_the_corrections_of_its_events() -> None:
    first, last = read_edl(EDL.encode(), "show.edl")
    assert (first.start, first.stop, first.cdl) == ("01:00:00:00", "01:00:04:00", WANTED)
    assert (last.start, last.cdl) == ("01:00:06:00", Cdl(saturation=0.5))
    assert [first.covers(name) for name in ("00:59:59:23", "01:00:00:00", "01:00:03;23", "01:00:04:00")] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("TITLE: show", "has no event with a comment ASC_SOP or ASC_SAT"),
        (
            EDL.replace("0.01 0 -0.02", "0.01 0"),
            "event at 01:00:00:00 cannot be used: its offset is not what an ASC CDL has",
        ),
        (EDL.replace("SAT 0.5", "SAT nan"), "event at 01:00:06:00 cannot be used: its saturation is not"),
    ],
)
def test_an_edl_without_corrections_is_refused_in_one_sentence(text: str, why: str) -> None:
    with pytest.raises(BadSpec, match=re.escape(why)):
        read_edl(text.encode(), "show.edl")
