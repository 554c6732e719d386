"""Target equinix: which server plan carries a node, what is said of it, and the resources that become of it."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks

from components.equinix.config import Config
from components.equinix.plan import assign, choose, rules
from components.equinix.plans import CATALOGUE
from components.equinix.site import Site
from components.load import load_target
from components.plan import MachinePlan, Plan
from components.planning import wanted_machines
from components.problems import InvalidInput, Problem
from components.realise import SHARED, leaves, patterns
from components.source import load_yaml
from components.spec import Size, Spec
from tests.specs import ROOT, rich, spec

GIB = 1024**3
RESERVATION = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
PROJECT = "11111111-2222-3333-4444-555555555555"


def config(**changes: Any) -> Config:
    ceph = {"backend": "ceph", "ceph": {"pool": "db", "deviceFilter": "^nvme1n1$"}}
    return Config.model_validate({"metro": "fr", "project": "shop", "storage": ceph, **changes})


def size(cpus: int, memory: str, disk: str) -> Size:
    return Size.model_validate({"cpus": cpus, "memory": memory, "disk": disk})


def plan(wanted: Spec, target: Config) -> Plan:
    machines, assignment = wanted_machines(wanted), assign(wanted, target, wanted_machines(wanted))
    return Plan(
        spec=wanted,
        target=target,
        machines=tuple(map(MachinePlan, machines, assignment.places, assignment.platforms)),
        endpoint=assignment.endpoint,
        realisations=(),
        sites=(assignment.site,),
        addons=(),
        reasons=assignment.reasons,
    )


def classes(wanted: Spec, target: Config) -> dict[str, str]:
    return {machine.wanted.pool: machine.place.host_class for machine in plan(wanted, target).machines}


def refused(wanted: Spec, target: Config) -> list[Problem]:
    with pytest.raises(InvalidInput) as caught:
        assign(wanted, target, wanted_machines(wanted))
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        (("2", "4Gi", "40Gi"), "c3.small.x86"),
        (("8", "32Gi", "100Gi"), "c3.small.x86"),
        (("8", "33Gi", "100Gi"), "m3.small.x86"),  # memory one step above
        (("17", "32Gi", "100Gi"), "c3.medium.x86"),  # CPU one step above
        (("16", "128Gi", "100Gi"), "s3.xlarge.x86"),
        (("16", "128Gi", "1Ti"), "m3.large.x86"),  # the hard disks of s3.xlarge do not count
        (("64", "257Gi", "1Ti"), "n3.xlarge.x86"),
        (("64", "600Gi", "200Gi"), "a3.large.x86"),
    ],
)
def test_the_smallest_plan_that_fits_is_chosen(asked: tuple[str, str, str], chosen: str) -> None:
    assert choose(config(), "web", size(int(asked[0]), *asked[1:])).name == chosen


def test_the_catalogue_goes_from_small_to_large_and_the_order_in_the_config_does_not_matter() -> None:
    sizes = [(plan.cpus, plan.memory) for plan in CATALOGUE.values()]
    assert all(a[0] <= b[0] and a[1] <= b[1] and a != b for a, b in pairwise(sizes))
    target = config(plans=["n3.xlarge.x86", "m3.small.x86"])
    assert choose(target, "web", size(8, "16Gi", "100Gi")).name == "m3.small.x86"


@given(
    cpus=st.integers(1, 64),
    memory=st.integers(2, 512),
    disk=st.integers(20, 3000),
    allowed=st.sets(st.sampled_from(sorted(CATALOGUE)), min_size=1),
)
def test_what_is_chosen_covers_what_is_asked(cpus: int, memory: int, disk: int, allowed: set[str]) -> None:
    asked = Size(cpus=cpus, memory=memory * GIB, disk=disk * GIB)
    node = {"cpus": cpus, "memory": f"{memory}Gi", "disk": f"{disk}Gi"}
    wanted, target = spec({"pools.0.size": node, "controlPlane.size": node}), config(plans=sorted(allowed))
    if not any(CATALOGUE[name].size_for(asked).covers(asked) for name in allowed):
        assert {p.source for p in refused(wanted, target)} == {"spec"}
        return
    assignment = assign(wanted, target, wanted_machines(wanted))
    assert {place.host_class for place in assignment.places} <= allowed
    assert all(place.size.covers(asked) for place in assignment.places)


def test_a_pinned_plan_is_taken_even_where_a_smaller_one_fits() -> None:
    target = config(
        plans=["c3.small.x86", "m3.large.x86"], pinned={"web": "n3.xlarge.x86", "control-plane": "m3.large.x86"}
    )
    assert classes(rich(), target) == {
        "control-plane": "m3.large.x86",
        "web": "n3.xlarge.x86",
        "db": "m3.large.x86",
        "partner": "c3.small.x86",
    }


def test_a_pinned_plan_that_is_too_small_is_a_fault_of_the_target() -> None:
    (problem,) = refused(rich(), config(pinned={"db": "c3.small.x86"}))
    assert (problem.source, problem.path) == ("target", ("pinned", "db"))
    assert problem.what == "a node of db asks 16 CPU, 128Gi, 1Ti disk; c3.small.x86 has 16 CPU, 32Gi, 447Gi disk"


def test_sizes_beyond_every_plan_are_all_told_with_what_was_asked_and_the_most_there_is() -> None:
    wanted = rich({"pools.1.size": {"cpus": 192, "memory": "2Ti", "disk": "1Ti"}, "controlPlane.size.disk": "8Ti"})
    assert [str(problem) for problem in refused(wanted, config())] == [
        "controlPlane.size.disk: a node of control-plane asks 8Ti; the most that an allowed plan has is 3539Gi "
        "(m3.large.x86); make the nodes smaller and more",
        "pools[1].size.cpus: a node of db asks 192 CPU; the most that an allowed plan has is 128 CPU (a3.large.x86); "
        "make the nodes smaller and more",
        "pools[1].size.memory: a node of db asks 2Ti; the most that an allowed plan has is 1Ti (a3.large.x86); make "
        "the nodes smaller and more",
    ]


def test_no_plan_with_all_parts_lists_what_each_has() -> None:
    wanted = rich({"pools.1.size": {"cpus": 48, "memory": "32Gi", "disk": "300Gi"}})
    (problem,) = refused(wanted, config(plans=["m3.small.x86", "a3.large.x86"]))
    assert (problem.source, problem.path) == ("spec", ("pools", 1, "size"))
    assert problem.what == (
        "a node of db asks 48 CPU, 32Gi, 300Gi disk; no allowed plan has all: "
        "m3.small.x86 has 16 CPU, 64Gi, 447Gi disk; a3.large.x86 has 128 CPU, 1Ti, 223Gi disk"
    )
    assert problem.right.endswith("or allow more plans")


@given(extra=st.integers(1, 20), pool=st.integers(0, 2))
def test_growing_a_pool_changes_no_machine_that_is_there(extra: int, pool: int) -> None:
    before = plan(rich(), config())
    grown = plan(rich({f"pools.{pool}.nodes": rich().pools[pool].nodes + extra}), config())
    after = {machine.name: machine for machine in grown.machines}
    assert all(after[machine.name] == machine for machine in before.machines)
    assert len(after) == len(before.machines) + extra


def test_reasons_tell_what_is_had_for_what_was_asked() -> None:
    reasons = plan(rich(), config(pinned={"partner": "m3.large.x86"})).reasons
    assert reasons[0].startswith(
        "control-plane, web: c3.small.x86, the smallest of 7 allowed plans that fit (1 x Intel"
    )
    assert reasons[1].startswith("db: m3.large.x86, the smallest of 2 allowed plans that fit (1 x AMD")
    assert reasons[2].startswith("partner: m3.large.x86, pinned (1 x AMD")
    assert reasons[3] == "14 devices: 464 CPU for 124 asked (3.7 times), 1568Gi for 688Gi (2.3 times)"


def test_the_site_says_what_a_rented_host_can_and_cannot() -> None:
    (site,) = plan(rich(), config()).sites
    assert (site.machine, site.balancing, site.service_ended) == ("host", None, "2026-06-30")
    assert (site.power_control, site.restarts_machines, site.machine_snapshots, site.hosts) == (True, False, False, ())


def grades(wanted: Spec, target: Config) -> dict[str, str]:
    own = rules(wanted, target, assign(wanted, target, wanted_machines(wanted)))
    return {leaf.path: own[leaf.pattern](leaf).grade for leaf in leaves(wanted) if leaf.pattern in own}


def test_every_field_that_the_target_decides_has_a_rule() -> None:
    own = rules(rich(), config(), assign(rich(), config(), wanted_machines(rich())))
    assert set(own) == set(patterns()) - set(SHARED)


def test_zones_are_labels_only_unless_there_is_just_one() -> None:
    shop = grades(rich(), config())
    assert (shop["zones"], shop["pools.web.zones"]) == ("degraded", "degraded")
    tiny = grades(spec(), config(storage={}))
    assert (tiny["zones"], tiny["pools.apps.zones"]) == ("equal", "equal")


def test_a_root_disk_larger_than_the_boot_drive_is_degraded() -> None:
    shop = grades(rich(), config())
    assert shop["pools.db.size.disk"] == "degraded"  # 1Ti; the boot drive of m3.large has 240 GB
    assert {shop[f"pools.web.size.{part}"] for part in ("cpus", "memory", "disk")} == {"equal"}


def test_remediation_is_degraded_only_where_it_is_asked() -> None:
    assert grades(rich(), config())["availability.remediation"] == "degraded"
    assert grades(spec(), config(storage={}))["availability.remediation"] == "equal"


def test_services_get_addresses_that_nobody_has_to_list() -> None:
    assert grades(rich(), config())["services.loadBalancer"] == "equal"
    assert grades(rich(), config(loadBalancer={"provider": "none"}))["services.loadBalancer"] == "impossible"


def test_problems_name_what_the_spec_does_not_have() -> None:
    target = config(
        pinned={"webb": "m3.small.x86"},
        reservations={"shop-db-3": "next-available", "shop-db-0": RESERVATION, "shop-db-1": RESERVATION},
        generations={"shop-dB-0": 2},
        loadBalancer={"addresses": "10.0.0.1-10.0.0.9"},
    )
    fields = [(problem.field, problem.what) for problem in target.problems(rich())]
    assert fields == [
        ("generations.shop-dB-0", "no machine 'shop-dB-0'"),
        ("pinned.webb", "the spec has no pool 'webb'"),
        ("reservations.shop-db-3", "the spec asks for no machine 'shop-db-3'"),
        ("reservations.shop-db-1", f"reservation {RESERVATION} is shop-db-0's already"),
        ("loadBalancer.addresses", "the addresses of services cannot be chosen here"),
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"plans": ["m3.huge.x86"]}, "no server plan 'm3.huge.x86'; choose one of: c3.small.x86, m3.small.x86"),
        ({"reservations": {"shop-db-0": "rack 7"}}, "'rack 7' is not a hardware reservation"),
        ({"bgpAsn": 64500}, "64500 is not a private AS number"),
        ({"metro": "Frankfurt"}, "metro"),
        ({"storage": {"backend": "vsphere-csi"}}, "storage.backend"),
        ({"loadBalancer": {"provider": "nsx"}}, "loadBalancer.provider"),
    ],
)
def test_what_this_target_cannot_have_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text.replace("[", r"\[")):
        config(**changes)


def test_every_field_is_described() -> None:
    schema = Config.model_json_schema(by_alias=True)
    models = [schema, *schema["$defs"].values()]
    assert all("description" in field for model in models for field in model.get("properties", {}).values())


def test_the_shop_runs_on_what_its_stack_file_says() -> None:
    document = load_yaml(ROOT / "stacks/Pulumi.shop-equinix.yaml")
    target = load_target(document.data["config"]["isostack:target"], ROOT / "stacks", document, rich())
    assert isinstance(target, Config)
    assert classes(rich(), target) == {
        "control-plane": "c3.small.x86",
        "web": "c3.small.x86",
        "db": "m3.large.x86",
        "partner": "c3.small.x86",
    }


def test_planning_does_not_import_pulumi() -> None:
    code = "import sys, components.equinix.config, components.equinix.plan; sys.exit('pulumi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


class Answers(Mocks):
    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        known = {
            "ReservedIpBlock": {"address": "203.0.113.7"},
            "Device": {"accessPrivateIpv4": "10.66.0.5", "accessPublicIpv4": "203.0.113.50"},
        }
        return f"{args.name}-id", {**args.inputs, **known.get(args.typ.rpartition(":")[2], {})}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"the site looks up {args.token}")


class Recorder(MockMonitor):
    """Keeps what the engine would be asked, by type and name."""

    def __init__(self) -> None:
        super().__init__(Answers())
        self.requests: dict[tuple[str, str], Any] = {}

    def RegisterResource(self, request: Any) -> Any:
        self.requests[request.type.rpartition(":")[2], request.name] = request
        return super().RegisterResource(request)

    def inputs(self, kind: str, name: str) -> dict[str, Any]:
        return dict(rpc.deserialize_properties(self.requests[kind, name].object))

    def names(self, kind: str) -> set[str]:
        return {name for found, name in self.requests if found == kind}


def build(target: Config, *machines: str, wanted: Spec | None = None) -> tuple[Recorder, dict[str, str]]:
    """Create the site and some of its machines; also the stack's outputs: the endpoint and each machine's address."""
    recorder, outputs = Recorder(), dict[str, str]()
    pulumi.runtime.set_mocks(Answers(), preview=False, monitor=recorder)
    whole = plan(wanted or rich(), target)

    def keep(name: str) -> Any:
        return lambda value: outputs.update({name: value})

    @pulumi.runtime.test
    def program() -> Any:
        site = Site(whole, pulumi.ComponentResource("isostack:index:Site", "site"))
        made = {}
        for machine in whole.machines:
            if machine.name in machines:
                component = pulumi.ComponentResource("isostack:index:Machine", machine.name)
                made[machine.name] = site.machine(machine, pulumi.Output.from_input("#cloud-config"), component)
        site.finish(made)
        known = [made[name].address.apply(keep(name)) for name in machines]
        return pulumi.Output.all(site.endpoint.apply(keep("endpoint")), *known)

    program()
    return recorder, outputs


def test_the_site_makes_a_project_with_bgp_an_address_and_the_keys_of_the_admins() -> None:
    recorder, outputs = build(config())
    assert recorder.inputs("Project", "shop") == {
        "name": "shop",
        "bgpConfig": {"asn": 65000, "deploymentType": "local"},
    }
    assert recorder.inputs("ReservedIpBlock", "shop-api") == {
        "projectId": "shop-id",
        "metro": "fr",
        "type": "public_ipv4",
        "quantity": 1,
    }
    (key,) = recorder.names("ProjectSshKey")
    assert recorder.inputs("ProjectSshKey", key)["publicKey"] == rich().access.admins[0]
    assert outputs == {"endpoint": "203.0.113.7"}
    for kind, name in recorder.requests:
        if kind in ("Project", "ReservedIpBlock", "ProjectSshKey"):
            assert recorder.requests[kind, name].parent.endswith("isostack:index:Site::site")


def test_an_existing_project_is_used_as_it_is() -> None:
    recorder, _ = build(config(project=PROJECT), "shop-web-0")
    assert not recorder.names("Project")
    assert recorder.inputs("Device", "shop-web-0")["projectId"] == PROJECT


def test_a_control_plane_machine_is_a_device_with_a_bgp_session() -> None:
    recorder, outputs = build(config(), "shop-control-plane-1")
    name, (key,) = "shop-control-plane-1", recorder.names("ProjectSshKey")
    inputs = recorder.inputs("Device", name)
    assert rpc.is_rpc_secret(inputs.pop("userData"))
    assert inputs == {
        "hostname": name,
        "projectId": "shop-id",
        "metro": "fr",
        "plan": "c3.small.x86",
        "operatingSystem": "ubuntu_24_04",
        "billingCycle": "hourly",
        "projectSshKeyIds": [f"{key}-id"],
        "tags": ["cluster=shop", "pool=control-plane", "zone=b"],
    }
    assert recorder.inputs("BgpSession", name) == {"deviceId": f"{name}-id", "addressFamily": "ipv4"}
    for kind in ("Device", "BgpSession"):
        request = recorder.requests[kind, name]
        assert request.parent.endswith(f"isostack:index:Machine::{name}")
        assert request.deleteBeforeReplace
    assert outputs[name] == "10.66.0.5"  # the private address


def test_only_a_generation_replaces_a_running_machine() -> None:
    recorder, _ = build(config(generations={"shop-web-3": 4}), "shop-web-3", "shop-web-4")
    assert recorder.requests["Device", "shop-web-3"].replacement_trigger.number_value == 4
    assert recorder.requests["Device", "shop-web-4"].replacement_trigger.number_value == 1
    ignored = set(recorder.requests["Device", "shop-web-3"].ignoreChanges)
    assert {"userData", "customData"} <= ignored
    # These too replace a Device by the schema of 3.2.1, and a change of the spec or the config could reach them.
    assert {"plan", "operatingSystem", "billingCycle", "hardwareReservationId", "projectSshKeyIds"} <= ignored
    assert "rootPassword" in recorder.requests["Device", "shop-web-3"].additionalSecretOutputs


@pytest.mark.parametrize(
    ("provider", "asked", "sessions"),
    [
        ("kube-vip", True, {"shop-control-plane-0", "shop-web-0"}),
        ("metallb", True, {"shop-control-plane-0", "shop-web-0"}),
        ("none", True, {"shop-control-plane-0"}),
        ("kube-vip", False, {"shop-control-plane-0"}),
    ],
)
def test_workers_speak_bgp_only_for_services(provider: str, asked: bool, sessions: set[str]) -> None:
    wanted = rich({"services": {"loadBalancer": asked}})
    target = config(loadBalancer={"provider": provider})
    recorder, _ = build(target, "shop-control-plane-0", "shop-web-0", wanted=wanted)
    assert recorder.names("BgpSession") == sessions


def test_a_reserved_server_is_awaited_before_it_is_taken_again() -> None:
    recorder, _ = build(config(reservations={"shop-db-0": RESERVATION}), "shop-db-0", "shop-db-1")
    reserved, on_demand = recorder.inputs("Device", "shop-db-0"), recorder.inputs("Device", "shop-db-1")
    assert (reserved["hardwareReservationId"], reserved["waitForReservationDeprovision"]) == (RESERVATION, True)
    assert not {"hardwareReservationId", "waitForReservationDeprovision"} & set(on_demand)
