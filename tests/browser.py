"""Chromium, for what a browser shows of a page or a film. Promises a profile of its own for each visit; tests nothing."""

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome"))), None
)
"""Where it is; None where there is none."""


def browse(folder: Path, *arguments: str) -> str:
    """What Chromium says, with a profile under `folder`; for pages that are done when they are loaded."""
    command = [*command_of(folder), "--virtual-time-budget=10000", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


@contextmanager
def served(folder: Path, asked: Callable[[str], None]) -> Iterator[str]:
    """A web server for what lies in a folder; gives its URL. `asked` is told every path before it is answered."""

    class Files(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            asked(self.path)
            super().do_GET()

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def told(folder: Path, page: Path, seconds: float = 120.0, url: str = "") -> str:
    """What a page tells by `tell(text)`, however long that takes: films are decoded in real time.

    `page` is HTML whose scripts may call `tell` once; `url`: that of the page's folder, where it is served. Raises queue.Empty
    where it tells nothing.
    """
    with _listening() as (port, said):
        speaking = page.with_name(f"telling-{page.name}")
        speaking.write_text(
            f"<!doctype html><script>const tell = text => fetch('http://127.0.0.1:{port}', "
            f"{{method: 'POST', mode: 'no-cors', body: text}});</script>{page.read_text()}"
        )
        command = [*command_of(folder), "--allow-file-access-from-files", "--remote-debugging-port=0"]
        place = f"{url}/{speaking.name}" if url else speaking.as_uri()
        browser = subprocess.Popen([*command, place], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return said.get(timeout=seconds)
        finally:
            browser.terminate()
            browser.wait(30)
            speaking.unlink()


def command_of(folder: Path) -> list[str]:
    assert CHROMIUM
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
    return [CHROMIUM, *quiet, f"--user-data-dir={folder}/profile"]


@contextmanager
def _listening() -> Iterator[tuple[int, Queue[str]]]:
    """A server that takes one text, and where it puts it."""
    said: Queue[str] = Queue()

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    with HTTPServer(("127.0.0.1", 0), Ear) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port, said
        finally:
            server.shutdown()
            thread.join()
