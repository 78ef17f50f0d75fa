"""S3 for tests, on loopback: moto as a server of its own, and a small server that fails as told. Promises to end what it starts; knows no film."""

import os
import socket
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self
from urllib.request import Request, urlopen
from uuid import uuid4

from jobs.store.s3.store import S3Store
from tests.waiting import poll_until

DEADLINE = 60
"""Seconds that moto may take to answer on a busy machine; one is usual."""

PAGE = 10
"""Keys on one page of moto's listings, where S3 has 1000."""


def aws_env(endpoint: str) -> dict[str, str]:
    """The environment that makes boto3 talk to `endpoint` and look at nothing else."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        **no_credentials_env(),
    }


def no_credentials_env() -> dict[str, str]:
    """Settings that keep boto3 from the files and the metadata service of the machine the test runs on."""
    return {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
    }


@contextmanager
def requests(store: S3Store) -> Iterator[Counter[str]]:
    """What the store asks of S3 meanwhile, by S3's name for it."""
    asked: Counter[str] = Counter()

    def note(model: Any, **_: Any) -> None:
        asked[model.name] += 1

    events = store._asker.client.meta.events
    events.register("before-call.s3", note)
    yield asked
    events.unregister("before-call.s3", note)


class MotoServer:
    """moto's S3 as a subprocess: `with MotoServer() as server`."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = aws_env(self.url)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            env={**os.environ, "MOTO_S3_DEFAULT_MAX_KEYS": str(PAGE)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            poll_until(self._answers, DEADLINE, lambda: f"moto did not answer on port {self.port}")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(timeout=DEADLINE)

    def _answers(self) -> bool:
        assert self._process.poll() is None, "moto has ended"
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def make_bucket(self) -> str:
        """A new bucket's name."""
        name = f"bucket-{uuid4().hex}"
        self.ask("PUT", name)
        return name

    def ask(self, method: str, path: str, data: bytes | None = None) -> str:
        """One plain request; moto checks no signature."""
        with urlopen(Request(f"{self.url}/{path}", data=data, method=method), timeout=DEADLINE) as answer:
            return str(answer.read(), "utf-8")


class Asked(BaseHTTPRequestHandler):
    """One request to a FaultyServer, answered by the next step of its script."""

    protocol_version = "HTTP/1.1"
    server: "FaultyServer"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.take(self)(self)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the tests look at `server.asked`."""

    def reply(self, status: int, body: bytes = b"", *, promise: int | None = None, **headers: str) -> None:
        """Answer with `body`, saying that it has `promise` bytes."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if promise is None else promise))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)
        self.close_connection = promise is not None


Step = Callable[[Asked], None]


class FaultyServer(ThreadingHTTPServer):
    """An S3 endpoint that answers as its script says, its last step again and again: `with FaultyServer(fail(503)) as server`."""

    daemon_threads = True

    def __init__(self, *script: Step) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.script = list(script)
        self.asked: list[str] = []
        self.writer = ""
        """Whose object was sent last."""
        self.env = aws_env(f"http://127.0.0.1:{self.server_address[1]}")

    def __enter__(self) -> Self:
        Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self.server_close()

    def take(self, request: Asked) -> Step:
        """Note a request and find the step that answers it."""
        self.asked.append(request.command)
        self.writer = request.headers.get("x-amz-meta-writer", self.writer)
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


def fail(status: int, code: str = "Fault") -> Step:
    """S3's way to say no."""
    return lambda request: request.reply(status, f"<Error><Code>{code}</Code></Error>".encode())


def give(body: bytes, *, promise: int | None = None) -> Step:
    """An object, which breaks off where more is promised than sent."""
    return lambda request: request.reply(200, body, promise=promise, ETag='"1"')


def last_writer(request: Asked) -> None:
    """An object that bears the mark of the last one that was sent."""
    request.reply(200, ETag='"1"', x_amz_meta_writer=request.server.writer)


def reset(request: Asked) -> None:
    """Cut the connection with a TCP reset and no answer."""
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.connection.close()
    request.close_connection = True
