"""Settings of stores on their way to a cluster: as a shell there understands them."""

import subprocess

import pytest

from farm.cluster.store_settings import prefixed


def run(command: str) -> str:
    """What a shell's command says that knows no setting of ours."""
    done = subprocess.run(
        ["/bin/sh", "-c", command], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_submitted_driver_has_the_settings_of_who_submitted_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert prefixed("farm render job.yaml") == "farm render job.yaml"
    monkeypatch.setenv("FILM_FARM_REQUESTER_PAYS", "1")
    monkeypatch.setenv("FILM_FARM_STORE_PATIENCE", "600; echo no")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    assert run(prefixed("printenv FILM_FARM_REQUESTER_PAYS FILM_FARM_STORE_PATIENCE")) == "1\n600; echo no\n"
    assert "hush" not in prefixed("true")
