"""The law of the house, proven on the code itself: which room imports what, how big rooms, files and functions are, and which words are not used. Each test lists all offenders."""

import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

HOUSE = Path(__file__).parents[1]
ROOMS = ("jobs", "actors", "farm")
FILES = [path for room in ROOMS for path in sorted((HOUSE / room).rglob("*.py"))]
TESTS = sorted((HOUSE / "tests").rglob("*.py"))

JOBS_MAY_IMPORT = {"jobs", "numpy", "pydantic"}
"""Beside the standard library; boto3 and botocore in jobs/store/s3 alone."""
NEVER = {
    "jobs": {"actors", "farm", "ray", "torch", "av", "cv2", "prometheus_client"},
    "actors": {"farm", "ray", "boto3", "botocore", "prometheus_client"},
    "farm": {"boto3", "botocore", "av", "cv2", "numpy"},
}
ONLY_IN = {
    "boto3": {
        "jobs/store/s3/store.py",
        "jobs/store/s3/check.py",
        "jobs/store/s3/copy.py",
        "jobs/store/s3/client.py",
        "jobs/store/s3/errors.py",
        "jobs/store/s3/upload.py",
    },
    "rich": {"farm/progress/plain_console.py"},
    "ray": {
        "farm/cluster/joined_ray.py",
        "farm/cluster/local_ray.py",
        "farm/fleet/fair_share_client.py",
        "farm/fleet/fleet.py",
        "farm/fleet/ray_session.py",
        "farm/fleet/worker_actor.py",
        "farm/learn/torch_backend.py",
        "farm/learn/train.py",
        "farm/ops/ray_jobs.py",
    },
    "prometheus_client": {
        "farm/progress/metrics.py",
        "farm/progress/metrics_server.py",
        "farm/progress/training_metrics.py",
    },
}
SAME_LIBRARY = {"botocore": "boto3", "mypy_boto3_s3": "boto3"}
INSIDE = {
    "jobs": "field_paths untrusted processes digest errors document film spec store stills plan records ledger output review",
    "actors": "page_templates shot_lists media picture stills encode looks mux survey look_api render training evaluation verify deliver",
    "farm": "cluster fleet specs progress film estimate learn ops contact_sheets cli",
}
"""The rooms inside each room: one imports only those before it."""
WORDS = {
    "Ahead": "Prefetch", "Assembly": "FinishedPrefix", "Baggage": "InputUpload", "Board": "ProgressConsole", "Books": "UsageAccounting",
    "Budget": "RetryPolicy", "CallSheet": "CallQueue", "Claims": "FairShareClient", "Continuity": "RenderHistory", "Crew": "PoolSpec",
    "Developer": "Normaliser", "Glance": "ContentProbe", "Hand": "WorkerActor", "Hired": "Worker", "Keeping": "LeaseRenewal",
    "Lacking": "Missing", "Logbook": "DriverLog", "Luck": "RetryCount", "Meter": "UtilisationMeter", "Movie": "VirtualQuickTime",
    "Names": "SegmentNames", "Outlook": "FinishTimes", "Paid": "WorkerUsage", "Paper": "Document", "Plates": "FrameBatch",
    "Print": "WantedSegment", "Printer": "Transcoder", "Production": "FilmRun", "Prover": "StillRenderer", "Question": "ForecastRequest",
    "Roster": "WorkerPool", "Scout": "SurveyRun", "Shelf": "RoleData", "Spent": "RetriesExhausted", "Stretch": "PrefixPage",
    "Tally": "Usage", "Team": "WorkerRank", "Tempo": "FramesPerSecond", "Ticket": "QueuedCall", "Vantage": "DriverView",
    "Wages": "WorkerSeconds", "Wish": "StillRequest",
}  # fmt: skip
"""Private words that became the field's own: no class is called by the first any more."""
VARIABLES = {"abreast": "max_concurrency", "board": "console", "crew": "pool", "luck": "retries", "plate": "batch", "roster": "pool", "scout": "survey"}  # fmt: skip
"""The same of variables, fields and parameters."""
SLEEPS = {"time.sleep", "Event.wait", "Condition.wait", "asyncio.sleep"}
"""A wait for something that nobody will do is a sleep too."""
WAIT = {"tests/waiting.py", "jobs/ledger/lease.py", "actors/mux/finished_prefix.py"}
"""Where waits are made: for all tests, by the product's clock, and by default of a reader that is given another in tests."""
WRITES = {"farm/progress/plain_output.py": {"sys.stdout", "sys.stderr", "print"}, "farm/cli/stopping.py": {"os.write"}}
"""Who writes to standard output and standard error: the one way there, and a signal's constant sentence."""
WRITING = {"sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__", "os.write", "typer.echo", "typer.secho", "click.echo", "click.secho", "warnings.warn", "logging.getLogger", "logging.basicConfig", "logging.info", "logging.warning", "logging.error"}  # fmt: skip
BAD_WORDS = re.compile(r"(^|_)(scene|task|item|handler|manager|util|utils|helper|helpers)s?($|_)", re.IGNORECASE)
MOST_NAMES = 15
LONGEST_FILE = 320
LONGEST_FUNCTION = 40
"""Lines; of a command of the command line without its flags, which are declared as its parameters."""


def name_of(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(tree_of(path)))


def modules(path: Path) -> Iterator[str]:
    """All that a file imports, by full names; a name that is imported from a package counts as a module of it."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def classes(path: Path) -> list[str]:
    return [node.name for node in nodes(path) if isinstance(node, ast.ClassDef)]


def test_imports_go_one_way() -> None:
    wrong = []
    for path in FILES:
        room, found = path.relative_to(HOUSE).parts[0], {name.split(".")[0] for name in modules(path)}
        never = NEVER[room] - ({"boto3", "botocore"} if room == "jobs" else set())
        allowed = JOBS_MAY_IMPORT | set(sys.stdlib_module_names) | {"boto3", "botocore", "mypy_boto3_s3", "_typeshed"}
        wrong += [f"{name_of(path)} imports {name}" for name in found & never]
        wrong += [f"{name_of(path)} imports {name}" for name in found if room == "jobs" and name not in allowed]
        for name in found:
            homes = ONLY_IN.get(SAME_LIBRARY.get(name, name))
            if homes and name_of(path) not in homes:
                wrong.append(f"{name_of(path)} imports {name}, which stays in {sorted(homes)}")
    assert wrong == []


def test_imports_go_one_way_inside_each_room() -> None:
    wrong = []
    for path in FILES:
        room, *inside = path.relative_to(HOUSE).with_suffix("").parts
        order = INSIDE[room].split()
        if inside[0] == "__init__":
            continue
        assert inside[0] in order, f"{name_of(path)} is in no room of the table"
        for name in modules(path):
            other = name.split(".")[1:2]
            if name.startswith(f"{room}.") and order.index(other[0]) > order.index(inside[0]):
                wrong.append(f"{name_of(path)} imports {name}")
    assert wrong == []


def test_rooms_files_and_functions_are_small() -> None:
    rooms = Counter(name_of(path.parent) for path in FILES if path.stem != "__init__")
    rooms.update(name_of(folder.parent) for folder in {path.parent for path in FILES} if folder.parent != HOUSE)
    wrong = [f"{room} has {count} names" for room, count in rooms.items() if count > MOST_NAMES]
    for path in FILES:
        lines, tree = path.read_text(encoding="utf-8").count("\n"), nodes(path)[0]
        assert isinstance(tree, ast.Module)
        wrong += [f"{name_of(path)} has {lines} lines"] * (lines > LONGEST_FILE)
        first = (ast.get_docstring(tree) or "").partition("\n")[0]
        wrong += [f"the first line of {name_of(path)} does not say what it is for"] * (
            not first or "Promises " in first
        )
        wrong += [
            f"{node.name} in {name_of(path)} is too long"
            for node in nodes(path)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and (node.end_lineno or 0) - (node.body[0].lineno if name_of(path).startswith("farm/cli/") else node.lineno)
            >= LONGEST_FUNCTION
        ]
    assert wrong == []


def test_the_words_of_the_house() -> None:
    wrong = []
    for path in FILES:
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        names = [node.name for node in nodes(path) if isinstance(node, kinds)]
        wrong += [f"{name} in {name_of(path)}" for name in [*names, path.stem] if BAD_WORDS.search(name)]
        wrong += [f"{name} in {name_of(path)}: {WORDS[name]}" for name in classes(path) if name in WORDS]
        wrong += [f"{name} in {name_of(path)}: {word}" for name in variables(path) if (word := VARIABLES.get(name))]
    assert wrong == []


def variables(path: Path) -> set[str]:
    """Names of variables, fields and parameters, without what marks them as several or as private."""
    return {
        (node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else node.arg).strip("_").removesuffix("s")
        for node in nodes(path)
        if isinstance(node, ast.Name | ast.Attribute | ast.arg)
    }  # fmt: skip


def test_pages_are_templates_and_are_installed_with_the_modules_that_fill_them() -> None:
    markup = re.compile(r"<(html|style|script|table|div|h1|p)\b", re.IGNORECASE)
    strings = [(path, node.value) for path in FILES for node in nodes(path) if isinstance(node, ast.Constant)]
    assert [name_of(path) for path, text in strings if isinstance(text, str) and markup.search(text)] == []
    shipped = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"][
        "package-data"
    ]
    beside = [path for room in ROOMS for path in (HOUSE / room).rglob("*") if path.suffix in (".j2", ".css", ".js")]
    assert beside
    assert [name_of(path) for path in beside if not any(path.match(pattern) for pattern in shipped["*"])] == []


def test_each_class_has_a_name_of_its_own() -> None:
    counts = Counter(name for path in FILES for name in classes(path) if not name.startswith("_"))
    assert [name for name, count in counts.items() if count > 1] == []


def test_the_architecture_names_every_room() -> None:
    page = (HOUSE / "docs/architecture.md").read_text(encoding="utf-8")
    rooms = {
        name_of(path.parent) for path in FILES if path.parent.parent != HOUSE and path.parent.parent.parent == HOUSE
    }
    assert sorted(room for room in rooms if f"`{room}/`" not in page) == []
    assert sorted(set(re.findall(r"`((?:jobs|actors|farm)/[\w/]+(?:\.py)?)", page)) - known()) == []


def known() -> set[str]:
    files = {name_of(path) for path in FILES}
    return files | {f"{name_of(path.parent)}/" for path in FILES} | {name_of(path.parent) for path in FILES}


def test_tests_do_not_patch_or_sleep() -> None:
    assert [
        found for path in TESTS for found in named(path, {"mock.patch"} | SLEEPS) if name_of(path) not in WAIT
    ] == []


def test_the_product_sleeps_by_one_clock() -> None:
    assert [found for path in FILES for found in named(path, SLEEPS) if name_of(path) not in WAIT] == []


def test_every_text_goes_to_the_terminal_by_one_way() -> None:
    """What a store, a log, a worker or a source says must not steer a terminal: `plain_output` and `plain_console` see to it."""
    wrong = []
    for path in FILES:
        allowed = WRITES.get(name_of(path), set())
        calls = [node.func for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
        wrong += [
            f"{name_of(path)}:{call.lineno} print"
            for call in calls
            if isinstance(call, ast.Name) and call.id == "print" and "print" not in allowed
        ]
        wrong += named(path, WRITING - allowed)
    assert wrong == []


def named(path: Path, forbidden: set[str]) -> Iterator[str]:
    """Each place of a file that names something forbidden; a class that is called is named by itself: `threading.Event().wait` as `Event.wait`."""
    attributes = {name.rpartition(".")[2] for name in forbidden}
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute) and node.attr in attributes:
            whose = node.value.func if isinstance(node.value, ast.Call) else node.value
            names = [f"{ast.unparse(whose).rpartition('.')[2]}.{node.attr}"]
        else:
            continue
        yield from (f"{name_of(path)}:{node.lineno} {name}" for name in names if name in forbidden)


def test_the_driver_tells_a_film_on_one_screen() -> None:
    """Measured on the function that follows every finding: it, and what begins it, is the story."""
    story = next(
        node
        for node in tree_of(HOUSE / "farm/film/driver.py").body
        if isinstance(node, ast.FunctionDef) and any(isinstance(part, ast.Match) for part in ast.walk(node))
    )
    assert (story.end_lineno or 0) - story.lineno < LONGEST_FUNCTION
