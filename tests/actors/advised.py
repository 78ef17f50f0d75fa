"""Advice that a refusal gives, taken: the ffmpeg command in its sentence, run on the very film. Tests nothing."""

import shutil
import subprocess
from pathlib import Path

import pytest


def ffmpeg(*words: str) -> None:
    """Run the program; skips the test where it is not there."""
    if not shutil.which("ffmpeg"):
        pytest.skip("ffmpeg is not on this machine")
    subprocess.run(["ffmpeg", "-v", "quiet", "-y", *words], check=True)


def followed(refusal: str, source: Path, target: Path) -> Path:
    """A film made of `source` by the command that a refusal ends with."""
    command = refusal.partition("ffmpeg ")[2].removesuffix(".")
    ffmpeg(*command.replace("<source>", str(source)).replace("<new>.mkv", str(target)).split())
    return target
