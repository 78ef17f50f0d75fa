"""A GPU's own encoder: what it is given, and that a machine which has none is told so at a worker's start."""

from pathlib import Path

import pytest
import torch

from actors.encode.nvenc import check_encoders
from actors.encode.nvenc_settings import TrialEncoder, encoders_wanted
from actors.render.renderer import Renderer
from jobs.errors import NodeFault
from jobs.spec.codecs import Codec
from jobs.spec.formats import Deliverable

WITHOUT = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here, which may have NVENC")


def test_each_encoder_is_wanted_once_in_its_own_form() -> None:
    wanted = encoders_wanted(
        [
            Deliverable(encoder="nvenc"),
            Deliverable(encoder="nvenc", name="b"),
            Deliverable(codec=Codec.HEVC, depth=10, encoder="nvenc"),
            Deliverable(),
            Deliverable(codec=Codec.FFV1),
        ]
    )
    assert [(one.name, one.pix_fmt) for one in wanted] == [("h264_nvenc", "yuv420p"), ("hevc_nvenc", "p010le")]
    assert dict(wanted[0].options)["rc"] == "constqp"
    assert not encoders_wanted([Deliverable()])


def test_an_encoder_that_works_is_found_to_work_by_a_frame_that_it_encodes() -> None:
    check_encoders([TrialEncoder("libx264", "yuv420p"), TrialEncoder("prores_ks", "yuv422p10le")])


@pytest.mark.parametrize(
    "lacking",
    [
        TrialEncoder("no_such_encoder", "yuv420p"),  # of a libavcodec built without it
        TrialEncoder("libx264", "yuv420p", (("preset", "no such"),)),  # opened, and refused
    ],
)
def test_an_encoder_that_does_not_work_is_the_machines_fault_for_good(lacking: TrialEncoder) -> None:
    with pytest.raises(NodeFault, match=f"{lacking.name} cannot be opened") as caught:
        check_encoders([TrialEncoder("libx264", "yuv420p"), lacking])
    assert caught.value.lasting


@WITHOUT
@pytest.mark.parametrize("deliverable", [Deliverable(encoder="nvenc"), Deliverable(codec=Codec.HEVC, encoder="nvenc")])
def test_a_renderer_without_nvenc_does_not_start_for_a_job_that_needs_it(
    deliverable: Deliverable, tmp_path: Path
) -> None:
    with pytest.raises(NodeFault) as caught:
        Renderer(str(tmp_path), "film", [], 1, encoders=encoders_wanted([deliverable]))
    said = str(caught.value)
    assert f"{deliverable.codec}_nvenc cannot be opened" in said
    assert "A100, H100 and H200 have no NVENC" in said
    assert "set the deliverable's encoder to software" in said
    assert "\n" not in said
    Renderer(str(tmp_path), "film", [], 1, encoders=encoders_wanted([Deliverable()]))
