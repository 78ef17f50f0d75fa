"""Adds looks to the library: whole packages, and bare model files that are made into packages.

Files are copied and checked by hash; look.json is written last, so that a look is there whole or not at all.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from actors.looks import fit, hire, names
from actors.looks.onnx.model import external_files
from actors.looks.package import (
    AT_ONCE,
    PAPER,
    Package,
    library,
    open_package,
    paper_with,
    read_paper,
    sha256_of,
)
from actors.media.temp_dirs import spool
from jobs.errors import BadInput, BadLook
from jobs.spec.job import LookChoice
from jobs.store import Store, open_store
from jobs.store.protocol import told

BARE = {".safetensors": "weights.safetensors", ".onnx": "model.onnx"}
"""Files that become a look by themselves, and what they are called in its package."""
PICKLES = (".pt", ".pt2", ".pth", ".pkl", ".pickle", ".ckpt", ".bin")
DOMAINS = {"fast-style": "rgb", "colorize": "chroma"}
"""Of kinds whose looks have one."""


def add(place: str, name: str = "", fields: Mapping[str, Any] | None = None) -> Package:
    """Put a look into the library under its name, or another: a folder or s3:// of a package, or a bare file.

    `fields`: of LookPaper, for a bare file: its licence at least; of an ONNX model its whole manifest. The look is hired
    once, on the processor, to see that it loads. Raises BadLook, BadStore for a library that cannot be written.
    """
    with _package(place, name, dict(fields or {})) as package:
        hire(fit(LookChoice(name=package.place)), torch.device("cpu"))
        return _put(package, name or package.paper.name)


@contextmanager
def _package(place: str, name: str, fields: dict[str, Any]) -> Iterator[Package]:
    ending = Path(place).suffix.lower()
    if ending in PICKLES:
        raise BadLook(
            f"{place} would have to be unpickled, which can run code; export the network as ONNX (torch.onnx.export), or "
            "save its tensors as .safetensors."
        )
    if ending not in BARE:
        if fields:
            raise BadLook(f"{place} is not a bare file: {', '.join(fields)} is said by its look.json; leave it out.")
        yield open_package(place)
        return
    with spool("look") as folder:
        try:
            yield _made(place, name, fields, Path(folder))
        except BadLook as error:
            sentence = str(error)
            for inside in (f"{folder}/{BARE[ending]}", f"{folder}/{PAPER}", folder):
                sentence = sentence.replace(inside, place)  # nobody outside knows this folder
            raise BadLook(sentence) from None


def _made(place: str, name: str, fields: dict[str, Any], folder: Path) -> Package:
    """A package of a bare file, in a folder."""
    ending = Path(place).suffix.lower()
    parent, _, bare = place.rpartition("/")
    source = open_store(parent or ".")
    if source.stat(bare) is None:
        raise BadLook(f"There is no file {source.url}/{bare}; check the path.")
    _copied(source, bare, folder / BARE[ending])
    files = [BARE[ending]]
    if ending == ".onnx":
        for beside in external_files(folder / BARE[ending], place):
            _copied(source, beside, folder / beside)
            files.append(beside)
    kind = fields.get("kind") or ("onnx" if ending == ".onnx" else "fast-style")
    if kind not in names():
        raise BadLook(f"{place}: kind = {kind!r} is not installed here; installed are: {', '.join(names())}.")
    stem = re.sub(r"[^a-z0-9._-]+", "-", Path(bare).stem.lower()).strip("-._")
    whole = {"name": name or stem, "kind": kind, **({"domain": DOMAINS[kind]} if kind in DOMAINS else {}), **fields}
    if not whole.get("licence"):
        raise BadLook(f"{place}: say the licence of its weights: --licence MIT, or in a sentence.")
    if kind == "onnx" and "network" not in whole:
        raise BadLook(f"{place} needs a manifest that says what its numbers mean: --manifest FILE; see docs/looks.md.")
    # Through JSON: a manifest may come from YAML, which knows more kinds of values.
    paper = read_paper(json.dumps({**whole, "files": {}}, default=str).encode(), place)
    (folder / PAPER).write_bytes(paper_with(paper, {one: sha256_of(folder / one) for one in files}))
    return open_package(str(folder))


def _copied(source: Store, key: str, path: Path) -> None:
    if Path(key).name != key:
        raise BadLook(
            f"A tensor lies in {key!r}, outside the model's folder; export the model with its weights inside."
        )
    try:
        with source.open(key) as stream, told("write", str(path)), path.open("wb") as into:
            shutil.copyfileobj(stream, into, AT_ONCE)
    except BadInput as error:
        raise BadLook(f"{source.url}/{key} cannot be copied: {error}") from None


def _put(package: Package, name: str) -> Package:
    """The package in the library. Its look.json, written last and once, is what makes it one."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,99}", name):
        raise BadLook(f"--name {name}: a look's name has lower case letters, digits, '.', '_' and '-' alone.")
    if name in names():
        raise BadLook(f"'{name}' is the name of an installed look; choose another with --name.")
    target = open_store(f"{library().rstrip('/')}/{name}")
    paper = open_store(package.place).read(PAPER)
    if hashlib.sha256(paper).hexdigest() != package.digest:
        raise BadLook(f"The look {package.place} was changed while it was read; run again.")
    if target.stat(PAPER) is None:
        target.check()
        for file in package.paper.files:
            target.write_file(file, package.file(file), only_if_absent=True)
            with target.open(file) as stream:
                # Any binary stream will do; its type does not say so.
                found = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
                if found != package.paper.files[file]:
                    raise BadLook(
                        f"{target.url}/{file} is there and is another look's, perhaps of an import that was stopped; "
                        "remove it, or choose another --name."
                    )
        target.write(PAPER, paper, only_if_absent=True)
    there = open_package(target.url)
    if there.digest != package.digest:
        raise BadLook(f"There is another look at {target.url}; choose another --name, or remove that one.")
    for file in there.paper.files:
        there.file(file)
    return there
