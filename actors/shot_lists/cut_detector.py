"""Imports PySceneDetect's cut detector without running ffmpeg.

`import scenedetect` imports its writers of pictures and videos, and these run `ffmpeg` at once to see whether it is there:
with our standard input, so that in a background job the terminal stops both. Nothing here writes anything with PySceneDetect,
so its module `scenedetect.output` is stood in for while the package is imported.
"""

import importlib
import sys
from types import ModuleType

_WRITERS = "scenedetect.output"


class _NoWriters(ModuleType):
    """A module in which every name is there, and None."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


def _import_without_writers() -> None:
    if "scenedetect" in sys.modules:
        return
    sys.modules[_WRITERS] = _NoWriters(_WRITERS)
    try:
        importlib.import_module("scenedetect")
    finally:
        del sys.modules[_WRITERS]  # whoever imports it later gets the real one


_import_without_writers()

from scenedetect import FrameTimecode  # noqa: E402
from scenedetect.detectors import AdaptiveDetector  # noqa: E402

__all__ = ["AdaptiveDetector", "FrameTimecode"]
