"""Fixtures that several rooms share. Promises that no test sees this machine's own AWS settings or library of looks."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.programs import carries_films, starts_programs
from tests.s3 import MotoServer, no_credentials_env

PLUGIN, ROOT = str(Path(__file__).with_name("plugin")), str(Path(__file__).parents[1])
# A machine that is busy elsewhere is slow, not wrong.
settings.register_profile("farm", deadline=None)
settings.load_profile("farm")
LONGEST_FIRST = ("tests/farm/", "tests/chaos/", "tests/deploy/")
"""Where tests begin Ray, servers and whole films: two processes that share the files end together only if these come first."""
MINUTES_TIMEOUT = 900
"""Seconds for a test of minutes: on two cores that do other work as well, one of two minutes takes more than the five that any other has."""
# Looks for tests are installed as a studio's own would be; Ray's workers find them, and what they wait with, by the same path.
sys.path.insert(0, PLUGIN)
# As `farm` says it before Ray is loaded: Ray keeps what it finds when it is, and a command that joins a Ray of tests must agree with it.
os.environ.setdefault("RAY_AUTH_MODE", "token")
# Threads of torch and of OpenBLAS spin while they wait for one another, wherever something else wants a core: the suite's other process
# does, and tests then took five times the processor. Read as these are loaded, here and in all that tests start.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
# Each worker that Ray starts ahead of its use takes a second of CPU to begin, and most tests use one or two.
os.environ.setdefault("RAY_prestart_worker_first_driver", "false")
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [PLUGIN, ROOT, os.environ.get("PYTHONPATH")]))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST_FIRST))
    for item in items:
        if isinstance(item, pytest.Function) and starts_programs(item):
            item.add_marker("programs")
        if isinstance(item, pytest.Function) and carries_films(item):
            item.add_marker("films")
        if item.get_closest_marker("minutes") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(MINUTES_TIMEOUT))


@pytest.fixture(autouse=True)
def _no_own_aws_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in no_credentials_env().items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def _no_own_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no test can write, as root neither: one that adds a look sets a library of its own."""
    monkeypatch.setenv("FILM_FARM_LOOKS", f"{os.devnull}/looks")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[MotoServer]:
    """moto's S3 as a subprocess, one for all tests; each makes a bucket of its own."""
    with MotoServer() as server:
        yield server


@pytest.fixture
def s3_bucket(s3_server: MotoServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new, empty bucket, and an environment in which boto3 finds it."""
    for name, value in s3_server.env.items():
        monkeypatch.setenv(name, value)
    return s3_server.make_bucket()
