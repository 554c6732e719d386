"""Sandboxes: what a tenant that asks for one gets, on its own nodes, and how that comes true on each target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components import addons, targets
from components.addons import sandboxes
from components.plan import TENANT, Plan
from components.planning import make_plan
from components.sizing import problems as sizing_problems
from components.spec import Spec
from isostack.preview import preview
from isostack.stacks import find_project
from tests.addons import SANDBOX, body, by_name, objects, vsphere
from tests.configs import config_for, scratch
from tests.specs import rich

BOTH = {"tenants.0.sandbox": True, **SANDBOX}


def found(changes: dict[str, Any]) -> dict[tuple[str, str], Any]:
    addon = by_name(addons.common(rich(changes), vsphere()))[sandboxes.NAME]
    return {key: body(thing) for key, thing in objects(addon).items()}


def test_nobody_who_does_not_ask_has_one() -> None:
    assert sandboxes.NAME not in by_name(addons.common(rich(), vsphere()))


@pytest.mark.parametrize(("changes", "names"), [(SANDBOX, ["partner"]), (BOTH, ["shop", "partner"])])
def test_it_is_installed_on_the_tenant_s_nodes_and_demanded_of_its_pods(
    changes: dict[str, Any], names: list[str]
) -> None:
    here = found(changes)
    theirs = {"matchExpressions": [{"key": TENANT, "operator": "In", "values": names}]}
    affinity = here["Release", "kata-deploy"]["values"]["affinity"]["nodeAffinity"]
    assert affinity == {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [theirs]}}
    binding = here["ValidatingAdmissionPolicyBinding", sandboxes.POLICY]["spec"]
    assert binding["matchResources"] == {"namespaceSelector": theirs}
    assert binding["policyName"] == sandboxes.POLICY


def test_one_runtime_alone_is_installed() -> None:
    shims = found(SANDBOX)["Release", "kata-deploy"]["values"]["shims"]
    assert shims.pop("disableAll") is True
    assert {name for name, shim in shims.items() if shim["enabled"]} == {"qemu-runtime-rs"}
    (policy,) = (each for (kind, _), each in found(SANDBOX).items() if kind == "ValidatingAdmissionPolicy")
    assert "'kata-qemu-runtime-rs'" in policy["spec"]["validations"][0]["expression"]


def test_a_tenant_without_nodes_of_its_own_cannot_have_one() -> None:
    wish = rich({**SANDBOX, "pools.2.tenant": None})
    (fault,) = sandboxes.problems(wish)
    assert fault.path == ("tenants", 1, "sandbox")
    assert "no pool is partner's own" in fault.what
    assert list(sandboxes.problems(rich(SANDBOX))) == []


def test_sizing_counts_what_sandboxes_take() -> None:
    """A node of the pool holds six of its pods, and five with their sandboxes."""
    full = {"workloads.4.replicas": 12}
    assert list(sizing_problems(rich(full))) == []
    (fault,) = sizing_problems(rich({**full, **SANDBOX}))
    assert "they need 3 of this size" in fault.what
    (large,) = sizing_problems(rich({**SANDBOX, "workloads.4.requests.cpu": "7400m"}))
    assert "one replica asks 7650m CPU" in large.what
    assert "with its sandbox" in large.what


def planned(kind: str, wish: Spec) -> Plan:
    return make_plan(wish, config_for(kind, wish))


def test_services_are_found_by_packet_where_sockets_are_in_another_kernel() -> None:
    def values(wish: Spec) -> Any:
        (release,) = by_name(addons.common(wish, vsphere()))["cilium"].objects
        return body(release)["values"].get("socketLB")

    assert values(rich(SANDBOX)) == {"hostNamespaceOnly": True}
    assert values(rich()) is None


def test_it_is_less_where_the_node_is_a_vm_and_says_what_it_takes_on_every_target() -> None:
    grades = {}
    for kind in targets.kinds():
        plan = planned(kind, rich(SANDBOX))
        told = {each.field: each for each in plan.realisations if each.field.endswith(".sandbox")}
        assert (told["tenants.shop.sandbox"].grade, told["tenants.shop.sandbox"].mechanism) == ("equal", "none asked")
        grades[plan.sites[0].machine] = told["tenants.partner.sandbox"]
    assert {machine: each.grade for machine, each in grades.items()} == {"host": "degraded", "vm": "degraded"}
    assert "a VM inside a VM" in grades["vm"].reason
    assert all("fragmented" in each.reason for each in grades.values())
    assert grades["host"].mechanism in grades["vm"].mechanism


def test_only_that_tenant_s_vms_have_nested_virtualisation_and_as_of_their_birth(tmp_path: Path) -> None:
    project = scratch(tmp_path)
    (name,) = project.add(rich(SANDBOX), ("vsphere",))
    (made,) = preview(project.root, [find_project(project.root).stack(name)])
    vms = [each for each in made.resources if each.type.endswith(":VirtualMachine")]
    nested = {vm.name for vm in vms if vm.inputs.get("nestedHvEnabled") is True}
    assert nested == {"shop-partner-0", "shop-partner-1"}
    assert all("nestedHvEnabled" not in vm.inputs for vm in vms if vm.name not in nested)
    assert all("nestedHvEnabled" in vm.ignore_changes for vm in vms)
