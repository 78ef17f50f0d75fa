"""The client of S3, and how it is asked. Promises one sentence for a failure, patience where a job is at work, and new credentials for expired ones; knows no object.

boto3's standard mode asks up to four times within seven seconds of jittered waiting, for time-outs, resets, 500 and 503,
from a purse of 500 retries that it shares among all requests. It covers no body that breaks off, no 409, no expired
credentials and no outage: jobs/store/patience.py does.
"""

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import boto3.session
from botocore.config import Config

from jobs.errors import BadStore, StoreAway
from jobs.outside import scrub
from jobs.store.patience import patiently
from jobs.store.s3_errors import told_s3
from jobs.store.traffic import Asked, passed

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

Found = TypeVar("Found")

ATTEMPTS = 4
"""Times boto3 sends a request in all, seven seconds of waiting at most, before it is a StoreFault."""

_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=32,
)


class Asker:
    """Asks S3. Its client is made when it is first needed, and made anew where nothing answers or credentials have expired."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._client: S3Client | None = None

    @property
    def client(self) -> "S3Client":
        """Raises BadStore where the endpoint is no URL."""
        with self._lock:
            # A session of its own: boto3's shared one may not be used by two threads at once.
            try:
                self._client = self._client or _counted(boto3.session.Session().client("s3", config=_CONFIG))
            except ValueError as error:  # botocore's way to refuse an endpoint that is no URL
                raise BadStore(f"Cannot reach S3: {scrub(str(error))}; correct AWS_ENDPOINT_URL.") from None
            return self._client

    def ask(self, doing: str, where: str, move: Callable[["S3Client"], Found]) -> Found:
        """What `move` asks of a client, `patiently`: it must be harmless to ask twice. Raises BadStore, StoreFault or StoreDown."""
        return patiently(lambda: self._once(doing, where, move))

    def _once(self, doing: str, where: str, move: Callable[["S3Client"], Found]) -> Found:
        try:
            with told_s3(doing, where):
                return move(self.client)
        except StoreAway:
            # Whoever renews credentials writes them where a new session finds them.
            self._client = None
            raise


def _counted(client: "S3Client") -> "S3Client":
    """A client whose every request is counted, those that botocore sends again included."""
    client.meta.events.register("before-send.s3", _sent)
    client.meta.events.register("after-call.s3.GetObject", _received)
    return client


def _sent(request: Any, event_name: str, **_: object) -> None:
    verb = event_name.rpartition(".")[2]
    headers = request.headers
    size = int(headers.get("X-Amz-Decoded-Content-Length", headers.get("Content-Length", 0)))
    asked: Asked = "list" if verb.startswith("List") else "read" if verb.startswith(("Get", "Head")) else "write"
    passed(asked, bytes_written=size if verb in ("PutObject", "UploadPart") else 0)


def _received(parsed: dict[str, Any], **_: object) -> None:
    passed(bytes_read=parsed.get("ContentLength", 0))
