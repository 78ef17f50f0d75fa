"""What this machine, its Ray, a store, its GPU, its codecs and its terminal can do, and what to do about what they cannot (`farm doctor`)."""

import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from farm.ops.store_check import tried_store
from farm.progress.plain_console import PlainConsole
from jobs.document import Document
from jobs.errors import FarmError

GIB = 1 << 30
LEAST_MEMORY = 4 * GIB
"""Bytes: a renderer of 1080p with a colouriser takes 1 to 2 GiB, the driver and Ray's own processes 1.5."""
LEAST_ROOM = 4 * GIB
"""Bytes of the temporary folder: chunks and segments of the film at work lie there, and Ray's sockets and logs."""
LEAST_WIDTH = 80
"""Characters of a line, for a progress bar with its figures."""


class Checkup(Document):
    """One line of `farm doctor`."""

    what: str
    verdict: Literal["ok", "note", "fail"]
    """note: it works, with something to know. fail: films cannot be made so."""
    found: str
    advice: str = ""


def checkups(stores: Iterable[str], address: str | None) -> Iterator[Checkup]:
    """One for each thing that a film needs, as it is found. `stores`: places to be tried; `address`: of a Ray cluster to be asked."""
    yield _machine()
    yield _room()
    yield _guarded("ray", lambda: _ray(address))
    yield _guarded("codecs", _codecs)
    yield _guarded("gpu", _gpu)
    yield _guarded("onnx", _onnx)
    yield _terminal(PlainConsole())
    for place in stores:
        yield _guarded("store", partial(_store, place))


def show(found: Iterable[Checkup]) -> bool:
    """For people, on stderr, line by line. True where nothing fails."""
    console, well = PlainConsole(), True
    for one in found:
        well = well and one.verdict != "fail"
        console.note(f"{one.verdict:4}  {one.what:8}  {one.found}{f' To do: {one.advice}' if one.advice else ''}")
    return well


def _guarded(what: str, check: Callable[[], Checkup]) -> Checkup:
    """A check, and why it could not be made where it could not."""
    try:
        return check()
    except FarmError as error:
        return Checkup(what=what, verdict="fail", found=str(error))
    except (ImportError, OSError) as error:  # a library that is not there, or one that its system does not load
        return Checkup(
            what=what,
            verdict="fail",
            found=f"cannot be loaded: {' '.join(str(error).split())[:300]}.",
            advice="reinstall the farm (make env, or pip install).",
        )


def _machine() -> Checkup:
    cores, memory = len(os.sched_getaffinity(0)), _memory()
    little = memory < LEAST_MEMORY
    return Checkup(
        what="machine",
        verdict="note" if little else "ok",
        found=f"{cores} cores, {memory / GIB:.1f} GiB of memory; film-farm {version('film-farm')}, Python {platform.python_version()}.",
        advice=f"take a machine with {LEAST_MEMORY // GIB} GiB or more for films of 1,080 lines and above."
        if little
        else "",
    )


def _memory() -> int:
    """Bytes that this process may have: the machine's, or fewer in a container."""
    most = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return most
    return min(most, int(limit)) if limit.isdecimal() else most


def _room() -> Checkup:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    little = free < LEAST_ROOM
    return Checkup(
        what="room",
        verdict="note" if little else "ok",
        found=f"{free / GIB:,.1f} GiB are free in {folder}, for films at work.",
        advice="free some space there, or set TMPDIR to a folder with more." if little else "",
    )


def _ray(address: str | None) -> Checkup:
    here = {"ray_version": version("ray"), "python_version": platform.python_version()}
    if not address:
        return Checkup(
            what="ray", verdict="ok", found=f"{here['ray_version']}; no cluster is named, so it starts on this machine."
        )
    if address in ("auto", "local"):
        return Checkup(
            what="ray",
            verdict="note",
            found=f"{here['ray_version']}; the address {address!r} names no head that could be asked.",
            advice="" if address == "local" else "name host:port of the head: farm doctor --address HOST:6379.",
        )

    from farm.fleet.ray_session import versions_at  # takes seconds

    there = versions_at(address)
    differ = [name for name in here if there[name] and there[name] != here[name]]
    told = f"Ray {there['ray_version']} and Python {there['python_version']}"
    return Checkup(
        what="ray",
        verdict="fail" if differ else "ok",
        found=f"the head at {address} answers: {told}; here Ray {here['ray_version']} and Python {here['python_version']}.",
        advice="use one image for driver and cluster (docs/deploy.md), or farm submit." if differ else "",
    )


def _codecs() -> Checkup:
    from actors.encode.installed import ENCODERS, libav, missing_codecs

    missing = missing_codecs()
    there = ", ".join(codec for codec in ENCODERS if codec not in missing)
    lacks = f", and not {', '.join(missing)}" if missing else ""
    return Checkup(
        what="codecs",
        verdict="fail" if missing else "ok",
        found=f"{libav()} encodes {there}{lacks}.",
        advice="install PyAV from PyPI's wheel: pip install --force-reinstall --only-binary av av." if missing else "",
    )


def _gpu() -> Checkup:
    from actors.encode.nvenc import refusal_of
    from actors.encode.nvenc_settings import TrialEncoder, encoder_name
    from actors.picture.device import CudaGpu
    from jobs.spec.codecs import Codec

    gpu = CudaGpu()
    why, driver = gpu.refusal(), gpu.driver()
    if not why:
        names = map(encoder_name, (Codec.H264, Codec.HEVC))
        encodes = [name for name in names if not refusal_of(TrialEncoder(name, "yuv420p"))]
        return Checkup(
            what="gpu",
            verdict="ok",
            found=f"{'; '.join(gpu.names())}; driver {driver or 'not found'}, torch {gpu.build()}; it encodes {' and '.join(encodes) or 'no video'}.",
        )
    if not driver:
        return Checkup(what="gpu", verdict="note", found="no NVIDIA driver: films are rendered on processors.")
    return Checkup(
        what="gpu",
        verdict="fail",
        found=f"driver {driver}, but torch {gpu.build()} can use no GPU ({why}).",
        advice="install a torch for CUDA and a driver of its generation (docs/deploy.md), or set workers: {gpus: 0} in specs.",
    )


def _onnx() -> Checkup:
    if find_spec("onnxruntime") is None:
        return Checkup(
            what="onnx",
            verdict="note",
            found="onnxruntime is not installed, and the look onnx needs it.",
            advice="pip install 'film-farm[cpu]', or [gpu] on a machine with a GPU.",
        )
    from actors.looks.onnx.session import installed

    return Checkup(what="onnx", verdict="ok", found=f"{installed()}.")


def _terminal(console: PlainConsole) -> Checkup:
    utf8 = console.encoding.lower().replace("-", "") == "utf8"
    if not console.is_terminal:
        return Checkup(
            what="terminal",
            verdict="note",
            found="messages do not go to a terminal: progress comes as lines, without a bar.",
        )
    advice = [f"widen it to {LEAST_WIDTH} characters for the whole progress bar"] * (console.width < LEAST_WIDTH)
    advice += ["set LANG to a UTF-8 locale, as in C.UTF-8, for names in other scripts"] * (not utf8)
    return Checkup(
        what="terminal",
        verdict="note" if advice else "ok",
        found=f"{console.width} characters wide, {console.encoding}.",
        advice=f"{'; '.join(advice)}." if advice else "",
    )


def _store(place: str) -> Checkup:
    store = tried_store(place)
    return Checkup(what="store", verdict="note" if store.advice else "ok", found=store.found, advice=store.advice)
