"""Every file of deploy/: images and versions pinned, no secret in it, nothing named that is not there."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.shown import DEPLOY, rules

HOUSE = DEPLOY.parent
FILES = sorted(
    path
    for path in DEPLOY.rglob("*")
    if path.is_file() and not {"secrets", "films"} & set(path.relative_to(DEPLOY).parts)
)
KEYS = [
    re.compile(shape)
    for shape in (
        "AKIA[0-9A-Z]{16}",
        "ASIA[0-9A-Z]{16}",
        "-----BEGIN [A-Z ]*PRIVATE KEY-----",
        *(rf"gh{kind}_[A-Za-z0-9]{{36}}" for kind in "pousr"),
    )
]
"""Shapes that only secrets have: of AWS, of keys as PEM, of GitHub. Each begins with letters that are searched for fast."""
RANDOM = re.compile(r"\b(?=[A-Za-z0-9+/]*\d)(?=[A-Za-z0-9+/]*[A-Za-z])[A-Za-z0-9+]{24,}\b")
"""Letters and digits without a word in them, as long as a token."""
PLAIN = re.compile(
    r"(?i)\b\w*(password|token|secret_access_key|secretkey)\w*[\"']?\s*[=:]\s*"
    r"(?![\"']?([$%{\[]|~?/|true\b|false\b|required\b|$))\S+"
)
"""A word for a secret with a value that is no path, no variable, no pattern and no switch."""
PINNED = re.compile(r"^[\w./-]+:v?\d+\.\d+(\.\d+)?(-[\w.-]+)?$")


def of(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


def images(value: Any) -> Iterator[str]:
    """Every image that a YAML document names."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "image" and isinstance(one, str):
                yield one
            yield from images(one)
    elif isinstance(value, list):
        for one in value:
            yield from images(one)


def named_images() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in FILES:
        if path.suffix in (".yml", ".yaml"):
            for document in yaml.safe_load_all(path.read_text()):
                found |= {f"{of(path)}: {image}": image for image in images(document)}
    return found


@pytest.mark.parametrize("image", named_images().values(), ids=list(named_images()))
def test_every_image_is_pinned(image: str) -> None:
    assert PINNED.match(image)


def test_what_is_not_pinned_is_seen() -> None:
    for loose in ("grafana", "grafana/grafana:latest", "python:3", "ray:nightly-py311"):
        assert not PINNED.match(loose)


@pytest.mark.parametrize("path", FILES, ids=of)
def test_no_file_holds_a_secret(path: Path) -> None:
    text = path.read_text()
    assert not RANDOM.search(text)
    assert not [line for line in text.splitlines() if PLAIN.search(line) and "RAY_AUTH_MODE" not in line]


def keys_in(text: str) -> list[str]:
    return [found[0] for shape in KEYS if (found := shape.search(text))]


def test_a_secret_would_be_seen() -> None:
    token = "599a049d400e6cca1f62b8f450be074a"
    assert RANDOM.search(f"RAY_AUTH_TOKEN: {token}")
    assert PLAIN.search("GF_SECURITY_ADMIN_PASSWORD: admin")
    for secret in (
        "aws_access_key_id = AKIA" + "IOSFODNN7EXAMPLE",
        "-----BEGIN RSA PRIVATE" + " KEY-----",
        "gh" + f"p_{'a1' * 18}",
    ):
        assert keys_in(secret)


def test_no_file_of_the_house_holds_a_key() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=HOUSE, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.decode().split("\0")):
        path = HOUSE / name
        if path.is_file() and path.stat().st_size < 1_000_000:
            assert not keys_in(path.read_text(errors="replace")), name


def test_secrets_are_no_part_of_the_repository() -> None:
    assert {"secrets/", "films/"} <= set((DEPLOY / ".gitignore").read_text().splitlines())


def test_the_operators_page_names_what_is_there() -> None:
    text = (HOUSE / "docs/deploy.md").read_text()
    named = set(re.findall(r"\bdeploy/[\w./*-]*\w", text)) - {
        "deploy/secrets/ray_token",
        "deploy/secrets/grafana_password",
    }
    made = {"deploy/secrets", "deploy/films"}
    assert len(named) > 12
    assert not {name for name in named - made if not list(HOUSE.glob(name))}
    alerts = {rule["alert"] for rule in rules() if "alert" in rule}
    assert set(re.findall(r"\b(?:Film|Training|RayNode)[A-Z]\w+", text)) == alerts
