"""Media on paper: what a record names in the store. Promises a name that lies in the job's own folders of media; opens nothing."""

from typing import Annotated

from pydantic import Field

from jobs.document import Document


class Media(Document):
    """One object under media/, chunks/ or proof/."""

    key: Annotated[str, Field(pattern=r"^(media|chunks|proof)/[A-Za-z0-9][A-Za-z0-9._-]{0,150}$")]
    """Its key in the job's folder of the store. A record comes from outside: it may have nothing else read or deleted."""
    sha256: str
    bytes: int
