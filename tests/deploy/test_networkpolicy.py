"""Who may talk to whom in the farm's namespace: the policies read as Kubernetes reads them, for pods as the manifests make them."""

from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

import kubernetes_validate
import pytest
import yaml

from tests.deploy.shown import DEPLOY
from tests.deploy.test_kubernetes import VERSION, specs

POLICIES = list(yaml.safe_load_all((DEPLOY / "kubernetes/networkpolicy.yaml").read_text()))


class Pod(NamedTuple):
    """A pod by its labels, or what is none by its address."""

    labels: dict[str, str]
    space: str = "farm"
    address: str = ""


HEAD = Pod({"ray.io/is-ray-node": "yes", "ray.io/node-type": "head"})
WORKER = Pod({"ray.io/is-ray-node": "yes", "ray.io/node-type": "worker"})
PROMETHEUS = Pod({"app.kubernetes.io/name": "prometheus"})
KUBERAY = Pod({"app.kubernetes.io/name": "kuberay-operator"}, "kuberay")
JOB = Pod({"batch.kubernetes.io/job-name": "the-kid"})
SUBMITTER = Pod({"film-farm/submits": "yes"})
NAMES = Pod({"k8s-app": "kube-dns"}, "kube-system")
STRANGER = Pod({"app": "stranger"})
TENANT = Pod(WORKER.labels, "other-tenant")
S3 = Pod({}, "", "52.219.0.1")
METADATA = Pod({}, "", "169.254.169.254")
POD_IDENTITY = Pod({}, "", "169.254.170.23")


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    assert selector.keys() <= {"matchLabels", "matchExpressions"}
    assert all(one["operator"] == "Exists" for one in selector.get("matchExpressions", ()))
    return all(labels.get(name) == value for name, value in selector.get("matchLabels", {}).items()) and all(
        one["key"] in labels for one in selector.get("matchExpressions", ())
    )


def is_peer(peer: dict[str, Any], pod: Pod) -> bool:
    if block := peer.get("ipBlock"):
        if not pod.address or ip_address(pod.address).version != ip_network(block["cidr"]).version:
            return False
        within = [ip_address(pod.address) in ip_network(one) for one in (block["cidr"], *block.get("except", ()))]
        return within[0] and not any(within[1:])
    space = {"kubernetes.io/metadata.name": pod.space}
    near = selects(peer["namespaceSelector"], space) if "namespaceSelector" in peer else pod.space == "farm"
    return not pod.address and near and selects(peer["podSelector"], pod.labels)


def may(way: str, own: Pod, other: Pod, port: int, protocol: str) -> bool:
    """Whether a pod's own policies let something in, or out. Pods of other namespaces have policies of their own."""
    if own.space != "farm":
        return True
    of_pod = [
        one["spec"]
        for one in POLICIES
        if way in one["spec"]["policyTypes"] and selects(one["spec"]["podSelector"], own.labels)
    ]
    side = "from" if way == "Ingress" else "to"
    return not of_pod or any(
        any(is_peer(peer, other) for peer in rule[side]) and has_port(rule.get("ports"), port, protocol)
        for spec in of_pod
        for rule in spec.get(way.lower(), ())
    )


def has_port(ports: list[dict[str, Any]] | None, port: int, protocol: str) -> bool:
    return ports is None or any(
        one["protocol"] == protocol and one["port"] <= port <= one.get("endPort", one["port"]) for one in ports
    )


def talks(one: Pod, other: Pod, port: int, protocol: str = "TCP") -> bool:
    return may("Egress", one, other, port, protocol) and (
        bool(other.address) or may("Ingress", other, one, port, protocol)
    )


def test_every_policy_is_what_kubernetes_allows() -> None:
    for one in POLICIES:
        kubernetes_validate.validate(one, VERSION, strict=True)
    assert len({one["metadata"]["name"] for one in POLICIES}) == len(POLICIES)


@pytest.mark.parametrize(
    ("one", "other", "ports"),
    [
        (WORKER, HEAD, (6379, 8265, 10002, 52365)),
        (HEAD, WORKER, (8076, 10002, 19999)),
        (WORKER, WORKER, (8076, 29500)),
        (KUBERAY, HEAD, (8265,)),
        (JOB, HEAD, (8265,)),
        (SUBMITTER, HEAD, (8265,)),
        (PROMETHEUS, HEAD, (8080, 8265, 9300, 9301, 9302, 9303, 44217, 44227)),
        (PROMETHEUS, WORKER, (8080,)),
        (WORKER, S3, (443,)),
        (HEAD, S3, (443, 6443)),
        (WORKER, POD_IDENTITY, (80,)),
    ],
)
def test_what_the_farm_needs(one: Pod, other: Pod, ports: tuple[int, ...]) -> None:
    assert [port for port in ports if not talks(one, other, port)] == []


def test_all_find_names() -> None:
    assert all(talks(one, NAMES, 53, "UDP") and talks(one, NAMES, 53) for one in (HEAD, WORKER, JOB, PROMETHEUS))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (STRANGER, HEAD),
        (STRANGER, WORKER),
        (TENANT, HEAD),
        (TENANT, WORKER),
        (WORKER, TENANT),
        (HEAD, TENANT),
        (Pod(PROMETHEUS.labels, "monitoring"), HEAD),
        (Pod(SUBMITTER.labels, "other-tenant"), HEAD),
        (WORKER, METADATA),
        (HEAD, METADATA),
        (STRANGER, S3),
        (JOB, S3),
        (JOB, WORKER),
        (SUBMITTER, WORKER),
        (KUBERAY, WORKER),
        (WORKER, STRANGER),
    ],
)
def test_nobody_else_talks(one: Pod, other: Pod) -> None:
    assert [port for port in (22, 80, 443, 6379, 6443, 8080, 8265, 9300, 10002) if talks(one, other, port)] == []


@pytest.mark.parametrize(
    ("one", "other", "port"), [(PROMETHEUS, HEAD, 6379), (JOB, HEAD, 6379), (KUBERAY, HEAD, 9300), (WORKER, S3, 25)]
)
def test_no_more_than_that(one: Pod, other: Pod, port: int) -> None:
    assert not talks(one, other, port)


def test_every_port_that_a_manifest_tells_is_somebodys() -> None:
    for spec in specs():
        for template in (spec.headGroupSpec.template, *(group.template for group in spec.workerGroupSpecs)):
            for container in template["spec"]["containers"]:
                assert all(
                    talks(WORKER, HEAD, one["containerPort"])
                    and (one["name"] == "gcs-server" or talks(PROMETHEUS, HEAD, one["containerPort"]))
                    for one in container["ports"]
                )
