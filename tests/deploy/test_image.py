"""Whatever deploy/ calls in the image is in the image: by Ray's launcher on AWS (its own updater, every command recorded and none run), by compose, by KubeRay."""

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.updater import NodeUpdater
from ray.autoscaler._private.util import prepare_config, with_head_node_ip
from ray.autoscaler.node_provider import NodeProvider
from ray.autoscaler.tags import TAG_RAY_NODE_STATUS

from tests.deploy.image import DOCKERFILE, called, image_programs
from tests.deploy.shown import DEPLOY

CLUSTER = DEPLOY / "aws/cluster.yaml"
HEAD_IP = "192.0.2.1"
RAYS: Any = (NodeUpdater, with_head_node_ip)
"""Untyped, both."""
EXEC = re.compile(r"^docker exec (?:-\S+ +)*film-farm (.*)$")
OF_KUBERAY = ("bash", "ray", "sleep", "echo")
"""What KubeRay 1.6 calls in the image by itself: to start Ray, to wait for its head, and to submit a RayJob."""


class Recorder:
    """Stands for `subprocess`: notes what would be run, and answers as a node does on which the container comes to run."""

    def __init__(self) -> None:
        self.ran: list[list[str]] = []
        self._runs = False

    def check_call(self, command: list[str], **_: object) -> int:
        self._note(command)
        return 0

    def check_output(self, command: list[str], **_: object) -> bytes:
        self._note(command)
        said = " ".join(command)
        answers = {
            "printenv HOME": b"/home/farm",
            ".Config.Env": b'["PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/home/farm"]',
            ".State.Running": b"true" if self._runs else b"",
            "command -v docker": b"/usr/bin/docker",
        }
        return next((answer for word, answer in answers.items() if word in said), b"")

    def _note(self, command: list[str]) -> None:
        self.ran.append(command)
        self._runs = self._runs or "docker run" in " ".join(command)


class Node(NodeProvider):
    """One node that is there."""

    def __init__(self) -> None:
        super().__init__({}, "film-farm")  # with a region it would ask CloudWatch
        self.tags: dict[str, str] = {}

    def external_ip(self, node_id: str) -> str:
        return HEAD_IP

    internal_ip = external_ip

    def node_tags(self, node_id: str) -> dict[str, str]:
        return self.tags

    def set_node_tags(self, node_id: str, tags: dict[str, str]) -> None:
        self.tags.update(tags)

    def is_running(self, node_id: str) -> bool:
        return True

    def is_terminated(self, node_id: str) -> bool:
        return False


def recorded(kind: str, folder: Path) -> list[list[str]]:
    """Every command that Ray gives a new node of a kind, in order, as whoever gives it runs it."""
    updater, with_head_ip = RAYS
    config: dict[str, Any] = prepare_config(yaml.safe_load(CLUSTER.read_text()))
    of_kind = config["available_node_types"][kind]
    head = kind == config["head_node_type"]
    start = config["head_start_ray_commands"] if head else with_head_ip(config["worker_start_ray_commands"], HEAD_IP)
    key = folder / "key.pem"
    key.write_text("")
    mounts = dict.fromkeys(config["file_mounts"], str(key))
    if head:  # as `ray up` adds them
        mounts |= {"~/ray_bootstrap_key.pem": str(key), "~/ray_bootstrap_config.yaml": str(key)}
    recorder, node = Recorder(), Node()
    updater(
        node_id="i-1",
        provider_config=config["provider"],
        provider=node,
        auth_config={**config["auth"], "ssh_private_key": str(key)},
        cluster_name=config["cluster_name"],
        file_mounts=mounts,
        initialization_commands=config["initialization_commands"],
        setup_commands=config["head_setup_commands" if head else "worker_setup_commands"],
        ray_start_commands=start,
        runtime_hash="runtime",
        file_mounts_contents_hash="mounts",
        is_head_node=head,
        node_resources=of_kind["resources"],
        process_runner=recorder,
        docker_config={**config["docker"], **of_kind.get("docker", {})},
    ).run()
    assert node.tags[TAG_RAY_NODE_STATUS] == "up-to-date"
    return recorder.ran


def on_the_node(command: list[str]) -> str:
    """The command of a login shell that ssh opens on the node: what stands in its brackets."""
    return unwrapped(command[-1]) if command[0] == "ssh" else shlex.join(command)


def unwrapped(text: str) -> str:
    """A command without the login shell that Ray puts around it."""
    found = re.search(
        r"PYTHONWARNINGS=ignore && \((.*)\)\s*$", shlex.split(text)[0] if text.startswith("'") else text, re.S
    )
    return found[1] if found else text


def in_the_container(ran: list[list[str]]) -> list[str]:
    """What of it is run in the container, as a shell's commands."""
    found = []
    for command in ran:
        there = on_the_node(command)
        if inner := EXEC.match(there.strip()):
            found.append(inner[1])
        elif there.startswith("rsync -e"):
            found.append("rsync --server")
    return found


@pytest.mark.parametrize("kind", ["head", "cpu", "gpu-spot"])
def test_rays_launcher_finds_every_program_in_the_image(kind: str, tmp_path: Path) -> None:
    ran = recorded(kind, tmp_path)
    inside = in_the_container(ran)
    assert any("ray start" in one for one in inside)
    programs = {name for one in inside for name in called(one)}
    assert "ray" in programs
    if kind == "head":
        assert "rsync" in programs
    else:  # the head, in its container, is who gives these
        programs |= {command[0] for command in ran}
        assert {"ssh", "rsync"} <= programs
    assert programs <= image_programs()


@pytest.mark.parametrize("kind", ["head", "cpu", "gpu-spot"])
def test_a_node_is_given_its_token_before_its_container_and_nothing_to_install(kind: str, tmp_path: Path) -> None:
    ran = recorded(kind, tmp_path)
    lines = [" ".join(one) for one in ran]
    first = {
        word: next(place for place, line in enumerate(lines) if word in line)
        for word in ("/home/farm/.ray/auth_token", "docker pull", "docker run", "ray stop", "ray start")
    }
    assert list(first.values()) == sorted(first.values())
    assert not [line for line in lines if "pip install" in line or "anaconda" in line or "apt-get" in line]
    begins = next(line for line in lines if "docker run" in line)
    assert f"registry.example/film-farm:0.1.0{'-cuda' if kind == 'gpu-spot' else ''} bash" in begins
    assert ("--gpus=all" in begins) == (kind == "gpu-spot")
    assert ":/home/farm/.ray/auth_token" in begins
    assert "/root" not in begins
    start = next(one for one in in_the_container(ran) if "ray start" in one)
    assert start.index("RAY_AUTH_MODE=token") < start.index("ray start")
    if kind == "head":
        # Behind Ray's own export, which may turn it on.
        assert re.search(
            r"export RAY_USAGE_STATS_ENABLED.*RAY_USAGE_STATS_ENABLED=0 RAY_AUTH_MODE=token ray start", start
        )
    else:
        assert f"RAY_HEAD_IP={HEAD_IP}" in start


def of_compose() -> Iterator[str]:
    for name, one in yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"].items():
        if one["image"].startswith("film-farm:"):
            yield one["command"]
            test = one.get("healthcheck", {}).get("test", [])
            assert test[:1] in ([], ["CMD"]), name
            yield from [shlex.join(test[1:])] if test else []


def of_kubernetes() -> Iterator[str]:
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            yield from _commands(document)


def _commands(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "exec":
                yield shlex.join(one["command"])
            elif key == "entrypoint":
                yield one
            else:
                yield from _commands(one)
    elif isinstance(value, list):
        for one in value:
            yield from _commands(one)


def test_compose_and_kuberay_find_every_program_in_the_image() -> None:
    commands = [*of_compose(), *of_kubernetes()]
    programs = {name for one in commands for name in called(one)} | set(OF_KUBERAY)
    assert {"ray", "python", "bash", "sleep", "farm"} <= programs
    assert programs <= image_programs()


@pytest.mark.parametrize(
    ("command", "programs"),
    [
        ("ray start --head", ["ray"]),
        ("/bin/bash -lc 'curl -s http://x && sleep 20'", ["bash", "curl", "sleep"]),
        ("A=b B='c d' wget x; ps aux | grep ray", ["wget", "ps", "grep"]),
        ("/bin/bash -c 'bash --login -c -i '\"'\"'source ~/.bashrc; export A=1 && (nc -z x 1)'\"'\"", ["bash", "bash", "nc"]),
        ("which ray || pip install ray", ["which"]),
    ],
)  # fmt: skip
def test_programs_are_seen_in_a_command(command: str, programs: list[str]) -> None:
    assert list(called(command)) == programs


RECORD = '#!/bin/bash\necho "${0##*/} $*" >> "$RECORDED"\n'


def built(device: str, folder: Path) -> tuple[int, list[list[str]]]:
    """The exit status of the Dockerfile's RUN lines for a device, run with programs that note how they were called; and pip's calls."""
    lines = re.findall(r"(?m)^RUN ((?:.*\\\n)*.*)$", DOCKERFILE.read_text())
    programs = folder / "bin"
    programs.mkdir()
    for name in ("apt-get", "pip", "groupadd", "useradd", "install", "rm"):
        (programs / name).write_text(RECORD)
        (programs / name).chmod(0o755)
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "RECORDED": str(folder / "ran"), "DEVICE": device}
    for line in lines:
        shell = ["/bin/bash", "-o", "pipefail", "-euc", line.replace("\\\n", " ")]
        done = subprocess.run(shell, env={**environment, "TORCH_INDEX": ""}, capture_output=True, check=False)
        if done.returncode:
            return done.returncode, []
    ran = [shlex.split(one) for one in (folder / "ran").read_text().splitlines()]
    return 0, [one[1:] for one in ran if one[:2] == ["pip", "install"]]


@pytest.mark.parametrize(("device", "runtime"), [("cpu", "onnxruntime"), ("cuda", "onnxruntime-gpu")])
def test_an_image_has_one_onnxruntime_that_of_its_device(device: str, runtime: str, tmp_path: Path) -> None:
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["project"]
    status, installs = built(device, tmp_path)
    assert status == 0
    (farm,) = [word for words in installs for word in words if word.startswith(".")]
    extras = re.fullmatch(r"\.\[(\w+)\]", farm)
    assert extras
    wanted = [*project["dependencies"], *project["optional-dependencies"][extras[1]]]
    wanted += [word for words in installs for word in words]
    assert [one for one in wanted if one.startswith("onnxruntime")] == [runtime]
    others = {name for name, extra in project["optional-dependencies"].items() if f"{extra}".count("onnxruntime")}
    assert others == {"cpu", "gpu"}


def test_an_image_for_another_device_is_not_built(tmp_path: Path) -> None:
    assert built("tpu", tmp_path) == (2, [])
