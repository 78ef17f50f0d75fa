"""An ONNX model: which other files it reads, whether it fits its manifest, and one picture run through it.

A model is a Protocol Buffers message (onnx.proto of ONNX 1.23): tensors and named operations, never code. What it may do
beside is to name other files for its tensors ("external data"); those must be files of the package.
"""

import mmap
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from actors.looks.onnx.contents import Contents, UnfitModel, check_beside, contents_of
from actors.looks.onnx.manifest import OnnxNetwork
from actors.looks.onnx.session import NUMBERS, Session
from actors.looks.package import Package
from jobs.errors import BadLook


class Model:
    """A session of onnxruntime that is shown one picture at a time, so that no answer depends on its company."""

    def __init__(self, package: Package, network: OnnxNetwork, device: torch.device) -> None:
        """Raises BadLook for what is no model, does not fit its manifest, or reads files outside the package."""
        self.network = network
        self.where = f"The model {package.place}/{network.file}"
        path = package.file(network.file)
        _check_files(package, _contents(path, self.where), self.where)
        self.session = Session(path, self.where, device)
        self.shown = self._inputs(network.input.channels * (2 * package.paper.context + 1))
        self.made = self._output()

    def side(self) -> tuple[int, int] | None:
        """Height and width of its pictures, where it takes one size alone. Raises BadLook where it fixes only one of them."""
        shape = self.shown.shape
        height, width = shape[2:] if self.network.layout == "NCHW" else shape[1:3]
        if isinstance(height, int) and isinstance(width, int):
            return height, width
        if isinstance(height, int) or isinstance(width, int):
            raise BadLook(
                f"{self.where} takes pictures of {_shape(shape)}; export it with both sides free, or both fixed."
            )
        return None

    @torch.inference_mode()
    def run(self, picture_Chw: Tensor) -> Tensor:
        """The network's own numbers (C h w, float32) for a picture's. Raises BadLook where it cannot."""
        height, width = picture_Chw.shape[-2:]
        feed = {self.shown.name: self._fed(self.shown, picture_Chw)}
        for one in self.session.inputs:
            if one.name in self.network.input.zeros:
                zeros = picture_Chw.new_zeros(self.network.input.zeros[one.name], height, width)
                feed[one.name] = self._fed(one, zeros)
        return self._taken(self.session.run(feed, self.made.name, NUMBERS[self.made.type]))

    def _fed(self, one: Any, picture_Chw: Tensor) -> Tensor:
        given = picture_Chw[None] if self.network.layout == "NCHW" else picture_Chw[None].permute(0, 2, 3, 1)
        return given.to(NUMBERS[one.type]).contiguous()

    def _taken(self, made: Tensor) -> Tensor:
        if made.ndim == 4 and self.network.layout == "NHWC":
            made = made.permute(0, 3, 1, 2)
        if made.ndim != 4 or tuple(made.shape[:2]) != (1, self.network.output.channels):
            raise BadLook(
                f"{self.where} gave numbers of the shape {_shape(made.shape)}, where its manifest says "
                f"{self.network.output.channels} channels of one picture ({self.network.output.of})."
            )
        return made[0].float().contiguous()

    def _inputs(self, channels: int) -> Any:
        inputs = {one.name: one for one in self.session.inputs}
        zeros, wished = self.network.input.zeros, self.network.input.name
        rest = [one for name, one in inputs.items() if name not in zeros]
        if not zeros.keys() <= inputs.keys() or len(rest) != 1 or (wished and rest[0].name != wished):
            said = ", ".join(filter(None, [wished or "one input", *zeros]))
            raise BadLook(
                f"{self.where} has the inputs {', '.join(inputs)}; its manifest names {said} (network.input)."
            )
        for one in inputs.values():
            self._check(one, zeros.get(one.name, channels))
        return rest[0]

    def _output(self) -> Any:
        outputs = {one.name: one for one in self.session.outputs}
        name = self.network.output.name or next(iter(outputs))
        if name not in outputs:
            raise BadLook(
                f"{self.where} has the outputs {', '.join(outputs)}; its manifest names {name} (network.output)."
            )
        self._check(outputs[name], self.network.output.channels)
        return outputs[name]

    def _check(self, one: Any, channels: int) -> None:
        if one.type not in NUMBERS:
            raise BadLook(f"{self.where}: {one.name} is {one.type}; the farm runs networks on 32 or 16 bit floats.")
        found = one.shape
        at = 1 if self.network.layout == "NCHW" else 3
        if len(found) != 4:
            raise BadLook(f"{self.where}: {one.name} has the shape {_shape(found)}, and not {self.network.layout}.")
        if isinstance(found[0], int) and found[0] != 1:
            raise BadLook(
                f"{self.where}: {one.name} takes {found[0]} pictures at once; export it for one, or for any number."
            )
        if isinstance(found[at], int) and found[at] != channels:
            raise BadLook(
                f"{self.where}: {one.name} has the shape {_shape(found)}, which is not {channels} channels in "
                f"{self.network.layout}, as its manifest says."
            )


def external_files(path: Path, where: str) -> list[str]:
    """Names of other files that a model's tensors lie in. Raises BadLook for what is no ONNX model, or none that is run."""
    return _contents(path, where).locations


def _contents(path: Path, where: str) -> Contents:
    whole = _mapped(path)
    if bytes(whole[:4]) == b"PK\x03\x04" or bytes(whole[:1]) == b"\x80":
        raise BadLook(
            f"{where} is a PyTorch file, which can hold code (pickle) and is never opened; export the network with "
            "torch.onnx.export."
        )
    try:
        found = contents_of(whole)
    except UnfitModel as why:
        raise BadLook(f"{where} {why}.") from None
    except (ValueError, IndexError):
        found = Contents()
    if not found.graphs:
        raise BadLook(f"{where} is not a whole ONNX model; copy it again, or export it with torch.onnx.export.")
    return found


def _check_files(package: Package, found: Contents, where: str) -> None:
    """Raises BadLook where a file that tensors lie in is none of the package's, or holds no numbers."""
    data = {location: _mapped(package.file(location)) for location in found.locations}
    try:
        for one in found.beside:
            check_beside(one, data[one.location])
    except UnfitModel as why:
        raise BadLook(f"{where} {why}.") from None


def _mapped(path: Path) -> memoryview:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b"")


def _shape(shape: Any) -> str:
    return " x ".join(str(one) if one is not None else "?" for one in shape)
