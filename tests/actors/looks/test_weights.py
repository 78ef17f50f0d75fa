"""Weights of a package: read in float32 whatever they were kept in, and one sentence for those that do not fit."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save, save_file
from torch import Tensor, nn

from actors.looks.package import LookDocument, Package, shape_of
from actors.looks.weights import loaded
from jobs.document import Document
from jobs.errors import BadLook


class Shape(Document):
    width: int = 2


def build() -> nn.Linear:
    return nn.Linear(2, 3)


def whole() -> dict[str, Tensor]:
    return {"weight": torch.arange(6.0).reshape(3, 2), "bias": torch.ones(3)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_weights_are_read_as_float32(tmp_path: Path, dtype: torch.dtype) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({name: one.to(dtype) for name, one in whole().items()}, path)
    network = loaded(path, build)
    assert torch.equal(network(torch.tensor([[1.0, 2.0]])), torch.tensor([[3.0, 9.0, 15.0]]))
    assert {one.dtype for one in network.parameters()} == {torch.float32}
    assert not any(one.requires_grad for one in network.parameters())
    assert not network.training


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (lambda found: {"bias": found["bias"]}, "'weight' is none where look.json's network has 3 x 2"),
        (lambda found: found | {"style.0": torch.zeros(1)}, r"'style\.0' is 1 where look.json's network has none"),
        (lambda found: found | {"bias": torch.zeros(3, 4)}, "'bias' is 3 x 4 where .* has 3; the file is of another"),
        (lambda found: found | {"bias": torch.tensor(1.0)}, "'bias' is a number where "),
        (lambda found: found | {"bias": torch.full((3,), torch.nan)}, "'bias' holds numbers that are not finite"),
    ],
)
def test_weights_of_another_network_are_refused(
    tmp_path: Path, changed: Callable[[dict[str, Tensor]], dict[str, Tensor]], words: str
) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(changed(whole()), path)
    with pytest.raises(BadLook, match=words) as error:
        loaded(path, build)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", save(whole())[:7], save(whole())[:-1], b"\x80\x04\x95pickle"])
def test_a_file_that_is_cut_or_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    with pytest.raises(BadLook, match=r"weights\.safetensors is not a whole safetensors file .*; copy") as error:
        loaded(path, build)
    assert "\n" not in str(error.value)


def paper(**network: object) -> Package:
    told = LookDocument(name="dream", kind="dreamer", domain="rgb", licence="CC0-1.0", files={}, network=network)
    return Package("s3://looks/dream", told, "0" * 64)


def test_a_shape_is_read_from_look_json() -> None:
    assert shape_of(paper(width=5), Shape) == Shape(width=5)
    with pytest.raises(BadLook, match=r"^s3://looks/dream/look\.json: network\.depth = 3: there is no such field; "):
        shape_of(paper(depth=3), Shape)
    with pytest.raises(BadLook, match=r"network\.width = 'wide': .*it is not a look of the kind 'dreamer'"):
        shape_of(paper(width="wide"), Shape)
