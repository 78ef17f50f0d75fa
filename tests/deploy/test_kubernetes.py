"""The Kubernetes manifests: against Kubernetes' schemas, KubeRay's reference, Ray's and the farm's own options."""

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer
import yaml
from pydantic import ValidationError
from ray.core.generated import autoscaler_pb2
from ray.scripts import scripts

from farm.cli.app import app
from farm.fleet.capacity import told_kinds
from farm.ops.submit import METRICS_PORT
from jobs.spec.job import JobSpec
from tests.deploy.kuberay import ClusterSpec, RayCluster, RayJob
from tests.deploy.shown import DEPLOY
from tests.deploy.test_compose import pinned

VERSION = "1.34"
"""Of Kubernetes."""


def documents(name: str) -> dict[str, dict[str, Any]]:
    """A file's documents by kind and name."""
    found = yaml.safe_load_all((DEPLOY / "kubernetes" / name).read_text())
    return {f"{one['kind']} {one['metadata']['name']}": one for one in found}


CLUSTER = documents("raycluster.yaml")
JOB = documents("rayjob.yaml")


def specs() -> list[ClusterSpec]:
    cluster = RayCluster.model_validate(CLUSTER["RayCluster film-farm"])
    job = RayJob.model_validate(JOB["RayJob the-kid"])
    return [cluster.spec, job.spec.rayClusterSpec]


def pods(spec: ClusterSpec) -> list[dict[str, Any]]:
    return [spec.headGroupSpec.template, *(group.template for group in spec.workerGroupSpecs)]


def validate(kind: str, **content: Any) -> None:
    document = {"apiVersion": "v1", "kind": kind, **content}
    kubernetes_validate.validate(document, VERSION, strict=True)


def test_kuberays_fields_are_known() -> None:
    assert len(specs()) == 2


def test_a_field_that_kuberay_does_not_know_is_seen() -> None:
    wrong = {**CLUSTER["RayCluster film-farm"]["spec"], "enableInTreeAutoscalling": True}
    with pytest.raises(ValidationError, match="enableInTreeAutoscalling"):
        ClusterSpec.model_validate(wrong)


def test_everything_of_kubernetes_is_what_its_schema_allows() -> None:
    for spec in specs():
        for template in pods(spec):
            validate("PodTemplate", metadata={"name": "pod"}, template=template)
        validate("Service", **spec.headGroupSpec.headService)
    for document in (*CLUSTER.values(), *JOB.values()):
        if document["apiVersion"] == "v1":
            kubernetes_validate.validate(document, VERSION, strict=True)


def test_a_word_that_kubernetes_does_not_know_is_seen() -> None:
    with pytest.raises(kubernetes_validate.ValidationError):
        validate("PodTemplate", metadata={"name": "pod"}, template={"spec": {"containers": [], "toleration": []}})


def test_both_clusters_are_one() -> None:
    cluster, job = (spec.model_dump() for spec in specs())
    head = job["headGroupSpec"]["template"]["spec"]
    assert head.pop("volumes") == [{"name": "film", "configMap": {"name": "the-kid"}}]
    assert head["containers"][0].pop("volumeMounts") == [{"name": "film", "mountPath": "/etc/film"}]
    assert job["headGroupSpec"].pop("headService") != cluster["headGroupSpec"].pop("headService")
    assert job == cluster


def test_the_cluster_scales_to_no_gpu_and_asks_for_a_token() -> None:
    for spec in specs():
        assert spec.enableInTreeAutoscaling
        assert spec.authOptions.mode == "token"
        assert spec.rayVersion == pinned("ray")
        assert spec.headGroupSpec.rayStartParams["num-cpus"] == "0"
        gpu = next(group for group in spec.workerGroupSpecs if group.groupName == "gpu-spot")
        assert gpu.minReplicas == gpu.replicas == 0 < gpu.maxReplicas
        pod = gpu.template["spec"]
        assert {one["key"] for one in pod["tolerations"]} == {"nvidia.com/gpu", "film-farm/spot"}
        assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"


@pytest.mark.parametrize("spec", specs(), ids=["cluster", "job"])
def test_the_head_tells_what_its_cluster_may_grow_to(spec: ClusterSpec) -> None:
    def kind(group: Any) -> dict[str, int]:
        (worker,) = group.template["spec"]["containers"]
        limits = worker["resources"]["limits"]
        gpus = {"GPU": int(limits["nvidia.com/gpu"])} if "nvidia.com/gpu" in limits else {}
        return {"CPU": int(limits["cpu"]), **gpus, "most": group.maxReplicas}

    (head,) = spec.headGroupSpec.template["spec"]["containers"]
    told = {one["name"]: one["value"] for one in head["env"]}["FARM_NODES"]
    assert json.loads(told) == [kind(group) for group in spec.workerGroupSpecs]
    assert told_kinds(told)


def test_no_pod_is_root_and_every_account_is_there() -> None:
    for spec, found in zip(specs(), (CLUSTER, JOB), strict=True):
        for template in pods(spec):
            pod = template["spec"]
            assert f"ServiceAccount {pod['serviceAccountName']}" in found
            assert pod["securityContext"]["runAsNonRoot"]
            assert pod["containers"][0]["securityContext"]["allowPrivilegeEscalation"] is False
        assert all(group.template["spec"]["automountServiceAccountToken"] is False for group in spec.workerGroupSpecs)


def test_workers_drain_before_they_go_in_words_that_ray_knows() -> None:
    known = {option for parameter in scripts.drain_node.params for option in parameter.opts}
    for spec in specs():
        for group in spec.workerGroupSpecs:
            pod = group.template["spec"]
            shell = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
            drain, wait = shell[2].split(" && ")
            words = shlex.split(drain)
            said = dict(word.partition("=")[::2] for word in words[2:])
            assert words[:2] == ["ray", "drain-node"]
            assert set(said) <= known
            assert hasattr(autoscaler_pb2, said["--reason"])
            assert (
                int(wait.split()[1]) < int(said["--deadline-remaining-seconds"]) < pod["terminationGracePeriodSeconds"]
            )


def test_ray_and_the_farm_know_every_option() -> None:
    known = {option for parameter in scripts.start.params for option in parameter.opts}
    for spec in specs():
        groups = [spec.headGroupSpec.rayStartParams, *(group.rayStartParams for group in spec.workerGroupSpecs)]
        assert {f"--{name}" for params in groups for name in params} <= known
    words = shlex.split(JOB["RayJob the-kid"]["spec"]["entrypoint"].partition("||")[0])
    render = typer.main.get_command(app).commands[words[1]]  # type: ignore[attr-defined]  # a group's
    assert words[0] == "farm"
    assert {word for word in words if word.startswith("--")} <= {one for param in render.params for one in param.opts}


def test_the_film_that_is_submitted_is_one() -> None:
    spec = JobSpec.model_validate(yaml.safe_load(JOB["ConfigMap the-kid"]["data"]["job.yaml"]))
    assert spec.workers.gpus == 1


def test_prometheus_looks_where_the_head_is() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/kubernetes.yml").read_text())
    service = specs()[0].headGroupSpec.headService["metadata"]["name"]
    drivers, ray = config["scrape_configs"]
    head = specs()[0].headGroupSpec.template["spec"]["containers"][0]
    ports = [one["containerPort"] for one in head["ports"] if one["name"].startswith("drivers")]
    # Films on one head take one after another, as `farm submit` has them do.
    assert ports == [METRICS_PORT + number for number in range(4)]
    assert drivers["static_configs"] == [{"targets": [f"{service}:{port}" for port in ports]}]
    assert ray["http_sd_configs"][0]["url"].startswith(f"http://{service}:8265/")


@pytest.mark.parametrize(("code", "again"), [(0, False), (1, True), (2, False), (130, False), (137, True)])
def test_what_another_try_cannot_mend_is_not_tried_again(tmp_path: Path, code: int, again: bool) -> None:
    """Ray hands an entry point to a shell; KubeRay tries again what did not succeed."""
    (tmp_path / "farm").write_text(f"#!/bin/sh\nexit {code}\n")
    (tmp_path / "farm").chmod(0o755)
    entry = JOB["RayJob the-kid"]["spec"]["entrypoint"]
    done = subprocess.run(entry, shell=True, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=False)
    assert (done.returncode != 0) is again
