"""Turns errors of S3 and botocore into StoreFault (worth a retry) or BadStore (for the user to mend), without secrets."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError

from jobs.errors import BadStore, StoreAway, StoreFault, UploadGone
from jobs.untrusted import scrub, spoken

BROKEN_BODY = (
    boto.ConnectionClosedError,
    boto.FlexibleChecksumError,
    boto.IncompleteReadError,
    boto.ReadTimeoutError,
    boto.ResponseStreamingError,
)
"""A reply that broke off or arrived damaged. botocore asks again only where this happens before the body."""

_PASSING = (*BROKEN_BODY, boto.ConnectTimeoutError, boto.HTTPClientError)
_NO_CREDENTIALS = (boto.NoCredentialsError, boto.PartialCredentialsError, boto.ProfileNotFound)
_NOT_RENEWED = (boto.CredentialRetrievalError, boto.SSOError, boto.TokenRetrievalError)
_PASSING_CODES = frozenset(
    {"BadDigest", "IncompleteBody", "RequestLimitExceeded", "RequestTimeout", "SlowDown", "Throttling"}
)
"""Worth another try whatever their HTTP status."""
_WRONG_CREDENTIALS = frozenset({"InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"})
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
"""Somebody renews such credentials: a role, or a program that writes them into their file."""
_WRONG_REGION = frozenset(
    {"301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"}
)

CHECKSUMS = "AWS_REQUEST_CHECKSUM_CALCULATION=when_required and AWS_RESPONSE_CHECKSUM_VALIDATION=when_required"
"""Keeps boto3 from sending checksums that the service did not ask for, in headers and behind bodies (trailers), and from asking
for them. The farm has hashes of its own."""
PAYER = "FILM_FARM_REQUESTER_PAYS=1"
"""Tells a bucket whose readers pay that this one will (jobs/store/s3/client.py)."""
_ABOUT_CHECKSUMS = re.compile(r"checksum|trailer|aws-chunked|x-amz-sdk-|content-?sha256|streaming-", re.IGNORECASE)
_PARTS = frozenset({"EntityTooSmall", "EntityTooLarge", "InvalidPart", "InvalidPartOrder"})
_UNSUPPORTED = frozenset({400, 404, 405, 411, 412, 501})

_LONGEST_WORDS = 300
"""Characters of a service's own message that are passed on."""
_NAMED_SECRET = re.compile(
    r"(signature|credential|token|secret|access.?key(?:.?id)?)([\w-]*\W{0,3}[=:]\s*)[^\s,;&<>]+", re.IGNORECASE
)
_KEY_ID = re.compile(r"\bA[A-Z]{3}[A-Z0-9]{12,}\b")
_LONG = re.compile(r"[A-Za-z0-9+/=_%-]{40,}")
"""Signatures, keys and tokens, and names that long: neither helps a reader."""

_CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role"


def code_of(error: ClientError) -> str:
    """S3's word for what is wrong; a bare HTTP status where the answer had no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_unsupported(error: ClientError) -> bool:
    """Whether a service refuses a kind of request as such: not these credentials, this bucket, this moment or a checksum with it."""
    code, status = code_of(error), _status(error)
    known = _PASSING_CODES | _WRONG_CREDENTIALS | _EXPIRED | _WRONG_REGION | {"NoSuchBucket", "RequestTimeTooSkewed"}
    return status in _UNSUPPORTED and code not in known and not _about_checksums(error)


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _about_checksums(error: ClientError) -> bool:
    said = f"{code_of(error)} {error.response.get('Error', {}).get('Message', '')}"
    return 400 <= _status(error) <= 501 and code_of(error) not in _PASSING_CODES and bool(_ABOUT_CHECKSUMS.search(said))


def _own_words(error: ClientError, secrets: Iterable[str]) -> str:
    """What the service says, its code first: one line of some length, without control characters and whatever could be a secret."""
    said = str(error.response.get("Error", {}).get("Message") or "")
    for secret in filter(None, secrets):
        said = said.replace(secret, "***")
    said = " ".join("".join(letter if letter.isprintable() else " " for letter in said[: 10 * _LONGEST_WORDS]).split())
    said = _LONG.sub("***", _KEY_ID.sub("***", _NAMED_SECRET.sub(r"\1\2***", scrub(said))))
    said = said if len(said) <= _LONGEST_WORDS else f"{said[: _LONGEST_WORDS - 3]}..."
    code = spoken(code_of(error))[:60]
    return f"{code}: {said.rstrip('.')}" if said and said != code else code


def done_once(complete: Callable[[], object], held: Callable[[], bool]) -> bool:
    """Complete an upload on a condition. False where the condition is not met.

    `held`: is it this writer's object that is there? A request that is sent again, because its first reply was lost, meets
    its own object (a condition that is not met any more), or no upload.
    """
    try:
        complete()
    except ClientError as error:
        code = code_of(error)
        if code not in ("PreconditionFailed", "412", "NoSuchUpload", "NoSuchKey", "404"):
            raise
        try:
            mine = held()
        except ClientError as missing:
            if code_of(missing) not in ("404", "NoSuchKey"):
                raise
            mine = False
        if code == "NoSuchUpload" and not mine:
            raise
        return mine
    return True


@contextmanager
def told_s3(doing: str, where: str, secrets: Callable[[], Iterable[str]] = tuple) -> Iterator[None]:
    """Tell what botocore raises as BadStore or StoreFault. `secrets`: what to leave out where the service repeats it."""
    try:
        yield
    except ClientError as error:
        raise _answered(error, f"Cannot {doing} {where} ({_own_words(error, secrets())})") from None
    except BotoCoreError as error:
        raise _unanswered(error, doing, where) from None


def _answered(error: ClientError, cannot: str) -> BadStore | StoreFault:
    """The sentence for a request that S3 refused."""
    code, status = code_of(error), _status(error)
    if code == "NoSuchUpload":
        return UploadGone(f"{cannot}: the upload was swept away while it ran; try again.")
    if code in _PASSING_CODES or status in (408, 409, 429) or (status >= 500 and status != 501):
        return StoreFault(f"{cannot}: the service is busy or failing; try again.")
    if code == "NoSuchBucket":
        return BadStore(f"{cannot}: there is no such bucket; create it or correct its name.")
    if code in ("NoSuchKey", "404"):
        return BadStore(
            f"{cannot}: there is no such object; if a record names it, delete that record, and the piece is made again."
        )
    if code in ("PreconditionFailed", "412"):
        return BadStore(f"{cannot}: it was changed while it was being read; run again, and leave it alone meanwhile.")
    if code in _EXPIRED:
        return StoreAway(f"{cannot}: the credentials have expired; renew them: {_CREDENTIALS}.")
    if code in _WRONG_CREDENTIALS:
        return BadStore(f"{cannot}: the credentials are wrong or have expired; {_CREDENTIALS}.")
    if code == "RequestTimeTooSkewed":
        return BadStore(f"{cannot}: this machine's clock is wrong; set it.")
    if code in _WRONG_REGION:
        return BadStore(f"{cannot}: the bucket lies in another region; set AWS_DEFAULT_REGION to it.")
    if _about_checksums(error):
        return BadStore(f"{cannot}: the service does not take the checksums that boto3 sends along; set {CHECKSUMS}.")
    if code in _PARTS:
        return BadStore(
            f"{cannot}: the service does not take the parts that were sent; end the upload (farm clean, or abort it) and "
            "run again, or choose a folder for the output."
        )
    if status in (401, 403):
        return BadStore(
            f"{cannot}: access is denied; grant these credentials s3:ListBucket, s3:GetObject, s3:PutObject, "
            "s3:DeleteObject, s3:AbortMultipartUpload, s3:ListBucketMultipartUploads and s3:ListMultipartUploadParts there; "
            f"where a bucket's readers pay, set {PAYER}."
        )
    return BadStore(
        f"{cannot}: the service refuses the request; check the URL, and that the service supports If-None-Match. "
        f"Where it does not take boto3's checksums, set {CHECKSUMS}."
    )


def _unanswered(error: BotoCoreError, doing: str, where: str) -> BadStore | StoreFault:
    """The sentence for a request that never got an answer, or was never sent."""
    cannot = f"Cannot {doing} {where}"
    if isinstance(error, _NO_CREDENTIALS):
        return BadStore(f"{cannot}: no AWS credentials were found; {_CREDENTIALS}.")
    if isinstance(error, _NOT_RENEWED):
        return StoreAway(f"{cannot}: the AWS credentials could not be renewed; {_CREDENTIALS}.")
    if isinstance(error, boto.EndpointConnectionError):
        host = urlsplit(str(error.kwargs.get("endpoint_url", ""))).netloc.rpartition("@")[2]
        return StoreAway(f"{cannot}: nothing answers at {host}; check the network and AWS_ENDPOINT_URL.")
    if isinstance(error, boto.SSLError):
        return BadStore(
            f"{cannot}: the service's certificate is not trusted; check AWS_ENDPOINT_URL and AWS_CA_BUNDLE."
        )
    if isinstance(error, boto.ProxyConnectionError):
        return BadStore(f"{cannot}: the proxy does not answer; check HTTPS_PROXY and NO_PROXY.")
    if isinstance(error, _PASSING):
        return StoreFault(f"{cannot} ({type(error).__name__}): the connection failed; try again.")
    return BadStore(f"{cannot}: {scrub(str(error)).rstrip('.')}; check the URL and the AWS settings.")
