"""Parses YAML and JSON files written by people, in bounded time and memory. A file that cannot be read gets an error of one sentence."""

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.cyaml import CParser  # type: ignore[attr-defined]
from yaml.parser import ParserError
from yaml.reader import ReaderError
from yaml.resolver import Resolver
from yaml.scanner import ScannerError

from jobs.errors import BadSpec
from jobs.store import read_small
from jobs.untrusted import DEEPEST, check_json

LARGEST = 1 << 20
"""Bytes of a text: ten thousand overrides have fewer."""
MOST_ALIASES = 1000
"""Of a YAML text: each may stand for much."""
MOST_NODES = 80_000
"""Values and names of a YAML text, which takes its reader 50 microseconds each: ten thousand overrides have seventy thousand."""
MOST_MERGED = 1000
"""Fields of a mapping into which others are merged (<<): merging merges again doubles them each time."""


class _Bounded(Composer, SafeConstructor, Resolver):
    """YAML of texts, numbers, lists and mappings, each field said once. 10:00:00:00 and 1926-12-09 are texts.

    YAML 1.1 takes the first for a number in base sixty, and studios for a time code.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012  PyYAML's own name and form
        first: [
            ("tag:yaml.org,2002:str", re.compile(r"\d+(:\d+)+[.;]?\d*$")),
            *(one for one in known if one[0] != "tag:yaml.org,2002:timestamp"),
        ]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    check_event: Callable[..., bool]
    """Of whichever reads the text."""
    aliases = 0
    nodes = 0
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.nodes, self.depth = self.nodes + 1, self.depth + 1
        if self.nodes > MOST_NODES:
            raise yaml.MarkedYAMLError(
                problem=f"it has more than {MOST_NODES:,} values; shorten it, or write it as JSON"
            )
        if self.depth > 2 * DEEPEST:  # what is within it is read sooner than it is refused, in time by its square
            raise RecursionError
        if self.check_event(yaml.AliasEvent):
            self.aliases += 1
            if self.aliases > MOST_ALIASES:
                raise yaml.MarkedYAMLError(problem=f"it has more than {MOST_ALIASES:,} aliases")
        found = super().compose_node(parent, index)
        self.depth -= 1
        return found

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        if len(node.value) > MOST_MERGED and len({key.value for key, _ in node.value}) < len(node.value):
            problem = f"more than {MOST_MERGED:,} fields are merged here"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if isinstance(node, yaml.MappingNode):
            _refuse_twice(node)
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError):  # what PyYAML says of `!!int x` and its like
            kind = node.tag.rpartition(":")[2]
            raise yaml.MarkedYAMLError(problem=f"this is no {kind}", problem_mark=node.start_mark) from None


class _Yaml(_Bounded, yaml.SafeLoader):
    """Read by PyYAML."""


class _FastYaml(_Bounded, CParser):
    """Read by libyaml, in a quarter of the time; what is made of its words is PyYAML's own, so that it can be counted."""

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        for base in (Composer, SafeConstructor, Resolver):
            base.__init__(self)


def _parsed(text: str) -> Any:
    try:
        return _FastYaml(text).get_single_data()
    except (ReaderError, ScannerError, ParserError):  # what is wrong PyYAML tells better
        return yaml.load(text, _Yaml)


def _refuse_twice(node: yaml.MappingNode) -> None:
    # What is merged in may be said again, but has not been yet.
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value} is said twice", problem_mark=key.start_mark)
            seen.add(key.value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{twice} is said twice")
    return fields


def read_fields(place: str, what: str) -> Any:
    """What a YAML or JSON text says, at a path, file:// or s3://. `what` is it called in errors.

    Raises BadSpec where it cannot be parsed, BadMedia where it is not there, or is larger than LARGEST.
    """
    data = read_small(place, LARGEST)
    try:
        text = data.decode("utf-8-sig")  # some editors begin a text with a byte order mark
        if place.lower().endswith(".json"):
            check_json(text)
            return json.loads(text, object_pairs_hook=_once)
        return _parsed(text)
    except UnicodeDecodeError:
        raise BadSpec(f"{place} is not text in UTF-8 (but in Latin-1, perhaps); save the {what} as UTF-8.") from None
    except json.JSONDecodeError as error:
        raise BadSpec(f"{place}, line {error.lineno}: {error.msg}; a {what} ending in .json is JSON.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
        raise BadSpec(f"{place}{where}: {problem}; a {what} is YAML or JSON.") from None
    except RecursionError:
        raise BadSpec(f"{place}: its lists and mappings are nested too deeply; write the {what} flatter.") from None
    except ValueError as error:  # a number of thousands of digits, a field that is said twice
        said = str(error).partition(":")[0]
        raise BadSpec(f"{place}: {said}; a {what} is YAML or JSON that says each thing once.") from None
