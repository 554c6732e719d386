"""Parity: equivalent stacks are found equivalent, and each planted difference is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from components import facts
from isostack.parity import Parity, Verdict, parity
from isostack.preview import Preview, Resource
from tests.examples import previews

Change = Callable[[dict[str, Any]], None]


def edited(preview: Preview, type_: str, name: str, change: Change) -> Preview:
    """The preview with one resource's inputs changed."""

    def edit(resource: Resource) -> Resource:
        if (resource.type, resource.name) != (type_, name):
            return resource
        inputs = deepcopy(dict(resource.inputs))
        change(inputs)
        return replace(resource, inputs=inputs)

    result = replace(preview, resources=tuple(edit(resource) for resource in preview.resources))
    assert result != preview, f"{type_} {name} is not there, or nothing changed"
    return result


def without(preview: Preview, *names: str) -> Preview:
    """The preview without the resources of these names."""
    result = replace(preview, resources=tuple(r for r in preview.resources if r.name not in names))
    assert len(result.resources) < len(preview.resources)
    return result


def found(result: Parity) -> Iterator[tuple[str, str, str]]:
    for difference in result.differences:
        yield difference.subject, difference.field, difference.values[1]


@pytest.mark.parametrize("spec", ["shop", "edge"])
def test_the_examples_are_equivalent(spec: str) -> None:
    result = parity(previews(spec))
    assert list(found(result)) == []
    assert result.verdict is Verdict.DEGRADED
    assert result.compared["machine"] == {"shop": 14, "edge": 3}[spec]
    assert result.compared["object"] > 5


def test_a_stack_is_equivalent_to_itself_but_for_its_own_degradations() -> None:
    stack = previews("shop")[0]
    result = parity([stack, stack])
    assert not result.differences


def facts_at(*path: str, value: Any) -> Change:
    def change(inputs: dict[str, Any]) -> None:
        holder = inputs["facts"]
        for part in path[:-1]:
            holder = holder[part]
        holder[path[-1]] = value

    return change


def drop(*path: str) -> Change:
    def change(inputs: dict[str, Any]) -> None:
        holder = inputs
        for part in path[:-1]:
            holder = holder[part]
        del holder[path[-1]]

    return change


WEB = "shop-web-2"


@pytest.mark.parametrize(
    ("type_", "name", "change", "expected"),
    [
        pytest.param(
            facts.MACHINE,
            WEB,
            facts_at("userData", "files", "/usr/local/lib/isostack/bootstrap.sh", value="0" * 12),
            (f"machine {WEB}", "userData /usr/local/lib/isostack/bootstrap.sh", "0" * 12),
            id="user data",
        ),
        pytest.param(
            facts.MACHINE,
            WEB,
            drop("facts", "wanted", "labels", "isostack.io/pool"),
            (f"machine {WEB}", "labels.isostack.io/pool", "absent"),
            id="label",
        ),
        pytest.param(
            facts.MACHINE,
            "shop-db-0",
            facts_at("wanted", "taints", value=[]),
            ("machine shop-db-0", "taints", "[]"),
            id="taint",
        ),
        pytest.param(
            facts.MACHINE,
            WEB,
            facts_at("wanted", "zone", value="a"),
            (f"machine {WEB}", "zone", "a"),
            id="zone",
        ),
        pytest.param(
            facts.MACHINE,
            WEB,
            facts_at("place", "size", "memory", value="16Gi"),
            (f"machine {WEB}", "size", None),
            id="smaller machine",
        ),
        pytest.param(
            facts.CLUSTER,
            "shop",
            facts_at("wanted", "access", "audit", value="none"),
            ("spec", "access.audit", "none"),
            id="spec",
        ),
        pytest.param(facts.PKI, "shop-pki", facts_at("wanted", "sa", value="RSA"), ("PKI", "sa", "RSA"), id="keys"),
        pytest.param(
            "kubernetes:storage.k8s.io/v1:StorageClass",
            "fast-storageclass",
            lambda inputs: inputs.update(allowVolumeExpansion=False),
            ("object StorageClass fast-storageclass", "allowVolumeExpansion", "false"),
            id="storage class",
        ),
        pytest.param(
            "kubernetes:helm.sh/v3:Release",
            "cilium",
            lambda inputs: inputs.update(version="0.0.1"),
            ("object Release cilium", "version", "0.0.1"),
            id="chart version",
        ),
    ],
)
@pytest.mark.parametrize("stack", [1, 2])
def test_a_planted_difference_is_named(
    stack: int, type_: str, name: str, change: Change, expected: tuple[str, str, str | None]
) -> None:
    shop = previews("shop")
    subject, field, value = expected
    result = parity([shop[0], edited(shop[stack], type_, name, change)])
    assert result.verdict is Verdict.NOT
    assert (subject, field) in [(s, f) for s, f, _ in found(result)]
    if value is not None:
        assert (subject, field, value) in list(found(result))


def test_a_missing_machine_is_named() -> None:
    shop = previews("shop")
    result = parity([shop[0], without(shop[1], "shop-web-5")])
    assert list(found(result)) == [
        ("machine shop-web-5", "", "absent"),
        ("machine shop-web-5", "wanted", "not as the spec asks"),
        ("machine shop-web-5", "", "a raw resource, and not planned"),
    ]


def test_a_missing_object_is_named() -> None:
    shop = previews("shop")
    result = parity([shop[0], without(shop[1], "partner-namespace")])
    assert list(found(result)) == [("object Namespace partner-namespace", "", "absent")]


def test_a_missing_output_is_named() -> None:
    shop = previews("shop")
    outputs = {name: value for name, value in shop[1].outputs.items() if name != "kubeconfig"}
    result = parity([shop[0], replace(shop[1], outputs=outputs)])
    assert list(found(result)) == [("outputs", "kubeconfig", "absent")]


def test_keys_are_compared_as_they_are_made() -> None:
    shop = previews("shop")
    key = "tls:index/privateKey:PrivateKey"
    weak = edited(shop[1], key, "shop-etcd-ca", lambda inputs: inputs.update(algorithm="RSA"))
    assert list(found(parity([shop[0], weak]))) == [("key PrivateKey shop-etcd-ca", "algorithm", "RSA")]
    open_ = tuple(replace(r, protect=False) if (r.type, r.name) == (key, "shop-sa") else r for r in shop[1].resources)
    result = parity([shop[0], replace(shop[1], resources=open_)])
    assert ("key PrivateKey shop-sa", "(protected)", "false") in list(found(result))


def test_what_an_add_on_serves_on_one_target_is_missed_where_another_claims_it() -> None:
    shop = previews("shop")
    for vanished in ("load-balancer", "rook-ceph"):
        (component,) = (r for r in shop[1].of_type(facts.ADDON) if r.name == vanished)
        gone = {component.urn, *(child.urn for child in shop[1].children(component.urn))}
        left = replace(shop[1], resources=tuple(r for r in shop[1].resources if r.urn not in gone))
        fields = {field for subject, field, value in found(parity([shop[0], left])) if value == "none"}
        # Of two add-ons for the volumes one is left: what the other served, it still says to serve.
        assert fields == ({"services.loadBalancer"} if vanished == "load-balancer" else set())


def test_an_add_on_that_installs_nothing_is_named() -> None:
    shop = previews("shop")
    (component,) = (r for r in shop[1].of_type(facts.ADDON) if r.name == "rook-ceph")
    gone = {child.urn for child in shop[1].children(component.urn)}
    left = replace(shop[1], resources=tuple(r for r in shop[1].resources if r.urn not in gone))
    assert list(found(parity([shop[0], left]))) == [("add-on rook-ceph", "", "installs nothing")]


def test_a_field_without_a_realisation_is_named() -> None:
    def silent(inputs: dict[str, Any]) -> None:
        del inputs["facts"]["realisations"][3]

    shop = previews("shop")
    field = shop[1].of_type(facts.CLUSTER)[0].inputs["facts"]["realisations"][3]["field"]
    result = parity([shop[0], edited(shop[1], facts.CLUSTER, "shop", silent)])
    assert list(found(result)) == [("spec", field, "not said how it comes true")]


@pytest.mark.parametrize(
    ("type_", "name", "change", "expected"),
    [
        pytest.param(
            "kubernetes:storage.k8s.io/v1:StorageClass",
            "fast-storageclass",
            lambda inputs: inputs.pop("provisioner"),
            ("object StorageClass fast-storageclass", "provisioner", "absent"),
            id="a choice not made",
        ),
        pytest.param(
            "kubernetes:batch/v1:CronJob",
            "kube-system-etcd-backup-cronjob",
            lambda inputs: inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]["volumes"].reverse(),
            (
                "object CronJob kube-system-etcd-backup-cronjob",
                "spec.jobTemplate.spec.template.spec.volumes[]",
                None,
            ),
            id="order of a named list",
        ),
    ],
)
def test_objects_are_compared_to_the_last_path(
    type_: str, name: str, change: Change, expected: tuple[str, str, str | None]
) -> None:
    shop = previews("shop")
    subject, field, value = expected
    result = list(found(parity([shop[0], edited(shop[1], type_, name, change)])))
    assert [(s, f) for s, f, _ in result] == [(subject, field)]
    assert value is None or result[0][2] == value


def test_an_object_for_another_cluster_is_named() -> None:
    shop = previews("shop")
    (cilium,) = (r for r in shop[1].resources if r.type.endswith(":Release") and r.name == "cilium")
    ambient = tuple(replace(r, provider=None) if r is cilium else r for r in shop[1].resources)
    result = list(found(parity([shop[0], replace(shop[1], resources=ambient)])))
    assert result == [("object Release cilium", "(provider)", "none")]


def test_what_an_add_on_declares_as_its_targets_mechanism_may_differ() -> None:
    shop = previews("shop")
    change = edited(
        shop[1],
        "kubernetes:storage.k8s.io/v1:StorageClass",
        "fast-storageclass",
        lambda inputs: inputs.update(provisioner="other.example.com"),
    )
    assert not parity([shop[0], change]).differences


def test_an_impossible_wish_is_not_equivalence() -> None:
    def impossible(inputs: dict[str, Any]) -> None:
        inputs["facts"]["realisations"][0] |= {"grade": "impossible", "reason": "no such thing here"}

    shop = previews("shop")
    result = parity([shop[0], edited(shop[1], facts.CLUSTER, "shop", impossible)])
    assert not result.differences
    assert result.verdict is Verdict.NOT
