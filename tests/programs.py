"""Which tests take seconds, so that `make quick` leaves them out: those that start programs (Ray, Chromium, Prometheus, moto, a terminal, the command itself), and those that carry whole films."""

from collections.abc import Iterator
from functools import cache
from types import CodeType, FunctionType
from typing import Any

import pytest

STARTERS = (
    "farm.fleet.fleet.Fleet", "tests.browser.", "tests.deploy.prometheus.", "tests.farm.autoscaling.", "tests.farm.head.",
    "tests.farm.interactive.", "tests.farm.mounts.", "tests.farm.shell.", "tests.s3.MotoServer",
)  # fmt: skip
"""Whoever uses a function or a class whose full name begins so starts such a program, or talks to one."""

FILMS = ("tests.farm.inline.",)
"""Whoever uses one of these carries a whole film through all rooms, in this process."""
STORY = "tests.farm.film.test_driver"
"""The tests of what happens to a film. They are part of `make quick` all the same."""


def starts_programs(test: pytest.Function) -> bool:
    """Whether a test or one of its fixtures uses anything that starts such a program, itself or by way of other code of the tests."""
    return _asks_for_bucket(test) or _uses(test, STARTERS)


def carries_films(test: pytest.Function) -> bool:
    """Whether a test or one of its fixtures carries a whole film."""
    return test.function.__module__ != STORY and _uses(test, FILMS)


def _uses(test: pytest.Function, names: tuple[str, ...]) -> bool:
    fixtures = test._fixtureinfo.name2fixturedefs
    functions = [test.function, *(each.func for name in test.fixturenames for each in fixtures.get(name, ()))]
    return any(_looked_through(one, names) for one in functions)


def _asks_for_bucket(test: pytest.Function) -> bool:
    """Of a test for a folder and for S3, whether this is the case for S3: it asks for its bucket as it runs."""
    cases = test.callspec.params.values() if hasattr(test, "callspec") else ()
    return "s3" in [case for case in cases if isinstance(case, str)]


@cache
def _looked_through(function: Any, names: tuple[str, ...]) -> bool:
    # Once for all cases of a test, and for all tests of a fixture.
    return _leads_to(names, function, set())


def _leads_to(names: tuple[str, ...], found: Any, seen: set[int]) -> bool:
    if id(found) in seen or not isinstance(found, FunctionType | type):
        return False
    seen.add(id(found))
    if f"{found.__module__}.{found.__qualname__}".startswith(names):
        return True
    if not found.__module__.startswith("tests."):
        return False
    if isinstance(found, type):
        return any(_leads_to(names, part, seen) for part in (*found.__bases__, *vars(found).values()))
    return any(_leads_to(names, found.__globals__.get(name), seen) for name in _names(found.__code__))


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
