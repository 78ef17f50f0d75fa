"""Mixture: each kind of hardware beside the first is told once."""

import io

from farm.progress.console import ProgressConsole
from farm.progress.mixed_hardware import MixedHardware
from farm.progress.plain_console import PlainConsole


def test_a_second_kind_is_told_once_and_more_cores_are_none() -> None:
    said = io.StringIO()
    mixture = MixedHardware(ProgressConsole(console=PlainConsole(file=said, width=500)))
    mixture.heard(["NVIDIA L4"])
    mixture.heard(["NVIDIA L4"])
    mixture.heard([])
    assert said.getvalue() == ""
    for _ in range(2):
        mixture.heard(["NVIDIA A10G", "NVIDIA L4 + NVIDIA A10G"])
    assert said.getvalue().count("mixed hardware: pictures are made on NVIDIA L4 and on NVIDIA A10G") == 1
    mixture.heard(["x86_64 AVX2, 2 cores"])
    mixture.heard(["x86_64 AVX2, 4 cores"])
    assert said.getvalue().count("mixed hardware") == 2
