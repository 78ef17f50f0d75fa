"""What S3 and botocore say, told as one sentence. Promises to tell bad luck (StoreFault) from what a user can mend (BadStore); repeats no secret."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError

from jobs.errors import BadStore, StoreAway, StoreFault, UploadGone
from jobs.outside import scrub

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

_CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role"


def code_of(error: ClientError) -> str:
    """S3's word for what is wrong; a bare HTTP status where the answer had no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def told_s3(doing: str, where: str) -> Iterator[None]:
    """Tell what botocore raises as BadStore or StoreFault."""
    try:
        yield
    except ClientError as error:
        raise _answered(error, doing, where) from None
    except BotoCoreError as error:
        raise _unanswered(error, doing, where) from None


def _answered(error: ClientError, doing: str, where: str) -> BadStore | StoreFault:
    """The sentence for a request that S3 refused."""
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    cannot = f"Cannot {doing} {where} ({code})"
    if code == "NoSuchUpload":
        return UploadGone(f"{cannot}: the upload was swept away while it ran; worth another try.")
    if code in _PASSING_CODES or status in (408, 409, 429) or (status >= 500 and status != 501):
        return StoreFault(f"{cannot}: the service is busy or failing; worth another try.")
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
    if status in (401, 403):
        return BadStore(
            f"{cannot}: access is denied; grant these credentials s3:ListBucket, s3:GetObject, s3:PutObject, "
            "s3:DeleteObject, s3:AbortMultipartUpload, s3:ListBucketMultipartUploads and s3:ListMultipartUploadParts there."
        )
    return BadStore(
        f"{cannot}: the service refuses the request; check the URL, and that the service supports If-None-Match."
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
        return StoreFault(f"{cannot} ({type(error).__name__}): the connection failed; worth another try.")
    return BadStore(f"{cannot}: {scrub(str(error)).rstrip('.')}; check the URL and the AWS settings.")
