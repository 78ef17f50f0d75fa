"""A real Prometheus on loopback with the farm's own configuration, and real registries for it to read. Promises to end what it starts; judges nothing."""

import json
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from tests.deploy.shown import DEPLOY
from tests.waiting import poll_until

PROMETHEUS = shutil.which("prometheus")
PROMTOOL = shutil.which("promtool")
ABSENT = "no Prometheus here; Debian's package prometheus brings it and promtool"

_PACE = "1s"
"""How often to scrape and to evaluate; operators' 15 seconds would take minutes to prove anything."""


class Prometheus:
    """`with Prometheus(folder, drivers=[...], nodes=[...])`: as it is deployed, but for its pace and its targets (host:port)."""

    def __init__(self, folder: Path, *, drivers: list[str], nodes: list[str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.folder = folder
        shutil.copytree(DEPLOY / "prometheus/rules", folder / "rules")
        (folder / "targets/drivers").mkdir(parents=True)
        (folder / "targets/drivers/here.yml").write_text(yaml.safe_dump([{"targets": drivers}]))
        found = folder / "prom_metrics_service_discovery.json"
        found.write_text(json.dumps([{"labels": {"job": "ray"}, "targets": nodes}]))  # as Ray's head writes it
        config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
        config["global"] = {"scrape_interval": _PACE, "scrape_timeout": _PACE, "evaluation_interval": _PACE}
        assert config["scrape_configs"][1]["file_sd_configs"][0]["files"] == [f"/tmp/ray/{found.name}"]
        config["scrape_configs"][1]["file_sd_configs"][0]["files"] = [str(found)]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))

    def __enter__(self) -> Self:
        assert PROMETHEUS
        command = [
            PROMETHEUS,
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]
        with (self.folder / "log").open("w") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The samples that answer an expression. Raises OSError where Prometheus refuses it, or is not there yet."""
        url = f"http://127.0.0.1:{self.port}/api/v1/query?{urlencode({'query': expression})}"
        with urlopen(url, timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found

    def wait_for(self, what: Callable[[], Any], seconds: float = 60.0) -> None:
        """Until something holds; a Prometheus that is still starting does not count. Raises AssertionError with its log."""

        def holds() -> bool:
            assert self._process.poll() is None, log()
            try:
                return bool(what())
            except HTTPError as error:
                if error.code != 503:  # it reads what it has on disk
                    raise
            except OSError:  # it does not listen yet
                pass
            return False

        def log() -> str:
            return (self.folder / "log").read_text()[-4000:]

        poll_until(holds, seconds, log)
