"""Services that speak S3 and are not Amazon's: each takes less than S3 does, and says so in its own words. To be put before moto (tests/proxy.py); knows no film."""

import re
from collections import defaultdict
from collections.abc import MutableMapping
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

Headers = MutableMapping[str, str]


class Refusal(NamedTuple):
    """A service's answer of its own."""

    status: int
    code: str
    message: str = ""

    @property
    def body(self) -> bytes:
        """As S3 says no."""
        return f"<Error><Code>{self.code}</Code><Message>{escape(self.message)}</Message></Error>".encode()


class Service:
    """Takes whatever moto takes."""

    def answer(self, method: str, path: str, headers: Headers, body: bytes) -> Refusal | None:
        """None where the request is moto's; its headers may be changed before."""
        return None


class EqualParts(Service):
    """Completes only uploads whose parts are of one size, but for the last, as Cloudflare R2 does."""

    def __init__(self) -> None:
        self.sizes: dict[str, dict[int, int]] = defaultdict(dict)
        """Bytes of each part, by the upload and the part's number."""

    def answer(self, method: str, path: str, headers: Headers, body: bytes) -> Refusal | None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        upload = asked.get("uploadId", "")
        if method == "PUT" and "partNumber" in asked:
            self.sizes[upload][int(asked["partNumber"])] = len(body)
        if method == "POST" and upload:
            named = sorted(int(one) for one in re.findall(rb"<PartNumber>(\d+)</PartNumber>", body))
            if len({self.sizes[upload][one] for one in named[:-1]}) > 1:
                return Refusal(400, "InvalidPart", "All non-trailing parts must have the same length.")
        return None


class NoChecksums(Service):
    """Refuses what boto3 sends to be safe, in headers or behind bodies; in words of the caller's choice."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal

    def answer(self, method: str, path: str, headers: Headers, body: bytes) -> Refusal | None:
        added = ("x-amz-checksum-", "x-amz-sdk-checksum", "x-amz-trailer")
        return self.refusal if any(name.lower().startswith(added) for name in headers) else None


class Without(Service):
    """Refuses requests by their query (a word of it) or by a header."""

    def __init__(self, *words: str, status: int = 501, code: str = "NotImplemented") -> None:
        self.words = words
        self.refusal = Refusal(status, code, "A header you provided implies functionality that is not implemented.")

    def answer(self, method: str, path: str, headers: Headers, body: bytes) -> Refusal | None:
        given = [name.lower() for name in headers]
        query = f"{method} {urlsplit(path).query}"
        return self.refusal if any(one in given or re.search(one, query) for one in self.words) else None


class Deaf(Service):
    """Does not know some headers, and takes the request without them."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def answer(self, method: str, path: str, headers: Headers, body: bytes) -> Refusal | None:
        for name in [one for one in headers if one.lower() in self.names]:
            del headers[name]
        return None


class ReadersPay(Service):
    """A bucket of somebody who lets readers pay."""

    def answer(self, method: str, path: str, headers: Headers, body: bytes) -> Refusal | None:
        pays = any(name.lower() == "x-amz-request-payer" and value == "requester" for name, value in headers.items())
        return None if pays else Refusal(403, "AccessDenied", "Access Denied")
