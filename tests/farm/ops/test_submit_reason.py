"""Which line of a driver's screen says why it ended."""

from __future__ import annotations

import pytest

from farm.ops.submit import reason_in

WARNED = "/usr/lib/python3.12/site-packages/x.py:3: FutureWarning: soon gone\n  warnings.warn(\n"
RAY = "2026-11-30 10:00:00,123\tINFO job_manager.py:531 -- Runtime env is setting up.\nRunning entrypoint for job film-1: farm render s3://b/spec.json\n"


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("", "it said nothing"),
        (f"{RAY}survey: counting frames\nfarm: There is no look 'x'.\n{WARNED}", "There is no look 'x'."),
        ("farm: first\nfarm: last\nresource_tracker: 1 leaked\n", "last"),
        (f"{RAY}sh: 1: farm: not found\n", "sh: 1: farm: not found"),
        (f"{RAY}/bin/bash: line 1: farm: command not found\n{WARNED}", "/bin/bash: line 1: farm: command not found"),
        (
            'Traceback (most recent call last):\n  File "a.py", line 1\n    import farm\n'
            f"ModuleNotFoundError: No module named 'farm'\n{WARNED}",
            "ModuleNotFoundError: No module named 'farm'",
        ),
        ("botocore.exceptions.NoCredentialsError: Unable to locate credentials\n(raylet) gone\n",) * 1
        + ("botocore.exceptions.NoCredentialsError: Unable to locate credentials",),
        (
            "Usage: farm render [OPTIONS] FILM\nTry 'farm render --help' for help.\n╭─ Error ─────────╮\n"
            "│ No such option: --foo │\n╰─────────────────╯\n",
            "No such option: --foo",
        ),
        (f"{RAY}{WARNED}", "Running entrypoint for job film-1: farm render s3://b/spec.json"),
        ("Killed\n(raylet, ip=10.0.0.1) worker died\n", "Killed"),
    ],
)
def test_the_last_sentence_that_says_why(log: str, reason: str) -> None:
    assert reason_in(log) == reason
