"""The S3 client: requests with retries, renewed credentials, and failures told in one sentence.

boto3's standard mode asks up to four times within seven seconds of jittered waiting, for time-outs, resets, 500 and 503,
from a budget of 500 retries that it shares among all requests. It covers no body that breaks off, no 409, no expired
credentials and no outage: jobs/store/retry.py does.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader, create_loader
from botocore.session import Session

from jobs.errors import BadStore, StoreAway
from jobs.store.retry import hurried, patiently
from jobs.store.s3.errors import told_s3
from jobs.store.traffic import Asked, passed
from jobs.untrusted import scrub

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

Found = TypeVar("Found")

ATTEMPTS = 4
"""Times boto3 sends a request in all, seven seconds of waiting at most, before it is a StoreFault."""

PAYER_VARIABLE = "FILM_FARM_REQUESTER_PAYS"
"""1 where this account pays for requests to buckets whose readers pay, of sources and stores alike. Other buckets do not mind."""

_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=32,
)
_HURRIED = Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=2)
"""In a process that is to end within seconds (farm/cli/stopping.py)."""


class S3Requests:
    """Asks S3. Its client is made when it is first needed, and made anew where nothing answers or credentials have expired."""

    def __init__(self, *, checksums: Literal["when_required"] | None = None) -> None:
        """`checksums`: whether to send those that no service asks for; by default boto3's own settings say."""
        self._lock = Lock()
        self._client: S3Client | None = None
        self._session: Session | None = None
        self._signer: S3Client | None = None
        self._config = (
            _CONFIG.merge(Config(request_checksum_calculation=checksums, response_checksum_validation=checksums))
            if checksums
            else _CONFIG
        )
        self._hurried = False

    @property
    def client(self) -> "S3Client":
        """Raises BadStore where the endpoint is no URL."""
        with self._lock:
            # A session of its own: one that is shared may not be used by two threads at once.
            if hurried() and not self._hurried:
                self._client, self._hurried = None, True
                self._config = self._config.merge(_HURRIED)
            try:
                if self._client is None:
                    self._session = _session()
                    self._client = _prepared(cast("S3Client", self._session.create_client("s3", config=self._config)))
            except ValueError as error:  # botocore's way to refuse an endpoint that is no URL
                raise BadStore(f"Cannot reach S3: {scrub(str(error))}; correct AWS_ENDPOINT_URL.") from None
            return self._client

    def link(self, bucket: str, name: str, where: str, seconds: int) -> str:
        """A signed URL of an object. Raises BadStore where there are no credentials."""

        def sign(asked: "S3Client") -> str:
            if self._signer is None:
                # By itself botocore signs as it did before 2014, for a host that sends readers of newer regions elsewhere. Of Amazon's own hosts each bucket has
                # one, so that no other bucket's pages read what a browser keeps of this one's.
                style: Literal["virtual", "auto"] = (
                    "virtual" if asked.meta.endpoint_url.endswith(".amazonaws.com") else "auto"
                )
                config = self._config.merge(Config(signature_version="s3v4", s3={"addressing_style": style}))
                self._signer = cast("S3Client", _session().create_client("s3", config=config))
            return self._signer.generate_presigned_url("get_object", {"Bucket": bucket, "Key": name}, seconds)

        return self.ask("sign a link to", where, sign)

    def ask(self, doing: str, where: str, move: Callable[["S3Client"], Found]) -> Found:
        """What `move` asks of a client, `patiently`: it must be harmless to ask twice. Raises BadStore, StoreFault or StoreDown."""
        return patiently(lambda: self._once(doing, where, move))

    def _once(self, doing: str, where: str, move: Callable[["S3Client"], Found]) -> Found:
        try:
            with told_s3(doing, where, self._secrets):
                return move(self.client)
        except StoreAway:
            # Whoever renews credentials writes them where a new session finds them.
            self._client = None
            raise

    def _secrets(self) -> list[str]:
        """What the client signs its requests with."""
        with suppress(BotoCoreError):
            found = self._session.get_credentials() if self._session else None
            return [one for one in found.get_frozen_credentials() if one] if found else []
        return []


def _session() -> Session:
    session = Session()
    session.register_component("data_loader", _descriptions(session.get_config_variable("data_path")))
    return session


@cache
def _descriptions(path: str | None) -> Loader:
    """S3 as botocore's files describe it: to read them takes five times what a client takes besides, so they are read once for all sessions."""
    return create_loader(path)


def requester_pays() -> bool:
    """Whether this account pays, as the environment says. Raises BadStore where it says neither yes nor no."""
    said = os.environ.get(PAYER_VARIABLE, "").strip().lower()
    if said not in ("", "0", "1", "false", "true", "no", "yes"):
        raise BadStore(f"{PAYER_VARIABLE} is {said!r}; set it to 1, or do not set it.")
    return said in ("1", "true", "yes")


def _prepared(client: "S3Client") -> "S3Client":
    """A client whose every request is counted, those that botocore sends again included, and paid for where that is wished."""
    if requester_pays():
        client.meta.events.register("before-call.s3", _paid)
    client.meta.events.register("before-send.s3", _sent)
    client.meta.events.register("after-call.s3.GetObject", _received)
    return client


def _paid(params: dict[str, Any], **_: object) -> None:
    # Not an argument of each call: some have none, and the header is harmless to all.
    params["headers"]["x-amz-request-payer"] = "requester"


def _sent(request: Any, event_name: str, **_: object) -> None:
    verb = event_name.rpartition(".")[2]
    headers = request.headers
    size = int(headers.get("X-Amz-Decoded-Content-Length", headers.get("Content-Length", 0)))
    asked: Asked = "list" if verb.startswith("List") else "read" if verb.startswith(("Get", "Head")) else "write"
    passed(asked, bytes_written=size if verb in ("PutObject", "UploadPart") else 0)


def _received(parsed: dict[str, Any], **_: object) -> None:
    passed(bytes_read=parsed.get("ContentLength", 0))
