"""The one way to standard output and standard error beside `PlainConsole`: plain text in bounds, whoever wrote it, and JSON in ASCII.

Names in a store, what a log says, a worker's last words and a source's metadata are data: they may hold rich's markup, escape
sequences or marks that turn the direction of text. tests/test_architecture.py proves that no other module writes to either.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from jobs.untrusted import LONGEST_SPOKEN, spoken

if TYPE_CHECKING:
    from jobs.document import Document  # with pydantic, which takes longer to load than all that help needs

MOST_LINES = 1000
"""Of one note, or of one cell of a table."""


def plain(text: str, most: int = LONGEST_SPOKEN) -> str:
    """A text of some lines as it may be shown: every line as `spoken` makes it."""
    lines = text.split("\n", MOST_LINES)[:MOST_LINES]
    return "\n".join(spoken(line, most) for line in lines)


def tell(text: str) -> None:
    """A sentence for people, on standard error, at once."""
    _write(sys.stderr, plain(text))


def answer_line(text: str) -> None:
    """A line of a command's own answer, on standard output, at once."""
    _write(sys.stdout, plain(text))


def answer(found: "Document | Sequence[Document]") -> None:
    """A command's own answer as JSON, on standard output."""
    if isinstance(found, Sequence):
        answer_json([each.model_dump(mode="json") for each in found])
    else:
        answer_json(found.model_dump(mode="json"))


def answer_json(value: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
    """Likewise. In ASCII: other characters are escaped as JSON has it."""
    _write(sys.stdout, json.dumps(value, indent=2))


def flush() -> None:
    """All that was written is with whoever reads it."""
    sys.stdout.flush()
    sys.stderr.flush()


def _write(out: TextIO, text: str) -> None:
    kept = out.encoding or "utf-8"  # of a terminal that shows Latin-1, say
    print(text.encode(kept, "backslashreplace").decode(kept), file=out, flush=True)
