"""What is deployed on AWS: the cluster by Ray's own validation, the policies against the calls that the store and Ray's autoscaler make."""

import ast
import json
import re
import shlex
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from ray.autoscaler._private.aws.node_provider import AWSNodeProvider
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.scripts import scripts

from tests.deploy.shown import DEPLOY
from tests.s3 import MotoServer

AWS = DEPLOY / "aws"
STORE = DEPLOY.parent / "jobs/store"
ACTIONS = {
    "abort_multipart_upload": {"s3:AbortMultipartUpload"},
    "complete_multipart_upload": {"s3:PutObject"},
    "copy_object": {"s3:GetObject", "s3:PutObject"},
    "create_multipart_upload": {"s3:PutObject"},
    "delete_object": {"s3:DeleteObject"},
    "get_object": {"s3:GetObject"},
    "head_object": {"s3:GetObject"},
    "list_multipart_uploads": {"s3:ListBucketMultipartUploads"},
    "list_objects_v2": {"s3:ListBucket"},
    "list_parts": {"s3:ListMultipartUploadParts"},
    "put_object": {"s3:PutObject"},
    "upload_part": {"s3:PutObject"},
    "upload_part_copy": {"s3:GetObject", "s3:PutObject"},
}
"""What each call of boto3 must be allowed to do: AWS's Service Authorization Reference for S3."""


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((AWS / name).read_text())
    return found


def statements(name: str, effect: str = "Allow") -> list[dict[str, Any]]:
    return [one for one in read(name)["Statement"] if one["Effect"] == effect]


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def allowed(name: str) -> set[str]:
    return {action for one in statements(name) for action in listed(one["Action"])}


def calls(path: Path) -> Iterator[str]:
    """Names of boto3's calls in a file: methods of S3's client, and what its paginators page through."""
    of_s3 = set(dir(boto3.client("s3", region_name="us-east-1")))
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in of_s3:
            whose = node.func.value
            if (whose.id if isinstance(whose, ast.Name) else getattr(whose, "attr", "")) == "client":
                first = node.args[0] if node.args else None
                paged = node.func.attr == "get_paginator" and isinstance(first, ast.Constant)
                yield str(first.value) if paged and isinstance(first, ast.Constant) else node.func.attr


def test_nodes_may_do_what_the_store_does_and_nothing_else() -> None:
    made = {call for path in STORE.rglob("*.py") for call in calls(path)}
    assert len(made) > 10
    assert {action for call in made for action in ACTIONS[call]} == allowed("iam/store.json")
    assert set(ACTIONS) == made, "a call that is made no more"


def test_sources_cannot_be_written() -> None:
    for one in statements("iam/store.json"):
        writes = {"s3:PutObject", "s3:DeleteObject"} & set(listed(one["Action"]))
        assert not (writes and {"arn:aws:s3:::films/*", "arn:aws:s3:::farm/*"} & set(listed(one["Resource"])))


@pytest.mark.parametrize("name", ["iam/store.json", "iam/autoscaler.json", "iam/trust.json"])
def test_a_policy_names_actions_that_there_are(name: str) -> None:
    known = json.loads((files("cfnlint") / "data/AdditionalSpecs/Policies.json").read_text())
    policy = read(name)
    assert policy["Version"] == "2012-10-17"
    for one in policy["Statement"]:
        assert set(one) <= {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
        for action in listed(one["Action"]):
            service, _, verb = action.partition(":")
            assert verb.lower() in known[service]["Actions"] or (one["Effect"] == "Deny" and verb == "*"), action
            assert one["Effect"] == "Deny" or "*" not in action


def cluster() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((AWS / "cluster.yaml").read_text())
    return found


def test_ray_takes_the_cluster() -> None:
    validate_config(prepare_config(cluster()))


def test_ray_does_not_take_just_any() -> None:
    wrong = cluster()
    wrong["available_node_types"]["gpu-spot"]["min_wokers"] = 0
    with pytest.raises(Exception, match="min_wokers"):
        validate_config(prepare_config(wrong))


def test_the_head_stays_and_the_rest_comes_and_goes() -> None:
    types = cluster()["available_node_types"]
    assert "InstanceMarketOptions" not in types["head"]["node_config"]
    assert types["gpu-spot"]["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
    assert all(one["min_workers"] == 0 for one in types.values())


def test_the_head_tells_what_its_cluster_may_grow_to() -> None:
    config = cluster()
    (told,) = re.findall(r"FARM_NODES='([^']*)'", "\n".join(config["head_start_ray_commands"]))
    types = [one for name, one in config["available_node_types"].items() if name != "head"]
    assert json.loads(told) == [{**one["resources"], "most": one["max_workers"]} for one in types]


def test_ray_knows_every_option_and_asks_for_its_token() -> None:
    known = {option for parameter in scripts.start.params for option in parameter.opts}
    config = cluster()
    for command in (config["head_start_ray_commands"][-1], config["worker_start_ray_commands"][-1]):
        words = shlex.split(command)
        begin = words.index("ray")
        assert "RAY_AUTH_MODE=token" in words[:begin]
        assert words[begin + 1] == "start"
        assert {word.partition("=")[0] for word in words[begin + 2 :]} <= known
    assert list(config["file_mounts"]) == ["/home/farm/.ray/auth_token"]


def test_the_autoscaler_may_do_what_it_does_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    hired: Any = AWSNodeProvider  # untyped
    config = prepare_config(cluster())
    with MotoServer() as server:
        for name, value in server.env.items():
            monkeypatch.setenv(name, value)
        subnet = boto3.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
        provider = hired({**config["provider"], "region": "us-east-1"}, config["cluster_name"])
        for resource in (provider.ec2, provider.ec2_fail_fast):
            resource.meta.client.meta.events.register("before-call.ec2", lambda model, **_: asked.add(model.name))
        for name in ("cpu", "gpu-spot"):
            node = {
                **config["available_node_types"][name]["node_config"],
                "ImageId": "ami-12c6146b",
                "SubnetIds": [subnet],
            }
            node.pop("IamInstanceProfile")  # which is not there
            provider.create_node(node, {"ray-node-kind": "worker", "ray-user-node-type": name}, 1)
        nodes = provider.non_terminated_nodes({})
        assert len(nodes) == 2
        provider.set_node_tags(nodes[0], {"ray-node-status": "up-to-date"})
        provider.terminate_nodes(nodes)
        assert not provider.non_terminated_nodes({})
    assert {f"ec2:{name}" for name in asked} | {"iam:PassRole", "ec2:CreateTags"} == allowed("iam/autoscaler.json")


def test_what_the_autoscaler_hires_it_may_hire() -> None:
    config = cluster()
    hire = next(one for one in statements("iam/autoscaler.json") if one["Sid"] == "HireNodesOfThisFarm")
    types = {name: one["node_config"] for name, one in config["available_node_types"].items() if name != "head"}
    assert set(hire["Condition"]["StringEquals"]["ec2:InstanceType"]) == {one["InstanceType"] for one in types.values()}
    assert hire["Condition"]["StringEquals"]["aws:RequestTag/ray-cluster-name"] == config["cluster_name"]
    roles = {f"arn:aws:iam::*:role/{one['IamInstanceProfile']['Name']}" for one in types.values()}
    assert roles == {one["Resource"] for one in statements("iam/autoscaler.json") if one["Action"] == "iam:PassRole"}


def test_no_rule_of_the_bucket_takes_what_a_job_needs() -> None:
    rules = read("lifecycle.json")["Rules"]
    assert any(rule.get("AbortIncompleteMultipartUpload") == {"DaysAfterInitiation": 7} for rule in rules)
    for rule in rules:
        assert set(rule) <= {
            "ID", "Status", "Filter", "AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration", "Expiration",
        }  # fmt: skip
        assert set(rule.get("Expiration", {})) <= {"ExpiredObjectDeleteMarker"}, "an object that is there never expires"
        assert re.fullmatch(r"[a-z-]+", rule["ID"])
