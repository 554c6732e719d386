"""The programs, compiled once, and one cluster that runs for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.plan import Manifest
from tests.cluster.issuer import Issuer, issuing
from tests.cluster.made import SHOP, Stack, made, plans
from tests.cluster.pods import said, toleration
from tests.cluster.root import Root, Scene, scene_ports
from tests.cluster.running import Cluster, running, until
from tests.tools import folder


@pytest.fixture(params=plans())
def stack(request: pytest.FixtureRequest) -> Stack:
    return made(request.param)


@pytest.fixture(scope="session")
def tools() -> str:
    """The folder of the programs."""
    return folder("kubernetes", "no Go to compile Kubernetes: the tests on its real programs are skipped")


@pytest.fixture(scope="session")
def kwok_tool() -> str:
    return folder("kwok", "no Go to compile KWOK: the tests of its nodes are skipped")


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    with issuing(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture
def scene(tools: str, issuer: Issuer) -> Scene:
    return scene_of(tools, issuer)


def scene_of(tools: str, issuer: Issuer) -> Scene:
    asked = {oidc.issuer for plan in plans().values() if (oidc := plan.spec.access.oidc)}
    return Scene(tools, scene_ports(), dict.fromkeys(asked, issuer.url))


@pytest.fixture(scope="session")
def cluster(tools: str, issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Of the stack that asks for most: audit, log-in by OpenID Connect, encryption, tenants."""
    root = Root(Path(tmp_path_factory.mktemp("cluster")), scene_of(tools, issuer))
    with running(made(SHOP), root, issuer.ca) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def walled(cluster: Cluster) -> Cluster:
    """With the tenants' objects, really made, and the policy in force."""
    (addon,) = (addon for addon in cluster.stack.plan.addons if addon.name == "tenants")
    names = {(thing.kind, thing.name) for thing in addon.objects if isinstance(thing, Manifest)}
    objects = [each for each in cluster.stack.objects if (each["kind"], each["metadata"]["name"]) in names]
    assert cluster.apply(objects, "--force-conflicts") == ""
    until(lambda: said(cluster, {}) == "", "pods can be made")
    until(lambda: said(cluster, toleration(operator="Exists")) != "", "the policy is in force")
    return cluster
