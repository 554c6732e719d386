"""Add-ons: what each spec gets, the same on every target but for what a target may choose, and no secret in any."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from components import addons, realise
from components.addons import ceph, etcd_backup, load_balancer, placement
from components.addons.announcement import Bgp
from components.addons.storage import BACKENDS
from components.equinix import addons as equinix_addons
from components.equinix.config import Config as Equinix
from components.plan import Addon, Leaf, Manifest, Ref, Release, Template
from components.spec import Spec
from components.tinkerbell import addons as tinkerbell_addons
from components.tinkerbell.config import BgpPeer, Vip
from components.tinkerbell.config import Config as Tinkerbell
from components.tinkerbell.config import LoadBalancer as TinkerbellLoadBalancer
from components.vsphere import addons as vsphere_addons
from components.vsphere.config import Config as VSphere
from tests.specs import ROOT, SMALLEST, changed, rich, spec, specs

NFS = {"server": "10.20.0.40", "share": "/k8s"}
CEPH = {"pool": "db", "deviceFilter": "^nvme[1-9]n1$"}
POWERFLEX = {"systemId": "4f8b", "endpoint": "https://powerflex.example.com", "storagePool": "pool1"}
SHOP_ON_VSPHERE = yaml.safe_load((ROOT / "stacks/Pulumi.shop-vsphere.yaml").read_text("utf-8"))["config"][
    "isostack:target"
]
DNS_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
Objects = dict[tuple[str, str], Release | Manifest]


def vsphere(changes: dict[str, Any] | None = None) -> VSphere:
    return VSphere.model_validate({**SHOP_ON_VSPHERE, **(changes or {})})


def equinix(changes: dict[str, Any] | None = None) -> Equinix:
    storage = {"backend": "ceph", "ceph": CEPH}
    return Equinix.model_validate(
        {"kind": "equinix", "metro": "fr", "project": "shop", "storage": storage, **(changes or {})}
    )


def on(backend: str, wish: Spec) -> VSphere:
    """A config whose volumes come from this backend; Ceph takes the disks of the first pool."""
    parts = {"nfs": NFS, "ceph": {**CEPH, "pool": wish.pools[0].name}, "powerflex": POWERFLEX}
    return vsphere({"storage": {"backend": backend, **parts}})


def wishing(**wishes: Any) -> Spec:
    """The smallest spec with one storage class."""
    return Spec.model_validate({**SMALLEST, "storage": {"classes": [{"name": "data", **wishes}]}})


def by_name(found: tuple[Addon, ...]) -> dict[str, Addon]:
    return {addon.name: addon for addon in found}


def objects(*found: Addon) -> Objects:
    kinds = lambda thing: "Release" if isinstance(thing, Release) else thing.kind  # noqa: E731
    return {(kinds(thing), thing.name): thing for addon in found for thing in addon.objects}


def body(thing: Release | Manifest) -> Mapping[str, Any]:
    return {"values": thing.values, "version": thing.version} if isinstance(thing, Release) else thing.body


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Leaves by path; list items go by their name, where they have one."""
    if isinstance(value, Mapping) and value:
        return {k: v for key, item in value.items() for k, v in flat(item, f"{path}.{key}" if path else key).items()}
    if isinstance(value, list | tuple) and value:
        named = all(isinstance(item, Mapping) and "name" in item for item in value)
        keys = [item["name"] if named else index for index, item in enumerate(value)]
        return {k: v for key, item in zip(keys, value, strict=True) for k, v in flat(item, f"{path}[{key}]").items()}
    return {path: value}


def leaves(found: tuple[Addon, ...]) -> Iterator[tuple[Addon, Release | Manifest, str, Any]]:
    for addon in found:
        for thing in addon.objects:
            for path, value in flat(body(thing)).items():
                yield addon, thing, path, value


def chosen(addon: Addon, thing: Release | Manifest, path: str) -> bool:
    """A target may choose this path."""
    paths = [p for name, _, p in (entry.partition(":") for entry in addon.mechanism) if name == thing.name]
    return any(path == p or path.startswith((f"{p}.", f"{p}[")) for p in paths)


def neutral(found: tuple[Addon, ...]) -> dict[tuple[str, str, str], Any]:
    return {
        (addon.name, thing.name, path): value
        for addon, thing, path, value in leaves(tuple(a for a in found if a.common))
        if not chosen(addon, thing, path)
    }


def refs(value: Any) -> set[str]:
    if isinstance(value, Ref):
        return {value.name}
    return {ref.name for ref in value.refs.values()} if isinstance(value, Template) else set()


def rule_of(pattern: str, wish: Spec, config: Any) -> tuple[str, str]:
    """Grade and reason of the one leaf of that pattern."""
    (leaf,) = [leaf for leaf in realise.leaves(wish) if leaf.pattern == pattern]
    found = {**addons.storage_rules(config), **addons.load_balancer_rules(config)}[pattern](leaf)
    assert found.field == leaf.path
    return found.grade, found.reason


# What a spec gets


def test_the_shop_gets_every_add_on() -> None:
    found = addons.common(rich(), vsphere())
    assert [addon.name for addon in found] == [
        "cilium",
        "tenants",
        "vsphere-csi",
        "storage-classes",
        "snapshot-controller",
        "snapshot-classes",
        "monitoring",
        "etcd-backup",
        "velero",
    ]
    assert [addon.name for addon in found if not addon.common] == ["vsphere-csi"]


def test_a_spec_without_wishes_gets_the_network_alone() -> None:
    bare = spec({"services": {"loadBalancer": False}, "monitoring": {"nodeMetrics": False}})
    assert [addon.name for addon in addons.common(bare, vsphere())] == ["cilium"]
    assert [addon.name for addon in vsphere_addons.addons(bare, vsphere())] == ["vsphere-cpi"]


def test_cilium_dials_the_api_itself_since_there_is_no_proxy() -> None:
    values = objects(by_name(addons.common(rich(), vsphere()))["cilium"])["Release", "cilium"].values
    assert values["kubeProxyReplacement"] is True
    assert values["k8sServiceHost"] == Ref("endpoint")


def test_a_tenant_gets_a_closed_namespace_of_its_trust() -> None:
    found = objects(by_name(addons.common(rich(), vsphere()))["tenants"])
    levels = {
        name: thing.body["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for (kind, name), thing in found.items()
        if kind == "Namespace"
    }
    assert levels == {"shop": "baseline", "partner": "restricted"}
    policies = [t for t in by_name(addons.common(rich(), vsphere()))["tenants"].objects if t.kind == "NetworkPolicy"]
    assert Counter(policy.namespace for policy in policies) == {"shop": 3, "partner": 3}
    denied = [p for p in policies if p.name == "default-deny"]
    assert all("ingress" not in p.body["spec"] and "egress" not in p.body["spec"] for p in denied)


def test_the_etcd_backup_runs_beside_etcd_and_keeps_what_is_asked() -> None:
    found = objects(by_name(addons.common(rich(), vsphere()))["etcd-backup"])
    job = found["CronJob", "etcd-backup"].body["spec"]
    assert job["schedule"] == "@every 21600s"
    pod = job["jobTemplate"]["spec"]["template"]["spec"]
    assert (pod["hostNetwork"], pod["affinity"]) == (True, placement.ON_CONTROL_PLANE)
    assert [container["name"] for container in pod["initContainers"]] == ["save", "check"]
    place = found["ConfigMap", "etcd-backup-place"].body["data"]
    assert (place["FOLDER"], place["KEEP"]) == ("example-backup/shop/etcd", "28")


def test_the_upload_removes_the_oldest_of_its_own_snapshots_alone(tmp_path: Path) -> None:
    bucket, tools = tmp_path / "bucket", tmp_path / "bin"
    bucket.mkdir(), tools.mkdir()
    (tools / "rclone").write_text(
        "#!/bin/sh\n"
        'case $1 in copyto) cp "$2" "$BUCKET/$(basename "$3")" ;;\n'
        'lsf) cd "$BUCKET"; for f in *; do case $f in $4) echo "$f" ;; esac; done ;;\n'
        'deletefile) rm "$BUCKET/$(basename "$2")" ;; esac\n'
    )
    (tools / "rclone").chmod(0o755)
    own = [f"etcd-shop-10.0.0.1-2026010{day}T000000Z.db" for day in (1, 2, 3)]
    others = ["etcd-shop-10.0.0.1-2-20260101T000000Z.db", "etcd-shop-10.0.0.2-20260101T000000Z.db", "notes.txt"]
    for name in (*own, *others):
        (bucket / name).touch()
    (tmp_path / "etcd.db").write_text("snapshot")
    environment = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "BUCKET": str(bucket),
        "SNAPSHOT": str(tmp_path / "etcd.db"),
        "FOLDER": "example-backup/shop",
        "PREFIX": "etcd-shop-10.0.0.1-",
        "KEEP": "2",
    }
    job = objects(*etcd_backup.addons(rich(), vsphere()))["CronJob", "etcd-backup"].body["spec"]
    command = job["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"]
    subprocess.run(command, env=environment, check=True, timeout=30)
    left = sorted(path.name for path in bucket.iterdir())
    (new,) = set(left) - set(own) - set(others)
    assert (bucket / new).read_text() == "snapshot"
    assert left == sorted([own[-1], new, *others])


def test_velero_keeps_as_many_copies_as_are_asked() -> None:
    values = objects(by_name(addons.common(rich(), vsphere()))["velero"])["Release", "velero"].values
    assert values["schedules"]["volumes"] == {
        "schedule": "@every 86400s",
        "template": {"ttl": f"{14 * 86400}s", "includedNamespaces": ["*"]},
    }
    (location,) = values["configuration"]["backupStorageLocation"]
    assert (location["bucket"], location["prefix"].text) == ("example-backup", "shop/volumes/shop-{endpoint}")


def test_a_snapshot_class_for_each_class_that_wishes_one() -> None:
    classes = [{"name": "fast", "snapshots": True}, {"name": "cheap"}]
    wish = Spec.model_validate({**SMALLEST, "storage": {"classes": classes}})
    found = objects(*addons.common(wish, vsphere()))
    assert [name for kind, name in found if kind == "VolumeSnapshotClass"] == ["fast"]
    assert [name for kind, name in found if kind == "StorageClass"] == ["fast", "cheap"]
    assert not {"snapshot-controller"} & set(by_name(addons.common(wishing(), vsphere())))


# Storage


def test_a_driver_is_installed_once_however_many_classes_use_it() -> None:
    classes = [{"name": "a"}, {"name": "b"}, {"name": "c"}]
    wish = Spec.model_validate({**SMALLEST, "storage": {"classes": classes}})
    config = vsphere({"storage": {"backend": "vsphere-csi", "classes": {"c": "nfs"}, "nfs": NFS}})
    found = addons.common(wish, config)
    assert [addon.name for addon in found if not addon.common] == ["vsphere-csi", "csi-driver-nfs"]
    drivers = {
        name: thing.body["provisioner"] for (kind, name), thing in objects(*found).items() if kind == "StorageClass"
    }
    assert drivers == {"a": "csi.vsphere.vmware.com", "b": "csi.vsphere.vmware.com", "c": "nfs.csi.k8s.io"}


def test_the_storage_policy_of_the_site_makes_the_volumes() -> None:
    found = objects(*addons.common(wishing(), vsphere({"storagePolicy": "gold"})))
    assert found["StorageClass", "data"].body["parameters"] == {"storagepolicyname": "gold"}
    found = objects(*addons.common(wishing(), vsphere({"storagePolicy": None})))
    assert found["StorageClass", "data"].body["parameters"] == {}


@pytest.mark.parametrize(
    ("backend", "wishes", "grade", "says"),
    [
        ("vsphere-csi", {"snapshots": True}, "equal", "3 per volume"),
        ("ceph", {"snapshots": True}, "degraded", "1 of 3 copies"),
        ("nfs", {"snapshots": True}, "degraded", "tar archive"),
        ("powerflex", {"snapshots": True}, "equal", ""),
        ("nfs", {"snapshots": False}, "equal", ""),
    ],
)
def test_snapshots(backend: str, wishes: dict[str, Any], grade: str, says: str) -> None:
    wish = wishing(**wishes)
    found = rule_of("storage.classes.*.snapshots", wish, on(backend, wish))
    assert found[0] == grade
    assert says in found[1]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("expansion", [True, False])
def test_every_backend_lets_volumes_grow(backend: str, expansion: bool) -> None:
    wish = changed(SMALLEST, {"pools.0.nodes": 3, "storage": {"classes": [{"name": "data", "expansion": expansion}]}})
    grade, _ = rule_of("storage.classes.*.expansion", Spec.model_validate(wish), on(backend, Spec.model_validate(wish)))
    assert grade == "equal"


@pytest.mark.parametrize(
    ("backend", "modes", "grade", "says"),
    [
        ("vsphere-csi", ["ReadWriteOnce"], "equal", ""),
        ("vsphere-csi", ["ReadWriteOnce", "ReadWriteMany"], "impossible", "no ReadWriteMany: "),
        ("powerflex", ["ReadWriteMany", "ReadOnlyMany"], "impossible", "no ReadWriteMany and no ReadOnlyMany: "),
        ("nfs", ["ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany"], "equal", ""),
        ("ceph", ["ReadWriteMany"], "degraded", "the loss of one stops writes"),
    ],
)
def test_access_modes(backend: str, modes: list[str], grade: str, says: str) -> None:
    wish = wishing(accessModes=modes)
    found = rule_of("storage.classes.*.accessModes", wish, on(backend, wish))
    assert found[0] == grade
    assert says in found[1]


def test_ceph_with_enough_nodes_keeps_its_promise() -> None:
    wish = rich({"storage": {"classes": [{"name": "shared", "accessModes": ["ReadWriteMany"]}]}})
    assert rule_of("storage.classes.*.accessModes", wish, equinix())[0] == "equal"
    found = objects(*addons.common(wish, equinix()))
    values = found["Release", "rook-ceph-cluster"].values
    assert values["cephBlockPools"][0]["spec"]["replicated"]["size"] == ceph.COPIES
    (files,) = values["cephFileSystems"]
    assert found["StorageClass", "shared"].body["parameters"]["fsName"] == files["name"]


def test_ceph_runs_on_its_pool_in_spite_of_the_pool_s_taints() -> None:
    values = objects(*addons.common(rich(), equinix()))["Release", "rook-ceph-cluster"].values
    everything = values["cephClusterSpec"]["placement"]["all"]
    assert {toleration["key"] for toleration in everything["tolerations"]} == {"isostack.io/tenant", "tier"}
    assert "'db'" in str(everything["nodeAffinity"])


@pytest.mark.parametrize("backend", BACKENDS.values(), ids=lambda backend: backend.name)
def test_a_backend_says_where_its_claims_come_from(backend: Any) -> None:
    assert backend.source.startswith("[documented]")
    assert backend.constraints or len(backend.access_modes) == 3


# Load balancers


def test_addresses_of_services_come_from_the_config() -> None:
    found = objects(*load_balancer.addons(rich(), vsphere()))
    assert found["Release", "kube-vip-cloud-provider"].values["cm"]["data"] == {
        "range-global": "10.20.41.16-10.20.41.47"
    }
    config = vsphere({"loadBalancer": {"provider": "metallb", "addresses": "10.20.41.16-10.20.41.47"}})
    found = objects(*load_balancer.addons(rich(), config))
    assert found["IPAddressPool", "services"].body["spec"]["addresses"] == ["10.20.41.16-10.20.41.47"]
    assert ("L2Advertisement", "services") in found


@pytest.mark.parametrize(
    ("config", "grade", "says"),
    [
        ({"provider": "kube-vip", "addresses": "10.20.41.16"}, "equal", ""),
        ({"provider": "kube-vip"}, "impossible", "loadBalancer.addresses is not given"),
        ({"provider": "metallb"}, "impossible", "loadBalancer.addresses is not given"),
        ({"provider": "nsx"}, "equal", ""),
        ({"provider": "none"}, "impossible", "stay pending"),
    ],
)
def test_load_balancer_rules(config: dict[str, Any], grade: str, says: str) -> None:
    target = vsphere({"loadBalancer": config})
    found = rule_of("services.loadBalancer", rich(), target)
    assert found[0] == grade
    assert says in found[1]
    installed = [addon.name for addon in vsphere_addons.addons(rich(), target)]
    assert ("load-balancer" in installed) == (grade == "equal")
    assert rule_of("services.loadBalancer", rich({"services.loadBalancer": False}), target)[0] == "equal"


def test_where_the_cloud_gives_addresses_none_need_be_listed() -> None:
    (leaf,) = [leaf for leaf in realise.leaves(rich()) if leaf.pattern == "services.loadBalancer"]
    rule = addons.load_balancer_rules(equinix(), equinix_addons.ALLOCATOR)["services.loadBalancer"]
    assert rule(leaf).grade == "equal"
    assert equinix_addons.ALLOCATOR in rule(leaf).mechanism


@pytest.mark.parametrize("provider", ["kube-vip", "metallb"])
def test_equinix_announces_by_bgp_what_its_cloud_provider_hands_over(provider: str) -> None:
    found = objects(*equinix_addons.addons(rich(), equinix({"loadBalancer": {"provider": provider}})))
    assert f'"{provider}://' in found["Secret", "metal-cloud-config"].body["stringData"]["cloud-sa.json"].text
    assert "IPAddressPool" not in {kind for kind, _ in found}
    if provider == "kube-vip":
        assert found["Release", "kube-vip"].values["env"]["annotation"] == "metal.equinix.com"


def test_equinix_knows_the_id_of_a_project_only_if_it_exists() -> None:
    def text(project: str) -> Template:
        found = objects(*equinix_addons.addons(rich(), equinix({"project": project})))
        return found["Secret", "metal-cloud-config"].body["stringData"]["cloud-sa.json"]

    existing = "12345678-1234-1234-1234-123456789abc"
    assert set(text(existing).refs) == {"token"}
    filled = yaml.safe_load(text(existing).text.format(token="t"))
    assert (filled["apiKey"], filled["projectID"]) == ("t", existing)
    assert text("shop").refs["project"] == Ref("project")


def tinkerbell(vip: Vip, provider: str) -> Tinkerbell:
    balancer = TinkerbellLoadBalancer(provider=provider, addresses="10.20.41.16-10.20.41.47")
    return Tinkerbell.model_construct(vip=vip, load_balancer=balancer)


@pytest.mark.parametrize("provider", ["kube-vip", "metallb"])
def test_tinkerbell_announces_services_as_it_announces_the_api(provider: str) -> None:
    routers = (BgpPeer(address="10.20.40.2", asn=65000), BgpPeer(address="10.20.41.2", asn=65001, multihop=True))
    bgp = Vip(mode="bgp", asn=65010, peers=routers)
    by_bgp = objects(*tinkerbell_addons.addons(rich(), tinkerbell(bgp, provider)))
    by_arp = objects(*tinkerbell_addons.addons(rich(), tinkerbell(Vip(), provider)))
    if provider == "kube-vip":
        env = by_bgp["Release", "kube-vip"].values["env"]
        assert (env["bgp_as"], env["bgp_peers"]) == ("65010", "10.20.40.2:65000::false,10.20.41.2:65001::true")
        assert by_arp["Release", "kube-vip"].values["env"]["vip_arp"] == "true"
    else:
        peers = [thing.body["spec"] for (kind, _), thing in by_bgp.items() if kind == "BGPPeer"]
        assert [(p["peerAddress"], p["peerASN"], p["ebgpMultiHop"]) for p in peers] == [
            ("10.20.40.2", 65000, False),
            ("10.20.41.2", 65001, True),
        ]
        assert ("L2Advertisement", "services") in by_arp
        assert ("L2Advertisement", "services") not in by_bgp


# Cloud provider, remediation


def test_the_api_s_address_never_becomes_a_node_s() -> None:
    release = objects(*vsphere_addons.addons(rich(), vsphere()))["Release", "vsphere-cpi"]
    assert set(release.values["config"]["nodes"].values()) == {f"{vsphere().endpoint}/32"}


@pytest.mark.parametrize(("wished", "grade"), [(True, "degraded"), (False, "equal")])
def test_remediation_is_not_promised_while_nothing_does_it(wished: bool, grade: str) -> None:
    rule = addons.remediation_rules("vSphere HA")["availability.remediation"]
    found = rule(Leaf("availability.remediation", "availability.remediation", wished, ()))
    assert found.grade == grade
    assert bool(found.reason) == wished


# What holds for all of them


def everything(wish: Spec, kind: str = "vsphere") -> tuple[Addon, ...]:
    """All add-ons of a stack, in the order of the plan."""
    if kind == "equinix":
        config = equinix({"storage": {"backend": "ceph", "ceph": {**CEPH, "pool": wish.pools[0].name}}})
        return addons.in_order((*addons.common(wish, config), *equinix_addons.addons(wish, config)))
    config = vsphere()
    return addons.in_order((*addons.common(wish, config), *vsphere_addons.addons(wish, config)))


def test_common_add_ons_differ_between_targets_only_where_a_target_may_choose() -> None:
    ours, theirs = addons.common(rich(), vsphere()), addons.common(rich(), equinix())
    assert neutral(ours) == neutral(theirs)
    provisioners = [
        thing.body["provisioner"] for found in (ours, theirs) for thing in by_name(found)["storage-classes"].objects
    ]
    assert len(set(provisioners)) == 2, "the two configs must differ, or the test above says nothing"


@settings(max_examples=30, deadline=None)
@given(specs())
def test_any_spec_has_equal_common_add_ons_on_two_targets(wish: Spec) -> None:
    assert neutral(everything(wish, "vsphere")) == neutral(everything(wish, "equinix"))


@settings(max_examples=30, deadline=None)
@given(specs())
def test_any_spec_has_add_ons_that_can_be_installed(wish: Spec) -> None:
    for kind in ("vsphere", "equinix"):
        found = everything(wish, kind)
        assert found == everything(wish, kind)
        assert len(by_name(found)) == len(found)
        for index, addon in enumerate(found):
            assert set(addon.after) <= {earlier.name for earlier in found[:index]}, addon.name
        seen = Counter((type(t), getattr(t, "kind", ""), t.name, t.namespace) for a in found for t in a.objects)
        assert max(seen.values()) == 1
        for addon in found:
            for thing in addon.objects:
                assert DNS_NAME.fullmatch(thing.name)
                if isinstance(thing, Release):
                    assert re.fullmatch(r"v?\d+\.\d+\.\d+(-rancher\d+)?", thing.version)
                    assert thing.namespace
                    assert thing.repo.startswith("https://") or thing.chart.startswith("oci://")
                else:
                    assert thing.api_version
                    assert thing.kind
                    assert not {"apiVersion", "kind"} & set(thing.body)


ALL = (
    *everything(rich()),
    *everything(rich(), "equinix"),
    *(addon for backend in BACKENDS for addon in addons.common(rich(), on(backend, rich()))),
    *(addon for provider in load_balancer.PROVIDERS.values() for addon in provider.addons(rich(), vsphere(), None)),
    *(
        addon
        for provider in load_balancer.PROVIDERS.values()
        for addon in provider.addons(rich(), vsphere(), Bgp(65000))
    ),
)
"""Every add-on that there is, several times over."""


def test_add_ons_serve_fields_that_exist() -> None:
    known = set(realise.patterns())
    assert {pattern for addon in ALL for pattern in addon.serves} <= known


def test_a_field_whose_rule_names_an_add_on_is_served_by_one() -> None:
    found = [addon for addon in everything(rich()) if addon.common]
    # A rule names an add-on by its Helm release or by the kind of an object of it.
    words = {name.lower() if kind == "Release" else kind.lower() for kind, name in objects(*found)}
    served = {pattern for addon in found for pattern in addon.serves}
    for pattern, rule in realise.SHARED.items():
        mechanism = rule(Leaf(pattern, pattern, None, ())).mechanism.lower()
        if words & set(re.findall(r"[a-z0-9-]+", mechanism)) or "is-default-class" in mechanism:
            assert pattern in served, (pattern, mechanism)
    assert served >= {
        "kubernetes.cni",
        "tenants.*.name",
        "storage.classes.*.name",
        "backup.etcd.to",
        "monitoring.nodeMetrics",
    }


def test_a_path_that_a_target_may_choose_exists() -> None:
    for addon in ALL:
        for entry in addon.mechanism:
            name, _, path = entry.partition(":")
            bodies = [flat(body(thing)) for thing in addon.objects if thing.name == name]
            assert any(found == path or found.startswith((f"{path}.", f"{path}[")) for b in bodies for found in b), (
                entry
            )


def test_the_api_s_address_is_a_choice_of_the_target_wherever_it_stands() -> None:
    places = [(a, thing, path) for a, thing, path, value in leaves(ALL) if "endpoint" in refs(value) and a.common]
    assert {a.name for a, _, _ in places} == {"cilium", "etcd-backup", "velero"}
    assert all(chosen(*place) for place in places)


def test_secrets_are_never_values() -> None:
    for addon, thing, path, value in leaves(ALL):
        last = re.split(r"[.\]]", path)[-1].lower()
        if isinstance(thing, Manifest) and thing.kind == "Secret" and path.startswith("stringData."):
            assert refs(value), (addon.name, path)
        if last in {"password", "username", "apikey", "token", "cloud"}:
            assert refs(value), (addon.name, path)
        if isinstance(value, Template):
            # Whatever is secret comes in from outside: the text holds fields, and no field is left over.
            assert set(re.findall(r"(?<!\{)\{(\w+)\}(?!\})", value.text)) == set(value.refs), (addon.name, path)


def test_values_known_later_are_the_endpoint_the_project_or_config_keys() -> None:
    names = {name for *_, value in leaves(ALL) for name in refs(value)}
    assert {name for name in names if ":" not in name} <= {"endpoint", "project"}


def test_only_daemons_tolerate_every_taint() -> None:
    """A Deployment or Job that tolerates node.kubernetes.io/unreachable without end never leaves a dead node."""
    for addon in ALL:
        for thing in addon.objects:
            if isinstance(thing, Manifest) and thing.kind in {"Deployment", "CronJob"}:
                assert str(placement.ANY_NODE) not in str(thing.body), addon.name
