"""Evidence: whatever a target's raw resources are not, though the plan says so, is found in the preview."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from components import facts, targets
from components.equinix.raw import DEVICE
from components.tinkerbell.raw import HARDWARE, WORKFLOW
from components.vsphere.raw import HOST_GROUP, RULE, TAG, VM, VM_GROUP
from isostack.evidence import Doubt, doubts
from isostack.parity import Verdict, parity
from isostack.preview import UNKNOWN, Preview, Resource, Secret
from tests.examples import previews

SHOP = {preview.stack: preview for preview in previews("shop")}
VSPHERE, EQUINIX, TINKERBELL = (SHOP[f"shop-{kind}"] for kind in ("vsphere", "equinix", "tinkerbell"))
WEB, HOST = "shop-web-2", "fra1-r09-web01"


def changed(preview: Preview, type_: str, name: str, change: Callable[[Resource], Resource | None]) -> list[Doubt]:
    """What is found once one resource is another, or gone."""
    before = [r for r in preview.resources if (r.type, r.name) == (type_, name)]
    assert len(before) == 1, f"{type_} {name} stands {len(before)} times"
    resources = (change(r) if r is before[0] else r for r in preview.resources)
    return list(doubts(replace(preview, resources=tuple(r for r in resources if r is not None))))


def put(*path: str | int, value: Any) -> Callable[[Resource], Resource]:
    """Another value at a path of the inputs."""

    def change(resource: Resource) -> Resource:
        inputs = deepcopy(dict(resource.inputs))
        holder: Any = inputs
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = value
        return replace(resource, inputs=inputs)

    return change


def hanging_on(input_: str, *urns: str) -> Callable[[Resource], Resource]:
    return lambda r: replace(r, property_dependencies={**r.property_dependencies, input_: urns})


def urn(preview: Preview, type_: str, name: str) -> str:
    return next(r.urn for r in preview.resources if (r.type, r.name) == (type_, name))


@pytest.mark.parametrize("preview", SHOP.values(), ids=list(SHOP))
def test_the_examples_are_what_they_say(preview: Preview) -> None:
    assert list(doubts(preview)) == []


@pytest.mark.parametrize(
    ("preview", "type_", "name", "change", "expected"),
    [
        (VSPHERE, VM, WEB, put("numCpus", value=4), ("cpus", "the raw resource has 4, planned 8")),
        (VSPHERE, VM, WEB, put("memory", value=2048), ("memory", "the raw resource has 2Gi, planned 32Gi")),
        (
            VSPHERE,
            VM,
            WEB,
            put("disks", 0, "size", value=20),
            ("disk", "the raw resource has 20Gi, planned 100Gi"),
        ),
        (VSPHERE, VM, WEB, put("extraConfig", value={}), ("userData", "stands in clear")),
        (VSPHERE, VM, WEB, hanging_on("extraConfig"), ("userData", "is not made from all the cluster's keys")),
        (
            VSPHERE,
            VM,
            WEB,
            hanging_on("tags", urn(VSPHERE, TAG, "shop-a")),
            ("zone", "the raw resources keep it in none, asked c"),
        ),
        (EQUINIX, DEVICE, WEB, put("plan", value="c3.medium.x86"), ("hostClass", None)),
        (EQUINIX, DEVICE, WEB, put("plan", value="c3.medium.x86"), ("cpus", None)),
        (EQUINIX, DEVICE, WEB, put("tags", value=["zone=a"]), ("zone", "the raw resources keep it in a, asked c")),
        (EQUINIX, DEVICE, WEB, put("userData", value="#cloud-config"), ("userData", "stands in clear")),
        (EQUINIX, DEVICE, WEB, put("userData", value=None), ("userData", "absent")),
        (EQUINIX, DEVICE, WEB, hanging_on("userData"), ("userData", "is not made from all the cluster's keys")),
        (TINKERBELL, HARDWARE, HOST, put("spec", "userData", value="#cloud-config"), ("userData", "stands in clear")),
        (TINKERBELL, HARDWARE, HOST, hanging_on("spec"), ("userData", "is not made from all the cluster's keys")),
        (
            TINKERBELL,
            HARDWARE,
            HOST,
            put("spec", "resources", "cpu", value="4"),
            ("cpus", "the raw resource has 4, planned 32"),
        ),
        (
            TINKERBELL,
            HARDWARE,
            HOST,
            put("metadata", "name", value="other"),
            ("", "planned, and no raw resources of it"),
        ),
        (
            TINKERBELL,
            HARDWARE,
            HOST,
            put("metadata", "labels", "topology.kubernetes.io/zone", value="a"),
            ("zone", "the raw resources keep it in a, asked c"),
        ),
        (TINKERBELL, WORKFLOW, HOST, lambda _: None, ("", "planned, and no raw resources of it")),
        *(
            (
                preview,
                facts.MACHINE,
                WEB,
                put("facts", "userData", "carried", value="0" * 64),
                ("userData", "the raw resource carries another text than the plan's"),
            )
            for preview in SHOP.values()
        ),
        (
            TINKERBELL,
            facts.MACHINE,
            WEB,
            put("facts", "place", "host", value="fra1-r07-cp01"),
            ("zone", "fra1-r07-cp01 stands in zone a, asked c"),
        ),
        (
            VSPHERE,
            facts.MACHINE,
            WEB,
            put("facts", "place", "size", value={"cpus": 4, "memory": "32Gi", "disk": "100Gi"}),
            ("size", "4 CPU, 32Gi, 100Gi disk, asked 8 CPU, 32Gi, 100Gi disk"),
        ),
    ],
)
def test_each_lie_is_found(
    preview: Preview, type_: str, name: str, change: Callable[[Resource], Resource], expected: tuple[str, str | None]
) -> None:
    field, what = expected
    found = changed(preview, type_, name, change)
    assert {machine for machine, _, _ in found} - {HOST} == {WEB}  # a Workflow for no machine goes by its host
    assert (field, what) in [(f, w if what else None) for _, f, w in found]


def test_vms_that_no_rule_keeps_in_their_zone_are_in_none() -> None:
    members = [r.name for r in VSPHERE.of_type(VM) if "shop-c" in str(r.property_dependencies["tags"])]
    assert len(members) > 2
    for type_ in (RULE, VM_GROUP):
        found = changed(VSPHERE, type_, "shop-c", lambda _: None)
        assert [(m, f) for m, f, _ in found] == [(name, "zone") for name in members]
    one = urn(VSPHERE, VM, members[0])
    found = changed(VSPHERE, VM_GROUP, "shop-c", hanging_on("virtualMachineIds", one))
    assert [m for m, _, _ in found] == members[1:]


def test_a_rule_that_holds_nothing_keeps_no_vm_in_its_zone() -> None:
    others = urn(VSPHERE, HOST_GROUP, "shop-a")
    for type_, change in (
        (RULE, hanging_on("affinityHostGroupName")),
        (RULE, hanging_on("affinityHostGroupName", others)),
        (RULE, put("enabled", value=False)),
        (HOST_GROUP, put("hostSystemIds", value=[])),
    ):
        found = changed(VSPHERE, type_, "shop-c", change)
        assert found
        assert {(f, what) for _, f, what in found} == {("zone", "the raw resources keep it in none, asked c")}


def test_user_data_wants_every_key_that_is_kept() -> None:
    vm = next(r for r in VSPHERE.resources if (r.type, r.name) == (VM, WEB))
    from_ = vm.property_dependencies["extraConfig"]
    for missing in from_:
        found = changed(VSPHERE, VM, WEB, hanging_on("extraConfig", *(each for each in from_ if each != missing)))
        assert [what for _, _, what in found] == ["is not made from all the cluster's keys"]
    admin = urn(VSPHERE, "tls:index/privateKey:PrivateKey", "shop-admin")
    assert changed(VSPHERE, VM, WEB, hanging_on("extraConfig", *from_, admin)) == []


@pytest.mark.parametrize(
    "change",
    [
        put("spec", "hardwareMap", "mac", value="00:00:00:00:00:01"),
        put("spec", "templateRef", value="another"),
        put("spec", "hardwareRef", value="another"),
    ],
)
def test_a_workflow_that_images_something_else_makes_no_machine(change: Callable[[Resource], Resource]) -> None:
    found = changed(TINKERBELL, WORKFLOW, HOST, change)
    assert (WEB, "", "planned, and no raw resources of it") in found
    (stray,) = (machine for machine, _, what in found if what == "a raw resource, and not planned")
    assert stray in (HOST, "another")


def test_a_workflow_for_a_spare_is_told_by_its_host() -> None:
    (workflow,) = (r for r in TINKERBELL.resources if (r.type, r.name) == (WORKFLOW, HOST))
    spare = next(r for r in TINKERBELL.of_type(HARDWARE) if r.name == "fra1-r09-spare01")
    mac = spare.inputs["spec"]["interfaces"][0]["dhcp"]["mac"]
    onto = put("spec", "hardwareMap", "mac", value=mac)(put("spec", "hardwareRef", value=spare.name)(workflow))
    more = replace(TINKERBELL, resources=(*TINKERBELL.resources, replace(onto, urn="urn:more")))
    assert list(doubts(more)) == [("fra1-r09-spare01", "", "a raw resource, and not planned")]


def test_machines_are_those_of_the_spec() -> None:
    wrong = put("facts", "wanted", "labels", value={})
    assert changed(VSPHERE, facts.MACHINE, WEB, wrong) == [(WEB, "wanted", "not as the spec asks")]
    found = changed(VSPHERE, facts.MACHINE, WEB, lambda _: None)
    assert found == [(WEB, "wanted", "not as the spec asks"), (WEB, "", "a raw resource, and not planned")]


def test_a_machine_that_nobody_planned_and_a_second_of_one_name_are_found() -> None:
    vm = next(r for r in VSPHERE.resources if (r.type, r.name) == (VM, WEB))
    more = replace(VSPHERE, resources=(*VSPHERE.resources, replace(vm, urn="urn:more", inputs={"name": "shop-more-0"})))
    assert list(doubts(more)) == [("shop-more-0", "", "a raw resource, and not planned")]
    for preview, types in ((VSPHERE, (VM,)), (EQUINIX, (DEVICE,)), (TINKERBELL, (HARDWARE, WORKFLOW))):
        own = [r for r in preview.resources if r.type in types and r.name in (WEB, HOST)]
        twins = tuple(replace(resource, urn=f"{resource.urn}-twin") for resource in own)
        twice = replace(preview, resources=(*twins, *preview.resources))
        assert list(doubts(twice)) == [(WEB, "", "planned, and 2 raw resources of it")]


def test_what_is_not_known_is_a_doubt_where_the_target_shows_it_and_never_a_crash() -> None:
    for preview, type_, name in ((VSPHERE, VM, WEB), (EQUINIX, DEVICE, WEB), (TINKERBELL, HARDWARE, HOST)):
        (resource,) = (r for r in preview.resources if (r.type, r.name) == (type_, name))
        for path in paths(resource.inputs):
            changed(preview, type_, name, put(*path, value=UNKNOWN))
    assert changed(VSPHERE, VM, WEB, put("numCpus", value=UNKNOWN)) == [
        (WEB, "cpus", "the raw resource does not show it, planned 8")
    ]
    assert changed(VSPHERE, VM, WEB, put("extraConfig", value=Secret({}))) == [
        (WEB, "userData", "is known beforehand, so no keys are in it")
    ]


def paths(value: Any, *above: str | int) -> Iterator[tuple[str | int, ...]]:
    """The paths to everything that stands in a value."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*above, key)
        yield from paths(item, *above, key)


@pytest.mark.parametrize("preview", SHOP.values(), ids=list(SHOP))
def test_each_field_that_a_target_shows_is_held_against_the_plan(preview: Preview) -> None:
    """Of every registered target that the shop has a stack for."""
    kind = facts.ClusterFacts.of(preview.of_type(facts.CLUSTER)[0].inputs).target
    shows = targets.raw(kind).SHOWS
    assert {"cpus", "memory", "host_class"} <= shows
    for field in shows:
        sized = ("size", field) if field in ("cpus", "memory", "disk") else (to_camel(field),)
        other: Any = 1000 if field == "cpus" else "4096Gi" if field in ("memory", "disk") else "another"
        found = changed(preview, facts.MACHINE, WEB, put("facts", "place", *sized, value=other))
        assert to_camel(field) in [f for _, f, _ in found]


def test_a_lie_makes_stacks_not_equivalent() -> None:
    half = put("numCpus", value=4)
    resources = tuple(half(r) if (r.type, r.name) == (VM, WEB) else r for r in VSPHERE.resources)
    result = parity([TINKERBELL, replace(VSPHERE, resources=resources)])
    assert result.verdict is Verdict.NOT
    assert [(d.subject, d.field, d.values) for d in result.differences] == [
        (f"machine {WEB}", "cpus", ("", "the raw resource has 4, planned 8"))
    ]
