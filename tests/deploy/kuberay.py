"""KubeRay's RayCluster and RayJob as far as deploy/ uses them, by its API reference for version 1.6. Promises that an unknown field or value is an error; pods are Kubernetes' own business."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Pod = dict[str, Any]
"""A PodTemplateSpec, which is held against Kubernetes' schema."""
Counted = Annotated[int, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Metadata(_Strict):
    name: str
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class AuthOptions(_Strict):
    mode: Literal["disabled", "token"]


class AutoscalerOptions(_Strict):
    version: Literal["v1", "v2"]
    idleTimeoutSeconds: int
    upscalingMode: Literal["Default", "Aggressive", "Conservative"]
    resources: dict[Literal["requests", "limits"], dict[str, str]]


class HeadGroup(_Strict):
    headService: dict[str, Any]
    rayStartParams: dict[str, str]
    template: Pod


class WorkerGroup(_Strict):
    groupName: str
    replicas: Counted
    minReplicas: Counted
    maxReplicas: Counted
    rayStartParams: dict[str, str]
    template: Pod


class ClusterSpec(_Strict):
    rayVersion: str
    authOptions: AuthOptions
    enableInTreeAutoscaling: bool
    autoscalerOptions: AutoscalerOptions
    headGroupSpec: HeadGroup
    workerGroupSpecs: list[WorkerGroup]


class RayCluster(_Strict):
    apiVersion: Literal["ray.io/v1"]
    kind: Literal["RayCluster"]
    metadata: Metadata
    spec: ClusterSpec


class JobSpec(_Strict):
    entrypoint: str
    entrypointNumCpus: float
    submissionMode: Literal["K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"]
    backoffLimit: Counted
    shutdownAfterJobFinishes: bool
    ttlSecondsAfterFinished: Counted
    rayClusterSpec: ClusterSpec


class RayJob(_Strict):
    apiVersion: Literal["ray.io/v1"]
    kind: Literal["RayJob"]
    metadata: Metadata
    spec: JobSpec
