"""A store that fails: an HTTP proxy in front of moto that spoils requests by rule or by chance. Promises the same faults for the same seed and requests; knows no film.

with FaultyProxy(moto, Chance(0.05, seed=7)) as proxy:      # at random moments
    ...                                                     # processes with proxy.env talk to moto through it
with FaultyProxy(moto, Rule("SlowDown", "PUT", "records/", times=3)) as proxy:
    proxy.rules.append(Rule("outage"))                      # rules may come and go while it runs
"""

import http.client
import random
import re
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from tests.s3 import MotoServer, aws_env, reset
from tests.services import Service

Fault = Literal[
    "InternalError", "SlowDown", "ExpiredToken", "NoSuchBucket",  # S3's refusals
    "reset",  # no answer, and nothing done
    "lost reply",  # done, and no answer
    "twice",  # done two times, and the second answer given
    "outage",  # as "reset", told apart in the tally
    "silence",  # taken, and never answered
    "delay", "cut", "flip",  # a late answer, half of one, one with a bit turned
    "stale",  # a listing as the one before it
]  # fmt: skip
STATUS: Mapping[Fault, int] = {"InternalError": 500, "SlowDown": 503, "ExpiredToken": 400, "NoSuchBucket": 404}
PASSING: tuple[Fault, ...] = (
    "InternalError", "SlowDown", "ExpiredToken", "reset", "lost reply", "twice", "delay", "cut", "flip", "stale",
)  # fmt: skip
"""What a job at work outlives: all but a bucket that is gone, and an outage without an end."""
DELAY_SECONDS = 0.3


class Rule:
    """One fault, for requests whose method and path (with its query) match, `times` times; None: until the rule is taken away."""

    def __init__(
        self, fault: Fault, method: str = "", path: str = "", times: int | None = None, after: int = 0
    ) -> None:
        """`method`, `path`: regular expressions, searched for. `after`: matching requests that are let pass first."""
        self.fault = fault
        self.method, self.path = re.compile(method), re.compile(path)
        self.times, self.after = times, after

    def draw(self, method: str, path: str) -> Fault | None:
        """The fault for a request, or None."""
        if self.times == 0 or not self.method.search(method) or not self.path.search(path):
            return None
        if self.after:
            self.after -= 1
            return None
        self.times = None if self.times is None else self.times - 1
        return self.fault


class Chance:
    """A fault for each request with a probability, drawn anew each time from `faults`."""

    def __init__(self, probability: float, seed: int, faults: tuple[Fault, ...] = PASSING) -> None:
        self.probability, self.faults = probability, faults
        self.random = random.Random(seed)

    def draw(self, method: str, path: str) -> Fault | None:
        """The fault for a request, or None."""
        return self.random.choice(self.faults) if self.random.random() < self.probability else None


class _Passed(BaseHTTPRequestHandler):
    """One request on its way to moto."""

    protocol_version = "HTTP/1.1"
    server: "FaultyProxy"

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = dict(self.headers)
        refusal = self.server.service.answer(self.command, self.path, headers, body)
        if refusal is not None:
            self._give(refusal.status, {}, refusal.body)
            return
        fault = self.server.draw(self.command, self.path)
        if fault is not None and fault in STATUS:
            text = f"<Error><Code>{fault}</Code></Error>".encode()
            self._give(STATUS[fault], {}, text)
            return
        if fault in ("reset", "outage"):
            reset(self)  # type: ignore[arg-type]  # wants a connection, which this has
            return
        if fault == "silence":
            self.server.closing.wait()
            self.close_connection = True
            return
        if fault == "delay":
            self.server.closing.wait(DELAY_SECONDS)
        status, answered, found = self.server.forwarded(self.command, self.path, headers, body)
        if fault == "twice":
            status, answered, found = self.server.forwarded(self.command, self.path, headers, body)
        if fault == "lost reply":
            reset(self)  # type: ignore[arg-type]
            return
        if self.command == "GET" and "list-type=2" in self.path:
            found = self.server.listing(self.path, found, stale=fault == "stale")
        if fault == "flip" and self.command == "GET" and "list-type=2" not in self.path and found:
            found = bytes([found[0] ^ 1]) + found[1:]
        self._give(status, answered, found, cut=fault == "cut" and self.command == "GET")

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _pass

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the tests look at `proxy.tally`."""

    def _give(self, status: int, headers: Mapping[str, str], body: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                self.send_header(name, value)
        said = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
        self.send_header("Content-Length", said)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = self.close_connection or cut


class FaultyProxy(ThreadingHTTPServer):
    """An S3 endpoint on loopback: `env` makes boto3 use it, `tally` counts what it did to whom, `rules` may be changed at any time."""

    daemon_threads = True

    def __init__(self, moto: MotoServer, *rules: Rule | Chance, service: Service | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Passed)
        self.rules = list(rules)
        self.service = service or Service()
        self.tally: Counter[Fault] = Counter()
        self.env = aws_env(f"http://127.0.0.1:{self.server_address[1]}")
        self._moto = urlsplit(moto.url).netloc
        self._listings: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self.closing = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who was killed in the midst of a request is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def draw(self, method: str, path: str) -> Fault | None:
        """The first rule that has a fault for a request decides."""
        with self._lock:
            fault = next((one for rule in self.rules if (one := rule.draw(method, path))), None)
            if fault:
                self.tally[fault] += 1
            return fault

    def forwarded(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """What moto answers."""
        moto = http.client.HTTPConnection(self._moto, timeout=60)
        try:
            moto.request(method, path, body, headers)
            answer = moto.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            moto.close()

    def listing(self, path: str, found: bytes, *, stale: bool) -> bytes:
        """A listing, as it is or as it was when last asked for."""
        with self._lock:
            before = self._listings.get(path, found)
            self._listings[path] = found
        return before if stale else found
