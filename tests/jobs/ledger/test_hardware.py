"""Kinds of hardware on paper: what counts as one kind, and that a job which refuses others keeps to the first."""

from pathlib import Path

import pytest

from jobs.errors import NodeFault
from jobs.ledger.hardware import kinds_of, refuse_other
from jobs.ledger.ledger import Ledger


def test_cores_are_no_kind_and_an_opening_may_have_two() -> None:
    assert kinds_of("x86_64 AVX2, 2 cores") == kinds_of("x86_64 AVX2, 64 cores") == {"x86_64 AVX2"}
    assert kinds_of("NVIDIA L4 + x86_64 AVX512, 8 cores") == {"NVIDIA L4", "x86_64 AVX512"}
    assert kinds_of("NVIDIA L4, onnxruntime CUDAExecutionProvider + NVIDIA L4") == {"NVIDIA L4"}
    assert len(kinds_of("NVIDIA L4 + NVIDIA L4, batches of 4")) == 2


def test_the_first_kind_is_the_jobs(tmp_path: Path) -> None:
    ledger = Ledger.at(str(tmp_path), "film")
    refuse_other(ledger, "x86_64 AVX2, 2 cores")
    refuse_other(ledger, "x86_64 AVX2, 8 cores")
    with pytest.raises(
        NodeFault, match=r"is rendered on x86_64 AVX2, and here is NVIDIA L4, .* or set mixed: warn"
    ) as caught:
        refuse_other(ledger, "NVIDIA L4")
    assert caught.value.lasting
    refuse_other(Ledger.at(str(tmp_path), "another film"), "NVIDIA L4")
