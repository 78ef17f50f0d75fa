"""Served: one job's numbers where Prometheus fetches them. Promises a registry of its own, and that the last word can be fetched before the job's process ends; knows no number.

Every sample carries the label `job`, the job's name.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, Counter, Gauge, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LINGER_SECONDS = 20.0
"""How long the last word waits to be fetched: Prometheus comes every 15 s by default."""

MORE_PORTS = 9
"""Ports behind the one that was asked for that do as well."""


class MetricsServer:
    """One job's registry, and the server of it; a context manager that closes the server."""

    def __init__(self, job: str) -> None:
        self.job = job
        self.registry = CollectorRegistry()
        self.before: Callable[[], None] = lambda: None
        """Called before each answer, in the server's thread."""
        self._served: tuple[WSGIServer, threading.Thread] | None = None
        self._lingers = 0.0
        self._word, self._answered = 0, -1  # how many words there were to fetch, and the last that was fetched
        self._heard = threading.Condition()
        self._progress = self._gauge("last_progress_timestamp_seconds", "Unix time of the last progress.")
        self._progress.labels(job).set_to_current_time()

    def serve(self, port: int, addr: str = "127.0.0.1", *, lingers: float = 0.0) -> int:
        """Serve /metrics until the end. Gives the port: the one asked for; one of the next nine where that is taken; any free one
        where these are too, or where it is 0.

        A film is not refused for a port; whoever asked is to be told. Where anyone has fetched anything by the end, its last
        word `lingers` so many seconds at most to be fetched too. Raises OSError where `addr` is not this machine's.
        """
        self.close()
        server = self._free_server(port, addr)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self._served, self._lingers = (server, thread), lingers
        return server.server_port

    def close(self) -> None:
        """Stop serving; the numbers stay."""
        if self._served:
            server, thread = self._served
            self._served = None
            server.shutdown()
            server.server_close()
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is not KeyboardInterrupt:
                self._linger()
        finally:
            self.close()

    def _linger(self) -> None:
        """Until an answer has been given that was asked for from now on, if there ever was any. Ctrl-C ends it, and no more."""
        with self._heard, suppress(KeyboardInterrupt):
            self._word += 1
            if self._answered >= 0:
                self._heard.wait_for(lambda: self._answered == self._word, self._lingers)

    def _free_server(self, port: int, addr: str) -> WSGIServer:
        # Prometheus is told of a few ports in a row: films that share a machine find each one of them.
        for one in range(port, min(port + 1 + MORE_PORTS, 1 << 16)) if port else ():
            with suppress(OSError):
                return self._server(one, addr)
        return self._server(0, addr)

    def _server(self, port: int, addr: str) -> WSGIServer:
        answer = make_wsgi_app(self.registry)

        def counted(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
            word = self._word
            self.before()
            return _Told(answer(environ, start), lambda: self._told(word))

        return make_server(addr, port, counted, ThreadingWSGIServer, _Silent)

    def _told(self, word: int) -> None:
        with self._heard:
            self._answered = max(word, self._answered)
            self._heard.notify_all()

    def _gauge(self, name: str, says: str, *labels: str) -> Gauge:
        return Gauge(f"film_farm_{name}", says, ["job", *labels], registry=self.registry)

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(f"film_farm_{name}", says, ["job", *labels], registry=self.registry)


class _Told:
    """An answer, and what is done once it has been sent, as WSGI has it (PEP 3333: `close`)."""

    def __init__(self, answer: Iterable[bytes], done: Callable[[], None]) -> None:
        self._answer = answer
        self.close = done

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)


class _Silent(WSGIRequestHandler):
    """Standard error belongs to the film."""

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""
