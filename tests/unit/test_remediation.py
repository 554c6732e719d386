"""Remediation: who is found, when, by whom it is fenced, and what of that is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from components import membership
from components.addons import medik8s, remediation
from components.plan import Addon, Manifest, Plan, Ref, Release
from components.planning import make_plan
from components.problems import InvalidInput
from components.tinkerbell.config import BMC_PASSWORD, BMC_USERNAME
from components.tinkerbell.inventory import Bmc
from tests.addons import by_name, objects
from tests.configs import config_for
from tests.specs import rich
from tests.unit.test_tinkerbell import config, hosts, spec


def plan_of(kind: str, **changes: Any) -> Plan:
    wish = rich(changes)
    return make_plan(wish, config_for(kind, wish))


def parts(plan: Plan) -> dict[str, Addon]:
    return {name: addon for name, addon in by_name(plan.addons).items() if addon.name in ADDONS}


ADDONS = (medik8s.KINDS, medik8s.NAME, remediation.NAME)


def body(plan: Plan, kind: str, name: str) -> Any:
    found = objects(*parts(plan).values())[kind, name]
    assert isinstance(found, Manifest)
    return found.body


def template(plan: Plan) -> Any:
    return body(plan, "FenceAgentsRemediationTemplate", remediation.TEMPLATE)["spec"]["template"]["spec"]


def check(plan: Plan, name: str) -> Any:
    return body(plan, "NodeHealthCheck", name)["spec"]


def realised(plan: Plan) -> tuple[str, str, str]:
    (found,) = (each for each in plan.realisations if each.field == remediation.FIELD)
    return found.grade, found.mechanism, found.reason


@pytest.mark.parametrize("kind", ["vsphere", "tinkerbell"])
def test_every_machine_is_fenced_in_full(kind: str) -> None:
    plan = plan_of(kind)
    assert [addon.name for addon in plan.addons if addon.name in ADDONS] == list(ADDONS)
    assert realised(plan)[0] == "equal"
    given = template(plan)["nodeparameters"]
    assert given
    for values in given.values():
        assert list(values) == [machine.name for machine in plan.machines]


@pytest.mark.parametrize("kind", ["vsphere", "tinkerbell"])
def test_nothing_is_installed_unasked(kind: str) -> None:
    plan = plan_of(kind, **{"availability.remediation": False})
    assert not parts(plan)
    assert realised(plan) == ("equal", "none asked", "")


def test_where_no_agent_speaks_the_api_nothing_is_installed() -> None:
    plan = plan_of("equinix")
    assert not parts(plan)
    grade, mechanism, reason = realised(plan)
    assert (grade, mechanism.partition(" ")[2][:6]) == ("degraded", "person")
    assert "no fence agent speaks that API, which ended on 2026-06-30" in reason


def test_a_vm_is_fenced_by_its_uuid() -> None:
    """Two VMs of one name in vCenter: the wrong one would lose its power, and the right one its volumes."""
    plan = plan_of("vsphere")
    given = template(plan)
    assert given["agent"] == "fence_vmware_soap"
    assert given["nodeparameters"] == {"--plug": {m.name: Ref.to_machine(m.name) for m in plan.machines}}
    assert given["sharedparameters"]["--username"] == Ref("vsphere:user")
    assert body(plan, "Secret", medik8s.PASSWORDS)["stringData"] == {"vcenter-password": Ref("vsphere:password")}


def test_without_ha_nothing_powers_a_vm_off_on_a_dead_host() -> None:
    wish = rich()
    place: Any = config_for("vsphere", wish)
    off = place.model_copy(update={"ha": place.ha.model_copy(update={"enabled": False})})
    assert realised(make_plan(wish, place))[0] == "equal"
    grade, mechanism, reason = realised(make_plan(wish, off))
    assert (grade, "fence_vmware_soap" in mechanism) == ("degraded", True)
    assert reason.startswith("a VM on a dead host cannot be powered off")


@pytest.mark.parametrize(
    ("protocol", "agent", "flag"), [("redfish", "redfish", "--ssl-insecure"), ("ipmi", "ipmilan", "--lanplus")]
)
def test_a_host_is_fenced_by_its_bmc(protocol: str, agent: str, flag: str) -> None:
    plan = make_plan(rich(), config_for("tinkerbell", rich()).model_copy(update={"bmc_protocol": protocol}))
    given = template(plan)
    assert given["agent"] == f"fence_{agent}"
    assert given["sharedparameters"][flag] == ""
    by_host = {host.name: host.bmc.address for host in plan.target.hosts if host.bmc}
    assert given["nodeparameters"]["--ip"] == {m.name: by_host[str(m.place.host)] for m in plan.machines}
    assert set(given["nodeparameters"]["--username"].values()) == {BMC_USERNAME}
    assert body(plan, "Secret", medik8s.PASSWORDS)["stringData"] == {"bmc-password": BMC_PASSWORD}


SECRET = SecretStr("s")


def on_metal(*rows: str, control_plane: int = 3, **availability: Any) -> Plan:
    """A pool `web` of the hosts whose name begins with w."""
    them, web = hosts(*rows), sum(row.startswith("w") for row in rows)
    wish = spec({"web": web}, control_plane=control_plane, remediation=True, **availability)
    return make_plan(wish, config(them))


CONTROL = tuple(f"c{i} a s control-plane" for i in range(3))


def test_hosts_without_bmc_are_counted_and_left_alone() -> None:
    plan = on_metal(*CONTROL, "w0 a s web", "w1* a s web", "w2 a s web", "w3 a s web", "x* a s")
    lost = plan.machines[4].name
    grade, mechanism, reason = realised(plan)
    assert (grade, reason) == ("degraded", "1 of 7 hosts have no BMC (w1): a person walks there")
    assert "fence_redfish" in mechanism
    assert lost not in template(plan)["nodeparameters"]["--ip"]
    # Without a parameter of its own it would be tainted, and its agent fail.
    apart = {"key": "kubernetes.io/hostname", "operator": "NotIn", "values": [lost]}
    for name in ("control-plane", "workers"):
        assert apart in check(plan, name)["selector"]["matchExpressions"]
    assert check(plan, "workers")["minHealthy"] == "51%"


def test_without_any_bmc_nothing_is_installed() -> None:
    plan = on_metal("c0* a s control-plane", "w0* a s web", control_plane=1)
    assert not parts(plan)
    assert realised(plan)[::2] == ("degraded", "no host has a BMC in the inventory")


def test_a_host_s_own_login_is_its_own() -> None:
    them = hosts(*CONTROL, "w0 a s web", "w1 a s web")
    them[3] = replace(them[3], bmc=Bmc("10.9.9.9", "root", SECRET))
    plan = make_plan(spec({"web": 2}, control_plane=3, remediation=True), config(them))
    given = template(plan)["nodeparameters"]
    own, other = plan.machines[3].name, plan.machines[4].name
    assert given["--username"] == {m.name: "root" if m.name == own else BMC_USERNAME for m in plan.machines}
    assert body(plan, "Secret", medik8s.PASSWORDS)["stringData"] == {own: SECRET, "bmc-password": BMC_PASSWORD}
    files = {name: given["--password-script"][name].rpartition("/")[2] for name in (own, other)}
    assert files == {own: own, other: "bmc-password"}


def test_passwords_are_read_where_they_are_mounted() -> None:
    """Never from the API, nor on a command line."""
    for kind in ("vsphere", "tinkerbell"):
        plan = plan_of(kind)
        given = template(plan)
        scripts = {given["sharedparameters"].get("--password-script")} - {None}
        scripts |= set(given["nodeparameters"].get("--password-script", {}).values())
        pod = body(plan, "Deployment", medik8s.FENCE_OPERATOR)["spec"]["template"]["spec"]
        ((volume, folder),) = [
            (mount["name"], mount["mountPath"])
            for mount in pod["containers"][0]["volumeMounts"]
            if mount["name"] == "passwords"
        ]
        (source,) = [each["secret"]["secretName"] for each in pod["volumes"] if each["name"] == volume]
        assert scripts == {f"cat {folder}/{file}" for file in body(plan, "Secret", source)["stringData"]}
        assert "--password" not in {*given["sharedparameters"], *given["nodeparameters"]}
        assert not {"sharedSecretName", "nodeSecretNames"} & set(given)


def test_volumes_go_at_once_and_only_after_the_power() -> None:
    given = template(plan_of("vsphere"))
    assert given["remediationStrategy"] == "OutOfServiceTaint"
    assert given["sharedparameters"]["--action"] == "reboot"


def test_all_attempts_end_before_the_health_check_gives_up() -> None:
    given = template(plan_of("tinkerbell"))
    seconds = given["retrycount"] * sum(int(given[name].rstrip("s")) for name in ("retryinterval", "timeout"))
    assert seconds < 3 * 600


@pytest.mark.parametrize(("evict_after", "lost"), [("120s", "600s"), ("600s", "600s"), ("15m", "900s")])
def test_nobody_is_fenced_before_ten_minutes_or_before_its_pods_may_go(evict_after: str, lost: str) -> None:
    plan = on_metal(*CONTROL, "w0 a s web", evictAfter=evict_after)
    for name in ("control-plane", "workers"):
        assert {each["status"]: each["duration"] for each in check(plan, name)["unhealthyConditions"]} == {
            "False": lost,
            "Unknown": lost,
        }
    assert f"not Ready for {lost.rstrip('s')} s" in realised(plan)[2]


def test_control_plane_and_workers_have_a_check_each() -> None:
    selectors = {name: check(plan_of("vsphere"), name)["selector"] for name in ("control-plane", "workers")}
    ((control,), (work,)) = (selectors[name]["matchExpressions"] for name in ("control-plane", "workers"))
    assert control == {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}
    assert work == control | {"operator": "DoesNotExist"}
    reference = check(plan_of("vsphere"), "workers")["remediationTemplate"]
    assert (reference["name"], reference["namespace"]) == (remediation.TEMPLATE, medik8s.NAMESPACE)


def fires(healthy: int | str, nodes: int, lost: int) -> bool:
    """Whether one of the nodes that are lost is fenced, as the operator counts: percentages are rounded up."""
    least = -(-int(healthy[:-1]) * nodes // 100) if isinstance(healthy, str) else healthy
    return nodes - lost >= least


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 8])
def test_the_first_worker_is_fenced_and_a_storm_is_not(workers: int) -> None:
    plan = on_metal(*CONTROL, *(f"w{i} a s web" for i in range(workers)))
    healthy = check(plan, "workers")["minHealthy"]
    assert fires(healthy, workers, 1)
    assert not fires(healthy, workers, max(2, workers // 2 + workers % 2))


@pytest.mark.parametrize("nodes", [3, 5, 7])
def test_of_the_control_plane_a_majority_stays(nodes: int) -> None:
    plan = on_metal(*(f"c{i} a s control-plane" for i in range(nodes)), "w0 a s web", control_plane=nodes)
    healthy = check(plan, "control-plane")["minHealthy"]
    assert fires(healthy, nodes, nodes // 2)
    assert not fires(healthy, nodes, nodes // 2 + 1)


def test_the_only_control_plane_node_is_fenced_by_nobody() -> None:
    plan = on_metal("c0 a s control-plane", "w0 a s web", control_plane=1)
    assert ("NodeHealthCheck", "control-plane") not in objects(*parts(plan).values())
    assert realised(plan)[0] == "degraded"
    assert body(plan, "Deployment", medik8s.HEALTH_OPERATOR)["spec"]["replicas"] == 1
    assert body(plan_of("vsphere"), "Deployment", medik8s.HEALTH_OPERATOR)["spec"]["replicas"] == 2


def test_a_planned_restart_is_no_loss() -> None:
    def labels(**changes: Any) -> list[list[str]]:
        release = objects(by_name(plan_of("vsphere", **changes).addons)["reboots"])["Release", "kured"]
        assert isinstance(release, Release)
        return [value for name, value in release.values["configuration"].items() if name.endswith("NodeLabels")]

    assert labels() == [[f"{remediation.EXCLUDE}=true"], [f"{remediation.EXCLUDE}=false"]]
    assert labels(**{"availability.remediation": False}) == []
    assert membership.EXCLUDE == remediation.EXCLUDE


def test_a_node_that_leaves_is_looked_for_where_it_is_fenced() -> None:
    kinds = objects(*parts(plan_of("vsphere")).values())
    assert ("CustomResourceDefinition", membership.FENCED_KIND) in kinds
    assert medik8s.NAMESPACE == membership.FENCED_NAMESPACE


def test_a_tenant_may_not_have_the_operators_namespace() -> None:
    changes = {
        "tenants.0.name": medik8s.NAMESPACE,
        "pools.0.tenant": medik8s.NAMESPACE,
        "pools.1.tenant": medik8s.NAMESPACE,
    }
    with pytest.raises(InvalidInput, match="the namespace 'medik8s' belongs to add-on"):
        plan_of("vsphere", **changes)


def test_the_operators_read_no_secrets_and_give_no_rights() -> None:
    for (kind, name), thing in objects(*parts(plan_of("vsphere")).values()).items():
        for rule in thing.body.get("rules", ()) if kind in ("ClusterRole", "Role") else ():
            assert "*" not in {*rule["verbs"], *rule["resources"], *rule["apiGroups"]}, name
            assert not {"secrets", "pods/exec"} & set(rule["resources"]), name
            assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"]), name
            if rule["apiGroups"] == ["rbac.authorization.k8s.io"] and rule["verbs"] != ["get", "list", "watch"]:
                assert (rule["verbs"], rule["resourceNames"]) == (["update"], [medik8s.AGGREGATION])
