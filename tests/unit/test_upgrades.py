"""Kubernetes upgrades: what the cluster is given, and what a changed release touches of it."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import addons, realise, targets
from components.addons import placement, reboots, upgrades
from components.bootstrap.labels import forbidden_labels
from components.plan import CONTROL_PLANE_LABEL, RELEASE, Manifest, Release
from components.planning import make_plan, wanted_machines
from components.problems import InvalidInput
from tests.addons import body, by_name, objects, vsphere
from tests.configs import config_for
from tests.specs import rich, spec


def found(changes: dict[str, Any] | None = None) -> dict[tuple[str, str], dict[str, Any]]:
    return {key: dict(body(thing)) for key, thing in objects(*upgrades.addons(rich(changes), vsphere())).items()}


def plan(name: str, changes: dict[str, Any] | None = None) -> dict[str, Any]:
    spec: dict[str, Any] = found(changes)["Plan", name]["spec"]
    return spec


def test_without_the_wish_nothing_is_upgraded() -> None:
    assert list(upgrades.addons(rich({"kubernetes.upgrades": None}), vsphere())) == []
    version = {leaf.pattern: leaf for leaf in realise.leaves(spec())}["kubernetes.version"]
    assert realise.version(version).reason == realise.BIRTH


def test_the_control_plane_goes_one_at_a_time_and_workers_as_many_as_asked() -> None:
    for changes, workers in (({}, 1), ({"kubernetes.upgrades": {"concurrency": 3}}, 3)):
        assert plan("control-plane", changes)["concurrency"] == 1
        assert plan("workers", changes)["concurrency"] == workers
    assert wish({"kubernetes.upgrades": {}}) == 1


def wish(changes: dict[str, Any]) -> int:
    upgrades = rich(changes).kubernetes.upgrades
    assert upgrades
    return upgrades.concurrency


def selects(name: str, labels: dict[str, str]) -> bool:
    """As Kubernetes reads a selector; that it does, tests/cluster holds."""
    judged = {
        "Exists": lambda term: term["key"] in labels,
        "DoesNotExist": lambda term: term["key"] not in labels,
        "NotIn": lambda term: labels.get(term["key"]) not in term["values"],
    }
    return all(judged[term["operator"]](term) for term in plan(name)["nodeSelector"]["matchExpressions"])


def test_a_node_is_born_upgraded_and_one_of_another_release_is_not() -> None:
    for machine in wanted_machines(rich()):
        role = {CONTROL_PLANE_LABEL: ""} if machine.role == "control-plane" else {}
        born = {**machine.labels, **role}
        own, other = ("control-plane", "workers") if role else ("workers", "control-plane")
        assert not selects(own, born)
        assert selects(own, {**born, RELEASE: "1.36.2"})
        assert selects(own, {key: value for key, value in born.items() if key != RELEASE})
        assert not selects(other, {**born, RELEASE: "1.36.2"})
        assert RELEASE not in forbidden_labels(machine.labels)


def test_a_job_that_ends_well_says_so_by_the_label() -> None:
    for name in ("control-plane", "workers"):
        assert plan(name)["version"] == "1.36.3"
        assert plan(name)["postCompleteLabels"] == {RELEASE: "$(LATEST_VERSION)"}


def test_a_changed_release_touches_the_plans_alone() -> None:
    before, after = found(), found({"kubernetes.version": "1.36.9"})
    assert {kind for kind, name in before if before[kind, name] != after[kind, name]} == {"Plan"}
    assert before.keys() == after.keys()


def test_jobs_look_before_they_drain_and_run_on_every_node() -> None:
    for name in ("control-plane", "workers"):
        spec = plan(name)
        assert [spec[part]["command"][-1] for part in ("prepare", "upgrade")] == ["check", "upgrade"]
        assert all(spec[part]["securityContext"] == {"privileged": True} for part in ("prepare", "upgrade"))
        assert spec["tolerations"] == placement.ANY_NODE
        assert spec["serviceAccountName"] == upgrades.JOB
    spaces = [body for (kind, _), body in found().items() if kind == "Namespace"]
    assert [space["metadata"]["labels"] for space in spaces] == [{"pod-security.kubernetes.io/enforce": "privileged"}]


def test_what_plans_need_is_there_before_them() -> None:
    installed = by_name(addons.common(rich(), vsphere()))
    assert upgrades.NAME in installed[upgrades.PLANS].after
    assert {getattr(thing, "kind", "") for thing in installed[upgrades.PLANS].objects} == {"Plan"}


def test_the_controller_is_neither_drained_nor_privileged() -> None:
    pod = found()["Deployment", upgrades.CONTROLLER]["spec"]["template"]
    assert pod["metadata"]["labels"] == {"upgrade.cattle.io/controller": upgrades.CONTROLLER}
    (container,) = pod["spec"]["containers"]
    assert container["securityContext"]["runAsNonRoot"] is True
    environment = {each["name"]: each.get("value") for each in container["env"]}
    retries = int(environment["SYSTEM_UPGRADE_JOB_BACKOFF_LIMIT"] or "")
    assert sum(10 * 2**i for i in range(retries)) >= 300
    assert found()["ConfigMap", upgrades.JOB]["data"]["TRIES"] == str(retries + 1)
    assert environment["SYSTEM_UPGRADE_JOB_TTL_SECONDS_AFTER_FINISH"] == "60"


def test_only_jobs_may_evict() -> None:
    rules = {name: found()["ClusterRole", name]["rules"] for name in (upgrades.CONTROLLER, upgrades.JOB)}
    assert [any("pods/eviction" in rule["resources"] for rule in of) for of in rules.values()] == [False, True]
    for name in rules:
        assert found()["ClusterRoleBinding", name]["subjects"][0]["name"] == name


def test_a_tenant_may_not_have_the_namespace_of_the_upgrades() -> None:
    wish = rich({"tenants.0.name": upgrades.NAMESPACE, "pools.0.tenant": None, "pools.1.tenant": None})
    for kind in targets.kinds():
        with pytest.raises(InvalidInput, match="belongs to add-on upgrades"):
            make_plan(wish, config_for(kind, wish))


def restarts(changes: dict[str, Any] | None = None) -> tuple[dict[str, Any], dict[tuple[str, str], Any]]:
    """What kured is told, and the other objects."""
    (addon,) = reboots.addons(rich(changes), vsphere())
    made = objects(addon)
    (release,) = (thing for thing in addon.objects if isinstance(thing, Release))
    return dict(release.values["configuration"]), {key: made[key] for key in made if key[0].startswith("Cluster")}


# Answers with what lies in `applying`, or fails.
KUBECTL = """#!/bin/sh
echo "$@" >>@ROOT@/asked
cat @ROOT@/applying
"""


@pytest.mark.parametrize(
    ("wanted", "applying", "status"), [(True, "", 0), (True, '["shop-web-1"]', 1), (True, None, 3), (False, "", 1)]
)
def test_no_node_restarts_while_any_is_upgraded(
    tmp_path: Path, wanted: bool, applying: str | None, status: int
) -> None:
    """The chart hands the command on in a line of YAML without quotes, kured splits it as a shell would."""
    configuration, _ = restarts()
    told = yaml.safe_load(f"args:\n  - --reboot-sentinel-command={configuration['rebootSentinelCommand']}\n")
    words = shlex.split(told["args"][0].partition("=")[2])
    (tmp_path / "kubectl").write_text(KUBECTL.replace("@ROOT@", str(tmp_path)))
    (tmp_path / "kubectl").chmod(0o755)
    for name, text in (("applying", applying), ("required", "" if wanted else None)):
        if text is not None:
            (tmp_path / name).write_text(text)
    words[-1] = words[-1].replace(reboots.SENTINEL, str(tmp_path / "required"))
    service = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", **service}
    assert subprocess.run(words, env=environment, check=False).returncode == status
    assert (tmp_path / "asked").exists() == wanted
    if wanted:
        assert "--server https://10.96.0.1:443 get plans.upgrade.cattle.io" in (tmp_path / "asked").read_text()


def test_nodes_may_look_at_plans_where_their_restarts_depend_on_it() -> None:
    configuration, rights = restarts()
    assert configuration["useRebootSentinelHostPath"] is False
    assert configuration["blockingPodSelector"] == ["upgrade.cattle.io/plan"]
    role, binding = (
        body(rights[kind, f"{upgrades.CONTROLLER}-look"]) for kind in ("ClusterRole", "ClusterRoleBinding")
    )
    assert [(rule["resources"], rule["verbs"]) for rule in role["rules"]] == [(["plans"], ["get", "list"])]
    assert [subject["name"] for subject in binding["subjects"]] == ["system:nodes"]
    configuration, rights = restarts({"kubernetes.upgrades": None})
    assert "rebootSentinelCommand" not in configuration
    assert rights == {}


def test_every_object_of_the_namespace_stands_in_it() -> None:
    for addon in upgrades.addons(rich(), vsphere()):
        for thing in addon.objects:
            assert isinstance(thing, Manifest)
            cluster_wide = thing.kind in {"Namespace", "CustomResourceDefinition"} or thing.kind.startswith("Cluster")
            assert thing.namespace == ("" if cluster_wide else upgrades.NAMESPACE)
