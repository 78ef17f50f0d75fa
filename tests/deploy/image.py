"""Which programs the image of deploy/docker has, as its Dockerfile says, and which ones a command calls. Promises to know each program's package; builds nothing."""

import re
import shlex
from collections.abc import Iterator

from tests.deploy.shown import DEPLOY

DOCKERFILE = DEPLOY / "docker/Dockerfile"
BASE = frozenset(
    [
        "bash",
        "sh",
        "cat",
        "chown",
        "echo",
        "env",
        "head",
        "id",
        "ls",
        "mkdir",
        "printenv",
        "rm",
        "sleep",
        "stat",
        "true",
        "uname",
        "which",
        "pip",
        "python",
        "python3",
    ]
)
"""Of python:3.11-slim-bookworm: bash, coreutils and debianutils, which Debian calls essential, and Python's own."""
OF_PACKAGE = {"openssh-client": {"ssh", "scp", "ssh-keygen"}, "rsync": {"rsync"}}
"""Programs of Debian's packages that the Dockerfile may install (packages.debian.org)."""
OF_WHEEL = {"ray": {"ray"}, ".": {"farm"}}
_BUILT_IN = frozenset({"export", "source", "command", "true", "exit", "until", "cd"})


def image_programs() -> set[str]:
    """Every program of the image, by name."""
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    packages = {
        word
        for line in re.findall(r"apt-get install ([^&|;\n]*)", text)
        for word in line.split()
        if not word.startswith("-")
    }
    wheels = {
        re.split(r"[\[=<>]", word)[0] for line in re.findall(r"pip install ([^&|;\n]*)", text) for word in line.split()
    }
    found = set(BASE)
    for package in packages:
        found |= OF_PACKAGE[package]
    for wheel, programs in OF_WHEEL.items():
        found |= programs if wheel in wheels else set()
    return found


def called(text: str) -> Iterator[str]:
    """Programs that a shell command calls, those in a command behind `bash -c` too; none that stand behind `||`, for want of another."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();&|<>")
    lexer.whitespace_split = True
    words = list(lexer)
    begins, shell = True, False
    for place, word in enumerate(words):
        if word == "||":
            return
        if set(word) <= set("();&|"):
            begins, shell = True, False
        elif set(word) <= set("<>&"):
            continue
        elif begins and not re.match(r"^\w+=", word):
            name = word.rpartition("/")[2]
            begins, shell = False, name in ("bash", "sh")
            if name not in _BUILT_IN:
                yield name
        elif shell and words[place - 1].startswith("-") and not word.startswith("-"):
            yield from called(word)
            shell = False
