"""Serves a job's metrics to Prometheus, and waits at the end of the job until they have been fetched once more."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LINGER_SECONDS = 20.0
"""How long the last numbers wait to be fetched: Prometheus comes every 15 s by default."""

MORE_PORTS = 9
"""Ports behind the one that was asked for that do as well."""

Values = float | None | Iterable[tuple[str | tuple[str, ...], float]]
"""Of one metric: one without labels, or each by its label or labels but for `job`. None: absent."""


class Families:
    """Metrics of one job, as a collector gives them. Every sample carries the label `job`, the job's name."""

    def __init__(self, job: str, began: float) -> None:
        """`began`: Unix time from which counters are told to count."""
        self._job, self._began = job, began

    def gauge(self, name: str, says: str, values: Values, *labels: str) -> Metric:
        """A number that goes up and down."""
        family = GaugeMetricFamily(f"film_farm_{name}", says, labels=["job", *labels])
        for found, value in self._samples(values):
            family.add_metric(found, value)
        return family

    def counter(self, name: str, says: str, values: Values, *labels: str) -> Metric:
        """A number that only grows."""
        family = CounterMetricFamily(f"film_farm_{name}", says, labels=["job", *labels])
        for found, value in self._samples(values):
            family.add_metric(found, value, created=self._began)
        return family

    def _samples(self, values: Values) -> Iterator[tuple[list[str], float]]:
        if isinstance(values, Iterable):
            for labels, value in values:
                yield [self._job, *([labels] if isinstance(labels, str) else labels)], value
        elif values is not None:
            yield [self._job], values


class MetricsServer:
    """A registry of its own for one collector, and the server of it; a context manager that closes the server."""

    def __init__(self, collector: Collector) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(collector)
        self._served: tuple[WSGIServer, threading.Thread] | None = None
        self._lingers = 0.0
        self._states, self._answered = 0, -1  # how many states there were to fetch, and the last that was fetched
        self._fetched = threading.Condition()

    def serve_wished(self, wished: int, lingers: float = 0.0) -> str:
        """Serve on the port that a user has asked for, or, where that is 0, on any; gives a sentence on it."""
        # A port that was asked for is for Prometheus on another host; any other is for this machine alone.
        port = self.serve(wished, "0.0.0.0", lingers=lingers) if wished else self.serve(0)
        return f"metrics on port {port}, for Prometheus" + (f" ({wished} is taken)" if wished not in (0, port) else "")

    def serve(self, port: int, addr: str = "127.0.0.1", *, lingers: float = 0.0) -> int:
        """Serve /metrics until the end. Gives the port: the one asked for; one of the next nine where that is taken; any free one
        where these are too, or where it is 0.

        A film is not refused for a port; whoever asked is to be told. Where anyone has fetched anything by the end, its last
        numbers wait `lingers` so many seconds at most to be fetched too. Raises OSError where `addr` is not this machine's.
        """
        self.close()
        self._served, self._lingers = self._start(port, addr), lingers
        return self._served[0].server_port

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
        with self._fetched, suppress(KeyboardInterrupt):
            self._states += 1
            if self._answered >= 0:
                self._fetched.wait_for(lambda: self._answered == self._states, self._lingers)

    def _start(self, port: int, addr: str) -> tuple[WSGIServer, threading.Thread]:
        # Prometheus is told of a few ports in a row: films that share a machine find each one of them.
        for near in [*range(port, min(port + 1 + MORE_PORTS, 1 << 16))] if port else []:
            with suppress(OSError):
                return self._start_at(near, addr)
        return self._start_at(0, addr)

    def _start_at(self, port: int, addr: str) -> tuple[WSGIServer, threading.Thread]:
        server, thread = start_http_server(port, addr, self.registry)
        server.set_app(self._answer)
        return server, thread

    def _answer(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterator[bytes]:
        state = self._states
        yield from make_wsgi_app(self.registry)(environ, start)
        with self._fetched:  # each part has been sent before the next is asked for
            self._answered = max(state, self._answered)
            self._fetched.notify_all()
