"""Chromium, for what a browser shows of a page or a film. Promises a profile of its own for each visit; tests nothing."""

import shutil
import subprocess
from pathlib import Path

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome"))), None
)
"""Where it is; None where there is none."""


def browse(folder: Path, *arguments: str) -> str:
    """What Chromium says, with a profile under `folder`."""
    assert CHROMIUM
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
    command = [CHROMIUM, *quiet, f"--user-data-dir={folder}/profile", "--virtual-time-budget=10000", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
