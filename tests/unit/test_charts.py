"""Values of Helm releases: each is a key that the pinned chart reads, of the type that it takes."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from components import addons, targets
from components.addons import load_balancer
from components.addons.announcement import Bgp, Peer
from components.addons.storage import backends
from components.bootstrap.versions import KUBE_VIP
from components.equinix import addons as equinix_addons
from components.plan import Addon, Ref, Release
from components.planning import make_plan
from components.spec import MINORS, Spec
from isostack.inputs import read, stacks_of
from isostack.stacks import find_project
from tests.addons import ALL, on, vsphere
from tests.chart_facts import charts, name_of, reduced, together
from tests.configs import config_for
from tests.specs import ROOT, specs

MANY = settings(max_examples=30, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
"""Not made smaller: a fault names chart and key, whatever the spec, and a plan of each smaller spec takes its time."""
ANNOUNCED = (None, Bgp(65000, (Peer("10.20.40.1", 65001),)), equinix_addons.BGP)


def releases(found: Iterable[Addon]) -> Iterator[Release]:
    return (thing for addon in found for thing in addon.objects if isinstance(thing, Release))


def faults(found: Iterable[Addon]) -> list[str]:
    return [f"{name_of(r)}: {fault}" for r in releases(found) for fault in charts()[name_of(r)].faults(r.values)]


RELEASES = {name_of(release): release for release in releases(ALL)}
"""One of each chart."""


def test_every_chart_has_facts_and_every_facts_file_a_chart() -> None:
    assert set(charts()) == set(RELEASES)
    for name, facts in charts().items():
        assert facts.chart == name
        assert facts.source
        assert facts.grade in {"seen", "documented"}


def test_the_facts_are_of_the_versions_that_are_installed() -> None:
    """Whoever takes another version looks at its values once more."""
    for release in releases(ALL):
        facts = charts()[name_of(release)]
        place = release.repo or release.chart.rsplit("/", 1)[0]
        assert (facts.repository, facts.version) == (place, release.version), facts.chart
    assert any(KUBE_VIP.rpartition(":")[2] in source for source in charts()["kube-vip"].source)


def test_every_release_of_the_code_is_among_them() -> None:
    """So that none is checked by nobody: a call of Release stands for one chart."""
    calls = [
        node
        for path in (ROOT / "components").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Release"
    ]
    assert len(calls) == len(RELEASES)


def test_the_charts_take_every_kubernetes_of_the_spec() -> None:
    for facts in charts().values():
        bound = facts.kubernetes.removeprefix(">=").strip().split("-")[0]
        assert not bound or tuple(map(int, bound.split("."))) <= (1, MINORS[0], 0), facts.chart


@pytest.mark.parametrize("spec", ["shop", "edge"])
def test_values_of_the_example_stacks(spec: str) -> None:
    for stack in stacks_of(find_project(ROOT), spec)[0]:
        assert faults(read(stack).plan().addons) == []


@pytest.mark.parametrize("kind", targets.kinds())
@MANY
@given(specs())
def test_values_of_any_plan(kind: str, wish: Spec) -> None:
    assert faults(make_plan(wish, config_for(kind, wish)).addons) == []


@pytest.mark.parametrize("backend", [backend.name for backend in backends(vsphere())])
@MANY
@given(specs())
def test_values_of_any_storage(backend: str, wish: Spec) -> None:
    assert faults(addons.common(wish, on(backend, wish))) == []


@pytest.mark.parametrize("provider", load_balancer.PROVIDERS)
@MANY
@given(specs(), st.sampled_from(ANNOUNCED))
def test_values_of_any_load_balancer(provider: str, wish: Spec, bgp: Bgp | None) -> None:
    assert faults(load_balancer.PROVIDERS[provider].addons(wish, vsphere(), bgp)) == []


def misspelt(values: Any) -> Iterator[tuple[str, Any]]:
    """The values with one key changed, once for each key, and the path of that key."""
    if isinstance(values, Mapping):
        for key, item in values.items():
            yield key, {(f"{k}x" if k == key else k): v for k, v in values.items()}
            yield from ((f"{key}.{path}", {**values, key: inner}) for path, inner in misspelt(item))
    elif isinstance(values, list | tuple):
        for index, item in enumerate(values):
            rest = (values[:index], values[index + 1 :])
            yield from ((path, [*rest[0], inner, *rest[1]]) for path, inner in misspelt(item))


FREE = {"velero": "schedules.volumes", "vsphere-cpi": "daemonset.podAnnotations.checksum/config"}
"""Names that are the project's own."""


@pytest.mark.parametrize("release", RELEASES.values(), ids=RELEASES)
def test_no_key_can_be_misspelt(release: Release) -> None:
    facts, tried = charts()[name_of(release)], 0
    for path, values in misspelt(release.values):
        if path != FREE.get(facts.chart):
            assert list(facts.faults(values)), path
            tried += 1
    assert tried


def changed(chart: str, path: str, value: Any) -> list[str]:
    """What is found once a value of the chart is another."""
    values: Any = deepcopy(RELEASES[chart].values)
    *parents, last = path.split(".")
    holder = values
    for key in parents:
        holder = holder.setdefault(key, {})
    holder[last] = value
    return list(charts()[chart].faults(values))


@pytest.mark.parametrize(
    ("chart", "path", "value", "says"),
    [
        ("cilium", "k8sServicePort", True, "k8sServicePort: int|string in the facts, here True"),
        ("cilium", "kubeProxyReplacement", 1, "kubeProxyReplacement: bool|string in the facts, here 1"),
        ("cilium", "enableLBIPAM", Ref("a:b"), "enableLBIPAM: bool in the facts"),
        ("cilium", "ipam", ["kubernetes"], "ipam: map in the facts"),
        ("kured", "tolerations", {"operator": "Exists"}, "tolerations: list in the facts"),
        ("kured", "tolerations", [{"operater": "Exists"}], "tolerations[0].operater: no such key; there are effect,"),
        ("kured", "resources", {"requests": {"cpu": "1"}}, ""),
        ("vsphere-cpi", "config.nodes.excludeInternalNetworkSubnetCidr", "10.0.0.1/32", "config: the facts stop here"),
        ("ceph-csi-drivers", "operatorConfig.driverSpecDefaults.snapshotPolicy", "none", "snapshotPolicy: ignored in"),
        ("ceph-csi-drivers", "drivers.nfs.snapshotPolicy", "none", "ignored while drivers.nfs.enabled is off"),
        ("kube-prometheus-stack", "nodeExporter.enabled", False, "prometheus-node-exporter: ignored while"),
        ("velero", "deployNodeAgent", False, "nodeAgent: ignored while deployNodeAgent is off"),
    ],
)
def test_a_value_that_a_chart_does_not_take_is_found(chart: str, path: str, value: Any, says: str) -> None:
    assert list(charts()[chart].faults(RELEASES[chart].values)) == []
    found = changed(chart, path, value)
    assert bool(found) == bool(says)
    assert says in "\n".join(found)


def test_facts_go_as_deep_as_the_project_s_values() -> None:
    values = {
        "image": {"tag": "1", "pull": None},
        "rest": {"deep": 1},
        "nodeSelector": {"os": "linux"},
        "podLabels": {},
        "hosts": [{"name": "a", "port": 1}, {"name": "b", "tls": True}],
    }
    assert reduced(values, together([{"image": {"tag": "2"}}, {"hosts": [{"name": "c"}]}])) == {
        "image": {"tag": "string", "pull": "any"},
        "rest": "map",
        "nodeSelector": "nodeSelector",
        "podLabels": "open",
        "hosts": [{"name": "string", "port": "int", "tls": "bool"}],
    }
