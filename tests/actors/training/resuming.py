"""Holds that a course put down and taken up learns the same as one that never stopped."""

from collections.abc import Callable

import torch

from actors.training.course import Course

STEPS, PUT_DOWN = 5, 2


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether two states are equal, bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def goes_on_exactly(course: Callable[[], Course]) -> None:
    """`course` makes the same each time."""
    whole, first, second = course(), course(), course()
    assert same(first.state(), second.state())
    for step in range(STEPS):
        whole.learn(step, whole.lesson(step))
    for step in range(PUT_DOWN):
        first.learn(step, first.lesson(step))
    put_down = first.state()
    first.learn(PUT_DOWN, first.lesson(PUT_DOWN))
    assert not same(first.state(), put_down)
    second.restore(put_down)
    for step in range(PUT_DOWN, STEPS):
        second.learn(step, second.lesson(step))
    assert same(second.state(), whole.state())
