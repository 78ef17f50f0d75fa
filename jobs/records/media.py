"""A media object in the store as a record names it. Its key can only lie in the job's own media folders."""

from typing import Annotated

from pydantic import Field

from jobs.document import Count, Document


class Media(Document):
    """One object under media/, chunks/ or proof/."""

    key: Annotated[str, Field(pattern=r"^(media|chunks|proof)/[A-Za-z0-9][A-Za-z0-9._-]{0,150}$")]
    """Its key in the job's folder of the store. A record comes from outside: it may have nothing else read or deleted."""
    sha256: str
    bytes: Count
