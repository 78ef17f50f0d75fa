"""Makes a job spec of the values in a file, or tells in one sentence all that is wrong with them."""

from typing import Any

from pydantic import ValidationError

from jobs.document import faults
from jobs.errors import BadSpec
from jobs.field_paths import field_path
from jobs.spec.job import JobSpec
from jobs.untrusted import check_plain, scrub


def parse_spec(fields: Any, where: str) -> JobSpec:
    """A spec from what YAML or JSON gave; `where` names the file in the error.

    Raises BadSpec with one line for each wrong field: the field, the value given and what is allowed.
    """
    if not isinstance(fields, dict):
        raise BadSpec(f"{where}: a job spec is a mapping of fields such as name, source and look; see `farm schema`.")
    try:
        check_plain(fields)
        return JobSpec.model_validate(fields)
    except ValidationError as error:
        raise BadSpec(f"{where}: {'; '.join(map(_sentence, faults(error)))}.") from None
    except ValueError as wrong:
        raise BadSpec(f"{where}: {wrong}.") from None


def _sentence(error: Any) -> str:
    # Members of a union report under the class's name, and names of fields under a word of pydantic's: they mean nothing to a user.
    path = field_path(part for part in error["loc"] if part not in ("DetectShots", "GivenShots", "[key]")) or "spec"
    if error["type"] == "missing":
        return f"{path} is missing"
    if error["type"] == "extra_forbidden":
        return f"{path} is not a field of the spec (see `farm schema`)"
    message = error["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if isinstance(error["input"], dict):  # what is wrong with a whole is said by its own sentence
        return f"{path}: {message}"
    # A URL may carry credentials, and an error goes to logs.
    given = scrub(repr(error["input"]))
    return f"{path} = {given if len(given) < 80 else given[:77] + '...'}: {message}"
