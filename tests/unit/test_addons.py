"""Add-ons: what each spec gets on each target."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import addons, realise, targets
from components.addons import cilium, etcd_backup, load_balancer, placement
from components.equinix import addons as equinix_addons
from components.plan import Addon, Manifest, Ref, Template
from components.spec import MINORS, Spec
from components.target import MetalLoadBalancer
from components.tinkerbell import addons as tinkerbell_addons
from components.tinkerbell.config import BgpPeer, Vip
from components.tinkerbell.config import Config as Tinkerbell
from components.vsphere import addons as vsphere_addons
from components.vsphere.config import Config as VSphere
from tests.addons import (
    by_name,
    equinix,
    everything,
    objects,
    rule_of,
    vsphere,
    wishing,
)
from tests.configs import config_for
from tests.specs import SMALLEST, rich, spec

QUOTA = {"tenants.1.quota": {"cpu": "12", "memory": "48Gi"}}


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
        "reboots",
        "rebalance",
        "upgrades",
        "upgrade-plans",
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


@pytest.mark.parametrize("kind", targets.kinds())
def test_pods_are_kept_from_what_gives_user_data_to_the_network(kind: str) -> None:
    """And from nothing else: a policy that only denies would otherwise deny all."""
    wish = rich()
    config = config_for(kind, wish)
    found = by_name(addons.common(wish, config)).get(cilium.WALL)
    asked = {"vsphere": [], "equinix": ["192.80.8.124/32"], "tinkerbell": ["10.0.0.30/32"]}[kind]
    assert (found is None) == (not asked)
    if found is not None:
        (policy,) = objects(found).values()
        assert isinstance(policy, Manifest)
        spec = policy.body["spec"]
        assert spec["egressDeny"] == [{"toCIDR": asked}]
        assert spec["endpointSelector"] == {}
        assert spec["enableDefaultDeny"] == {"egress": False}
        assert (found.after, found.common) == ((cilium.NAME,), False)


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
    assert [p.body["spec"] for p in denied] == [{"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}] * 2


def test_a_tenant_s_quota_counts_pods_that_ask_for_nothing_too() -> None:
    (quota,) = (
        t for t in by_name(addons.common(rich(QUOTA), vsphere()))["tenants"].objects if t.kind == "ResourceQuota"
    )
    (limit,) = (t for t in by_name(addons.common(rich(QUOTA), vsphere()))["tenants"].objects if t.kind == "LimitRange")
    assert (quota.namespace, limit.namespace) == ("partner", "partner")
    assert quota.body == {"spec": {"hard": {"requests.cpu": "12", "requests.memory": "48Gi"}}}
    assert limit.body["spec"]["limits"][0]["defaultRequest"].keys() == {"cpu", "memory"}


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
    bucket.mkdir()
    tools.mkdir()
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


@pytest.mark.parametrize("kind", ["vsphere", "equinix"])
def test_the_cloud_provider_comes_first_and_the_network_before_the_rest(kind: str) -> None:
    provider, network, *rest = everything(rich(), kind)
    assert (provider.name, provider.after) in [("vsphere-cpi", ()), ("cloud-provider-equinix-metal", ())]
    assert network.name == "cilium"
    assert "storage-classes" in {addon.name for addon in rest}


def test_an_add_on_that_waits_for_nothing_that_is_there_is_a_fault() -> None:
    with pytest.raises(KeyError, match="nowhere"):
        addons.in_order((Addon(name="a", serves=(), objects=(), after=("nowhere",)),))


def cloud_config(config: VSphere) -> dict[str, Any]:
    """What vSphere's cloud provider reads."""
    data = objects(*vsphere_addons.addons(rich(), config))["ConfigMap", "cloud-config"].body["data"]
    found: dict[str, Any] = yaml.safe_load(data["vsphere.conf"])
    return found


def test_the_addresses_of_the_api_and_of_services_never_become_a_node_s() -> None:
    config = vsphere({"loadBalancer": {"provider": "metallb", "addresses": "10.20.41.30-10.20.41.34"}})
    kept = f"{config.endpoint}/32,10.20.41.30/31,10.20.41.32/31,10.20.41.34/32"
    assert set(cloud_config(config)["nodes"].values()) == {kept}
    config = vsphere({"loadBalancer": {"provider": "none"}})
    assert set(cloud_config(config)["nodes"].values()) == {f"{config.endpoint}/32"}


@pytest.mark.parametrize("minor", MINORS)
def test_vsphere_s_cloud_provider_is_of_the_minor_of_kubernetes(minor: int) -> None:
    wish = rich({"kubernetes.version": f"1.{minor}.0"})
    values = objects(*vsphere_addons.addons(wish, vsphere()))["Release", "vsphere-cpi"].values
    newest = min(minor, 36)  # the last that is released
    assert values["daemonset"]["tag"].startswith(f"v1.{newest}.")


def test_vsphere_s_cloud_provider_finds_its_vcenter_and_its_secret() -> None:
    found, config = objects(*vsphere_addons.addons(rich(), vsphere())), cloud_config(vsphere())
    ((server, place),) = config["vcenter"].items()
    assert place == {"server": server, "datacenters": [vsphere().datacenter]}
    secret = found["Secret", config["global"]["secretName"]]
    assert isinstance(secret, Manifest)
    assert secret.namespace == config["global"]["secretNamespace"]
    assert set(secret.body["stringData"]) == {f"{server}.username", f"{server}.password"}


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
        template = found["Secret", "metal-cloud-config"].body["stringData"]["cloud-sa.json"]
        assert isinstance(template, Template)
        return template

    existing = "12345678-1234-1234-1234-123456789abc"
    assert set(text(existing).refs) == {"token"}
    filled = yaml.safe_load(text(existing).text.format(token="t"))
    assert (filled["apiKey"], filled["projectID"]) == ("t", existing)
    assert text("shop").refs["project"] == Ref("project")


def tinkerbell(vip: Vip, provider: str) -> Tinkerbell:
    balancer = MetalLoadBalancer(provider=provider, addresses="10.20.41.16-10.20.41.47")
    parts: dict[str, Any] = {"vip": vip, "load_balancer": balancer}
    return Tinkerbell.model_construct(**parts)


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


def test_a_tenants_pods_reach_no_other_tenants_nodes() -> None:
    found = objects(*addons.common(rich(), vsphere()))
    policy = found["ValidatingAdmissionPolicy", "tenant-nodes"].body["spec"]
    binding = found["ValidatingAdmissionPolicyBinding", "tenant-nodes"].body["spec"]
    assert (binding["policyName"], policy["failurePolicy"]) == ("tenant-nodes", "Fail")
    assert binding["validationActions"] == ["Deny"]
    (selector,) = binding["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert selector["key"] in found["Namespace", "partner"].body["metadata"]["labels"]
    assert [v["expression"].count("isostack.io/tenant") for v in policy["validations"]] == [3, 0]


def test_nodes_restart_within_the_hours_of_the_spec() -> None:
    found = by_name(addons.common(rich({"availability.remediation": False, "kubernetes.upgrades": None}), vsphere()))
    values = objects(found["reboots"])["Release", "kured"].values
    assert values["configuration"] | {"period": ""} == {
        "rebootDays": ["sat", "sun"],
        "startTime": "02:00",
        "endTime": "05:00",
        "timeZone": "UTC",
        "period": "",
        "blockingPodSelector": ["upgrade.cattle.io/plan"],
    }
    assert values["tolerations"] == [{"operator": "Exists"}]
    assert "reboots" not in by_name(addons.common(rich({"availability.reboots": None}), vsphere()))


def test_pods_are_moved_where_the_spec_wants_it() -> None:
    found = by_name(addons.common(rich(), vsphere()))
    (profile,) = objects(found["rebalance"])["Release", "descheduler"].values["deschedulerPolicy"]["profiles"]
    configured = {plugin["name"]: plugin.get("args", {}) for plugin in profile["pluginConfig"]}
    assert configured.keys() == {"DefaultEvictor", *profile["plugins"]["balance"]["enabled"]}
    assert configured["DefaultEvictor"]["podProtections"] == {"extraEnabled": ["PodsWithPVC"]}
    assert "rebalance" not in by_name(addons.common(rich({"availability.rebalance": False}), vsphere()))
