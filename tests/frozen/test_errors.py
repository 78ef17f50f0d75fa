"""docs/errors.md lists every sentence that the farm refuses with, made from the code; `python -m tests.frozen.test_errors` writes it anew."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from jobs import errors

HOUSE = Path(__file__).parents[2]
PAGE = HOUSE / "docs/errors.md"
CLASSES = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.FarmError)
}
FIELDS = "ValueError"
"""What a spec's own fields are refused with: the sentence is put behind the field's name and its value."""
ROOMS = ("jobs", "actors", "farm")
HEAD = """\
# What the farm says when something is wrong

Every sentence, by its kind, with the file that says it. It is made from the code: do not edit it, run `python -m tests.frozen.test_errors`.

Each says what is wrong, where, and what to do. Words in braces stand for names, places and numbers of the film at hand. Sentences that several places share, or that are
made of parts, are listed where the parts are.
"""


class Sentence(NamedTuple):
    """One place of the code at which an error is raised."""

    kind: str
    where: str
    text: str


def catalogue() -> str:
    """The page."""
    found = list(sentences())
    parts = [HEAD]
    for name in (*CLASSES, FIELDS):
        said = sorted({(each.where, each.text) for each in found if each.kind == name})
        if said:
            parts.append(f"## {_title(name)}\n\n{_about(name)}\n")
            parts += [_table(said)]
    return "\n".join(parts)


def _title(name: str) -> str:
    return "Fields of a job spec" if name == FIELDS else name


def _about(name: str) -> str:
    if name == FIELDS:
        return "Exit code 2. Told as `field = value: sentence`."
    return f"Exit code {CLASSES[name].exit_code}. {(inspect.getdoc(CLASSES[name]) or '').partition(chr(10))[0]}"


def _table(said: list[tuple[str, str]]) -> str:
    rows = [f"| {text} | `{where}` |" for where, text in said]
    return "\n".join(["| sentence | said by |", "|---|---|", *rows, ""])


def sentences() -> Iterator[Sentence]:
    """All that are written where they are raised, in constants, or in functions of the same file."""
    for path in (each for room in ROOMS for each in sorted((HOUSE / room).rglob("*.py"))):
        where, tree = path.relative_to(HOUSE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.args
                and _counts(node.func.id, where)
            ):
                for text in _texts(node.args[0], tree):
                    yield Sentence(node.func.id, where, text)


def _counts(name: str, where: str) -> bool:
    return name in CLASSES or (name == FIELDS and where.startswith("jobs/spec/"))


def _texts(node: ast.expr, tree: ast.Module) -> Iterator[str]:
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            yield _text(node)
        case ast.Name(id=name):
            yield from (_text(one) for one in _assigned(name, tree))
        case ast.Call(func=ast.Name(id=name)):
            made = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) and each.name == name]
            returns = [each.value for one in made for each in ast.walk(one) if isinstance(each, ast.Return)]
            yield from (_text(one) for one in returns if isinstance(one, ast.Constant | ast.JoinedStr))


def _assigned(name: str, tree: ast.Module) -> Iterator[ast.expr]:
    for each in ast.walk(tree):
        if isinstance(each, ast.Assign) and any(isinstance(one, ast.Name) and one.id == name for one in each.targets):
            yield from [each.value] if isinstance(each.value, ast.Constant | ast.JoinedStr) else []


def _text(node: ast.expr) -> str:
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    said = "".join(str(part.value) if isinstance(part, ast.Constant) else f"{{{_placeholder(part)}}}" for part in parts)
    return " ".join(said.split()).replace("|", "\\|").replace("<", "\\<")


def _placeholder(part: ast.expr) -> str:
    assert isinstance(part, ast.FormattedValue)
    told = ast.unparse(part.value)
    return told if len(told) <= 24 and told.replace(".", "").replace("_", "").isalnum() else "…"


def test_the_page_of_errors_is_what_the_code_says() -> None:
    told = "sentences have changed: python -m tests.frozen.test_errors writes the page anew"
    assert PAGE.read_text(encoding="utf-8") == catalogue(), told


def test_it_lists_them_wherever_they_are_written() -> None:
    found = {each.text for each in sentences()}
    where_raised, in_a_constant, in_a_function = (
        "--set {text}: write NAME",
        "The source's time stamps jump back",
        "{encoder} cannot be",
    )
    for begins in (where_raised, in_a_constant, in_a_function):
        assert [text for text in found if text.startswith(begins)], begins


if __name__ == "__main__":
    PAGE.write_text(catalogue(), encoding="utf-8")
