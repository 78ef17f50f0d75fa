"""Names of stills: written, and read back from what painting programs make of them."""

import pytest

from jobs.stills.names import frame_of, still_name, timecode_of


@pytest.mark.parametrize(
    ("timecode", "written"),
    [("00:00:05:03", "00-00-05-03"), ("01:00:00;02", "01-00-00-02"), ("00:01:02.345", "00-01-02.345")],
)
def test_a_name_tells_its_frame_and_its_time(timecode: str, written: str) -> None:
    name = still_name(3, 123, timecode)
    assert name == f"shot0003.f000123.{written}.png"
    assert frame_of(name) == 123
    assert timecode_of(name) == timecode.replace(";", ":")


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("shot0003.f000123.00-00-05-03 copy.JPG", 123),
        ("a.F7.Tiff", 7),
        ("x.f0.tif", 0),
        ("x.f12 (1).jpeg", 12),
        ("x.f20000001.png", 20000001),
        ("notes.txt", None),
        ("x.f12.psd", None),
        ("sheet-001.jpg", None),
        (".x.f12.png", None),
        ("x.final.png", None),
        ("xf12.png", None),
        ("f12.png", None),
    ],
)
def test_what_counts_is_the_number_behind_f(name: str, frame: int | None) -> None:
    assert frame_of(name) == frame
