"""Which tests start programs that take seconds to begin: Ray, Chromium, Prometheus, moto, a terminal, the command itself. `make quick` leaves them out."""

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


def starts_programs(test: pytest.Function) -> bool:
    """Whether a test or one of its fixtures uses anything that starts such a program, itself or by way of other code of the tests."""
    fixtures = test._fixtureinfo.name2fixturedefs
    functions = [test.function, *(each.func for name in test.fixturenames for each in fixtures.get(name, ()))]
    return any(map(_looked_through, functions))


@cache
def _looked_through(function: Any) -> bool:
    # Once for all cases of a test, and for all tests of a fixture.
    return _starts(function, set())


def _starts(found: Any, seen: set[int]) -> bool:
    if id(found) in seen or not isinstance(found, FunctionType | type):
        return False
    seen.add(id(found))
    if f"{found.__module__}.{found.__qualname__}".startswith(STARTERS):
        return True
    if not found.__module__.startswith("tests."):
        return False
    if isinstance(found, type):
        return any(_starts(part, seen) for part in (*found.__bases__, *vars(found).values()))
    return any(_starts(found.__globals__.get(name), seen) for name in _names(found.__code__))


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
