"""Kubernetes objects: registered exactly as pulumi_kubernetes' own classes would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks

from components.kube import Manifest, type_token

SPEC: Any = {"min_ready_seconds": 3, "selector": {"match_labels": {"a": "b"}}, "template": {}}
META: Any = {"name": "one", "namespace": "two", "annotations": {"a.b/c": "d"}}


class Echo(Mocks):
    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return f"{args.name}-id", {**args.inputs, "status": {"state": "SUCCESS"}}

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


class Recorder(MockMonitor):
    def __init__(self) -> None:
        super().__init__(Echo())
        self.requests: list[Any] = []

    def RegisterResource(self, request: Any) -> Any:
        if request.type != "pulumi:pulumi:Stack":
            self.requests.append(request)
        return super().RegisterResource(request)


def registered(create: Callable[[pulumi.ResourceOptions], Any]) -> list[dict[str, Any]]:
    """What the engine is asked: all of it but where in the program it was written."""
    recorder = Recorder()
    pulumi.runtime.set_mocks(Echo(), preview=False, monitor=recorder)

    @pulumi.runtime.test
    def run() -> None:
        parent = pulumi.ComponentResource("test:index:Parent", "parent")
        create(pulumi.ResourceOptions(parent=parent, protect=True, ignore_changes=["spec"]))

    run()
    told = [MessageToDict(request) for request in recorder.requests[1:]]
    for request in told:
        request.pop("sourcePosition", None)
        request.pop("stackTrace", None)
    return told


CASES: dict[str, tuple[Callable[[pulumi.ResourceOptions], Any], Callable[[pulumi.ResourceOptions], Any]]] = {
    "secret": (
        lambda opts: kubernetes.core.v1.Secret(
            "it", metadata=META, type="Opaque", string_data={"key": "value"}, data={"k": "dg=="}, opts=opts
        ),
        lambda opts: Manifest(
            "it",
            api_version="v1",
            kind="Secret",
            body={"metadata": META, "type": "Opaque", "stringData": {"key": "value"}, "data": {"k": "dg=="}},
            opts=opts,
        ),
    ),
    "namespace": (
        lambda opts: kubernetes.core.v1.Namespace("it", metadata={"name": "one"}, opts=opts),
        lambda opts: Manifest("it", api_version="v1", kind="Namespace", body={"metadata": {"name": "one"}}, opts=opts),
    ),
    "deployment": (
        lambda opts: kubernetes.apps.v1.DaemonSet(
            "it",
            metadata=META,
            spec=SPEC,
            opts=opts,
        ),
        lambda opts: Manifest(
            "it",
            api_version="apps/v1",
            kind="DaemonSet",
            body={
                "metadata": META,
                "spec": {"minReadySeconds": 3, "selector": {"matchLabels": {"a": "b"}}, "template": {}},
            },
            opts=opts,
        ),
    ),
    "custom resource": (
        lambda opts: kubernetes.apiextensions.CustomResource(
            "it",
            api_version="tinkerbell.org/v1alpha1",
            kind="Hardware",
            metadata=META,
            spec={"userData": "text", "interfaces": [{"dhcp": {"lease_time": 1}}]},
            opts=opts,
        ),
        lambda opts: Manifest(
            "it",
            api_version="tinkerbell.org/v1alpha1",
            kind="Hardware",
            body={"metadata": META, "spec": {"userData": "text", "interfaces": [{"dhcp": {"lease_time": 1}}]}},
            opts=opts,
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_registration_is_that_of_the_real_class(case: str) -> None:
    theirs, ours = (registered(create) for create in CASES[case])
    for request in theirs:
        # Names that an object's type had in API versions long gone.
        request.pop("aliases", None)
    assert len(ours) == 1
    assert ours == theirs


@pytest.mark.parametrize(
    ("api_version", "kind", "token"),
    [
        ("v1", "Secret", "kubernetes:core/v1:Secret"),
        ("apps/v1", "Deployment", "kubernetes:apps/v1:Deployment"),
        ("tinkerbell.org/v1alpha1", "Hardware", "kubernetes:tinkerbell.org/v1alpha1:Hardware"),
    ],
)
def test_type_tokens(api_version: str, kind: str, token: str) -> None:
    assert type_token(api_version, kind) == token


def test_what_the_cluster_says_of_an_object_can_be_read() -> None:
    seen: list[Any] = []

    def create(opts: pulumi.ResourceOptions) -> None:
        Manifest("it", api_version="v1", kind="Pod", body={"metadata": META}, opts=opts).status.apply(seen.append)

    (request,) = registered(create)
    assert seen == [{"state": "SUCCESS"}]
    assert "status" not in request["object"]
