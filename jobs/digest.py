"""Names by content: SHA-256 over canonical JSON, the same on any machine."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel


def canonical(paper: BaseModel | Mapping[str, Any]) -> bytes:
    """JSON with sorted keys and no spaces, UTF-8. Floats as Python prints them (shortest form that reads back the same)."""
    value = paper.model_dump(mode="json") if isinstance(paper, BaseModel) else dict(paper)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(paper: BaseModel | Mapping[str, Any]) -> str:
    """The first 40 hexadecimal digits (160 bits) of SHA-256: enough against chance, short enough for a file name."""
    return hashlib.sha256(canonical(paper)).hexdigest()[:40]


def sealed(paper: BaseModel | Mapping[str, Any]) -> bytes:
    """`canonical` JSON that carries its own digest, as "seal": one bit turned anywhere in it is seen."""
    text = canonical(paper)
    seal = hashlib.sha256(text).hexdigest()[:40]
    return text[:-1] + (b"," if len(text) > 2 else b"") + f'"seal":"{seal}"}}'.encode()


def unsealed(data: bytes) -> Any:
    """The value in JSON that was `sealed`, without the seal; any other as it is. Raises ValueError where it is damaged."""
    try:
        value = json.loads(data)
    except RecursionError:  # brackets in brackets: no paper of ours
        raise ValueError("no JSON of this farm") from None
    if isinstance(value, dict) and (seal := value.pop("seal", None)) is not None and seal != digest(value):
        raise ValueError("the seal is broken")
    return value


def sealed_bytes(data: bytes) -> bytes:
    """Any bytes, and their SHA-256 after them."""
    return data + hashlib.sha256(data).digest()


def unsealed_bytes(data: bytes) -> bytes:
    """The bytes that were sealed by `sealed_bytes`. Raises ValueError where they, or their seal, are damaged."""
    value, seal = data[:-32], data[-32:]
    if hashlib.sha256(value).digest() != seal:
        raise ValueError("the seal is broken")
    return value
