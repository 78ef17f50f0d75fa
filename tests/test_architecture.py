"""The law of the house, proven on the code itself: which room imports what, how big files and functions are, which words are not used."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
ROOMS = ("jobs", "actors", "farm")
FILES = [path for room in ROOMS for path in sorted((HOUSE / room).rglob("*.py"))]

JOBS_MAY_IMPORT = {"jobs", "numpy", "pydantic"}
"""Beside the standard library; boto3 and botocore in jobs/store/s3*.py alone."""
NEVER = {
    "jobs": {"actors", "farm", "ray", "torch", "av", "cv2", "prometheus_client"},
    "actors": {"farm", "ray", "boto3", "botocore", "prometheus_client"},
    "farm": {"boto3", "botocore", "av", "cv2", "numpy"},
}
ONLY_IN = {
    "boto3": {
        "jobs/store/s3.py",
        "jobs/store/s3_check.py",
        "jobs/store/s3_client.py",
        "jobs/store/s3_errors.py",
        "jobs/store/s3_upload.py",
    },
    "ray": {
        "farm/claims.py",
        "farm/fleet.py",
        "farm/hand.py",
        "farm/joined_ray.py",
        "farm/local_ray.py",
        "farm/ray_jobs.py",
        "farm/ray_session.py",
        "farm/train.py",
    },
    "prometheus_client": {"farm/metrics.py", "farm/served.py"},
}
BAD_WORDS = re.compile(r"(^|_)(scene|task|item|handler|manager|util|utils|helper|helpers)s?($|_)", re.IGNORECASE)
LONGEST_FILE = 320
LONGEST_FUNCTION = 50


def name_of(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: relative import"
            yield (node.module or "").split(".")[0]


def test_the_rooms_are_there() -> None:
    assert {path.relative_to(HOUSE).parts[0] for path in FILES} == set(ROOMS)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    room = path.relative_to(HOUSE).parts[0]
    found = set(imports(path))
    assert not found & (NEVER[room] - {"boto3", "botocore"}), "jobs <- actors <- farm"
    for library, homes in ONLY_IN.items():
        roots = {"boto3": {"boto3", "botocore", "mypy_boto3_s3"}}.get(library, {library})
        assert not found & roots or name_of(path) in homes, f"{library} stays in {sorted(homes)}"
    if room == "jobs":
        allowed = JOBS_MAY_IMPORT | set(sys.stdlib_module_names) | {"boto3", "botocore", "mypy_boto3_s3", "_typeshed"}
        assert found <= allowed


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_have_a_door_plate_and_a_bound(path: Path) -> None:
    plate = ast.get_docstring(tree_of(path)) or ""
    assert plate, "the first line says what the file is for"
    assert path.read_text(encoding="utf-8").count("\n") <= LONGEST_FILE


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_functions_are_short(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LONGEST_FUNCTION, node.name


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_the_words_of_the_house(path: Path) -> None:
    names = [
        node.name
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    assert not [name for name in [*names, path.stem] if BAD_WORDS.search(name)]


def test_the_readme_names_every_module() -> None:
    tree = (HOUSE / "README.md").read_text(encoding="utf-8").partition("\n## The house\n")[2].split("```")[1]
    named, room = [], ""
    for line in tree.strip().splitlines():
        name = line.split()[0]
        if name.endswith("/"):
            room = name
        else:
            named.append(room + name)
    assert sorted(named) == sorted(name_of(path) for path in FILES if path.stem != "__init__")


def test_tests_do_not_patch_or_sleep() -> None:
    for path in sorted((HOUSE / "tests").rglob("*.py")):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Attribute):
                assert not (node.attr == "patch" and isinstance(node.value, ast.Name) and node.value.id == "mock"), path
                assert not (node.attr == "sleep" and isinstance(node.value, ast.Name) and node.value.id == "time"), path


def test_the_driver_tells_a_film_on_one_screen() -> None:
    story = next(
        node
        for node in tree_of(HOUSE / "farm/driver.py").body
        if isinstance(node, ast.FunctionDef) and node.name == "render_film"
    )
    assert (story.end_lineno or 0) - story.lineno < LONGEST_FUNCTION
