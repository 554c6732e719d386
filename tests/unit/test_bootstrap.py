"""User data: what stands in it, on which machine, and what its script does."""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from components import bootstrap, targets
from components.bootstrap import labels, versions
from components.bootstrap.kubeadm import DISCOVERY, INIT, JOIN, PKI
from components.bootstrap.late import Late
from components.bootstrap.render import REST
from components.bootstrap.script import PLATFORM, SCRIPT
from components.facts import Place
from components.plan import MachinePlan, NodePlatform, Plan
from components.planning import wanted_machines
from components.sizing import reserved_bytes, reserved_millicpus
from components.spec import MINORS, Spec
from tests.specs import rich, spec, specs

ARP = NodePlatform(cloud_provider=True, provider_id="", vip_mode="arp", vip_interface="")
BGP = NodePlatform(False, "tinkerbell://metal/host-1", "bgp", "", "10.0.0.1:65000::false,10.0.0.2:65000::false", 65010)
METADATA = NodePlatform(cloud_provider=True, provider_id="", vip_mode="bgp", vip_interface="lo", script="ask() { :; }")
PLATFORMS = (ARP, BGP, METADATA)
PLAIN = targets.raw("equinix")  # carries the text as it is
CLUSTER, NODE_ENV, KUBE_VIP = (
    f"/etc/isostack/{name}" for name in ("kubeadm/cluster.yaml", "node.env", "kube-vip.yaml")
)
SERVER = "/etc/kubernetes/apiserver"
# Where each secret may stand, and nothing else may hold it.
HOMES = {
    "ca_key": {f"{PKI}/ca.key"},
    "etcd_ca_key": {f"{PKI}/etcd/ca.key"},
    "front_proxy_ca_key": {f"{PKI}/front-proxy-ca.key"},
    "sa_key": {f"{PKI}/sa.key"},
    "encryption_key": {f"{SERVER}/encryption.yaml"},
    "token": {INIT, JOIN},
}


def plan(spec: Spec, platform: NodePlatform = ARP) -> Plan:
    wanted = wanted_machines(spec)
    places = [Place.model_validate({"host": None, "hostClass": "x", "size": w.size, "address": None}) for w in wanted]
    machines = tuple(MachinePlan(w, place, platform) for w, place in zip(wanted, places, strict=True))
    return Plan(spec, None, machines, None, (), (), (), ())


def machine(a_plan: Plan, name: str) -> MachinePlan:
    return next(m for m in a_plan.machines if m.name == name)


def document(a_plan: Plan, name: str, late: Late | None = None) -> dict[str, Any]:
    text = bootstrap.render(a_plan, machine(a_plan, name), late or Late.placeholder())
    assert text.startswith("#cloud-config\n")
    return dict(yaml.safe_load(text))


def files(a_plan: Plan, name: str, late: Late | None = None) -> dict[str, str]:
    return {file["path"]: file["content"] for file in document(a_plan, name, late)["write_files"]}


def documents(text: str) -> dict[str, dict[str, Any]]:
    return {part["kind"]: part for part in yaml.safe_load_all(text)}


def arguments(flags: list[dict[str, str]]) -> dict[str, str]:
    assert flags == sorted(flags, key=lambda flag: flag["name"])
    return {flag["name"]: flag["value"] for flag in flags}


def environment(manifest: str) -> dict[str, str]:
    (container,) = yaml.safe_load(manifest)["spec"]["containers"]
    return {entry["name"]: entry.get("value", "") for entry in container["env"]}


def server_flags(a_plan: Plan) -> dict[str, str]:
    cluster = documents(files(a_plan, "shop-control-plane-0")[CLUSTER])["ClusterConfiguration"]
    return arguments(cluster["apiServer"]["extraArgs"])


def test_people_log_in_with_their_keys_and_nobody_else() -> None:
    spec = rich()
    head = document(plan(spec), "shop-web-0")
    (user,) = head["users"]
    assert user["ssh_authorized_keys"] == list(spec.access.admins)
    assert user["lock_passwd"]
    assert not head["ssh_pwauth"]
    assert head["runcmd"] == [[SCRIPT]]
    assert "hostname" not in head


def test_only_owners_read_what_holds_secrets_and_only_the_script_runs() -> None:
    for name in ("shop-control-plane-0", "shop-web-0"):
        for file in document(plan(rich()), name)["write_files"]:
            private = file["path"].startswith((PKI, SERVER, "/etc/isostack/"))
            expected = "0755" if file["path"] == SCRIPT else "0600" if private else "0644"
            assert (file["path"], file["permissions"]) == (file["path"], expected)


def test_init_is_on_the_first_control_plane_node_alone() -> None:
    a_plan = plan(rich())
    with_init = [m.name for m in a_plan.machines if INIT in files(a_plan, m.name)]
    assert with_init == ["shop-control-plane-0"]
    assert [m.name for m in a_plan.machines if "FIRST=yes" in files(a_plan, m.name)[NODE_ENV]] == with_init
    assert all(JOIN in files(a_plan, m.name) for m in a_plan.machines)  # built anew, the first joins too


def test_kubeadm_makes_the_cluster_that_the_spec_asks_for() -> None:
    late = replace(Late.placeholder(), endpoint="10.20.40.10")
    parts = documents(files(plan(rich()), "shop-control-plane-0", late)[CLUSTER])
    cluster, kubelet = parts["ClusterConfiguration"], parts["KubeletConfiguration"]
    assert (cluster["clusterName"], cluster["kubernetesVersion"]) == ("shop", "v1.36.3")
    assert cluster["controlPlaneEndpoint"] == "10.20.40.10:6443"
    assert set(cluster["apiServer"]["certSANs"]) == {"10.20.40.10", "127.0.0.1", "localhost"}
    networks = cluster["networking"]
    assert (networks["podSubnet"], networks["serviceSubnet"]) == ("10.244.0.0/16", "10.96.0.0/16")
    assert cluster["proxy"] == {"disabled": True}
    init = documents(files(plan(rich()), "shop-control-plane-0", late)[INIT])["InitConfiguration"]
    assert init["nodeRegistration"]["criSocket"] == "unix:///run/containerd/containerd.sock"
    assert kubelet["evictionHard"] == {"memory.available": "100Mi"}
    assert kubelet["mergeDefaultEvictionSettings"]
    assert "@" not in yaml.safe_dump(cluster)  # kept in a ConfigMap for all nodes: nothing of one node may be in it


def test_workers_trust_the_ca_without_its_file() -> None:
    late = replace(Late.placeholder(), ca_crt="-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n")
    found = files(plan(rich()), "shop-web-0", late)
    assert not [path for path in found if path.startswith(PKI)]
    (cluster,), (user,) = (yaml.safe_load(found[DISCOVERY])[part] for part in ("clusters", "users"))
    assert user["user"] == {"username": "anonymous"}  # without a name kubectl would ask for one
    assert base64.b64decode(cluster["cluster"]["certificate-authority-data"]).decode() == late.ca_crt
    discovery = yaml.safe_load(found[JOIN])["discovery"]
    assert discovery == {"file": {"kubeConfigPath": DISCOVERY}, "tlsBootstrapToken": late.token}
    assert "controlPlane" not in yaml.safe_load(found[JOIN])


def test_control_plane_nodes_have_the_eight_files_that_kubeadm_wants() -> None:
    late = Late.placeholder()
    found = files(plan(rich()), "shop-control-plane-2", late)
    names = {"ca.crt", "ca.key", "etcd/ca.crt", "etcd/ca.key", "front-proxy-ca.crt", "front-proxy-ca.key"}
    assert {path for path in found if path.startswith(PKI)} == {f"{PKI}/{n}" for n in names | {"sa.key", "sa.pub"}}
    for path, field in {"ca.crt": late.ca_crt, "etcd/ca.key": late.etcd_ca_key, "sa.pub": late.sa_pub}.items():
        assert found[f"{PKI}/{path}"] == f"{field}\n"


def test_labels_taints_and_name_reach_the_kubelet() -> None:
    found = yaml.safe_load(files(plan(rich()), "shop-db-1")[JOIN])["nodeRegistration"]
    flags = arguments(found["kubeletExtraArgs"])
    labels = (
        "isostack.io/kubernetes=1.36.3,isostack.io/pool=db,isostack.io/tenant=shop,tier=data,"
        "topology.kubernetes.io/zone=b"
    )
    assert found["name"] == "shop-db-1"
    assert (flags["node-labels"], flags["node-ip"]) == (labels, "@NODE_IP@")
    assert found["taints"] == [
        {"key": "tier", "value": "data", "effect": "NoSchedule"},
        {"key": "isostack.io/tenant", "value": "shop", "effect": "NoSchedule"},
    ]


def test_the_control_plane_keeps_its_taint() -> None:
    assert "taints" not in yaml.safe_load(files(plan(rich()), "shop-control-plane-0")[INIT])["nodeRegistration"]


@pytest.mark.parametrize(
    ("key", "forbidden"),
    [
        ("tier", False),
        ("isostack.io/pool", False),
        ("topology.kubernetes.io/zone", False),
        ("node.kubernetes.io/rack", False),
        ("a.kubelet.kubernetes.io/b", False),
        ("mykubernetes.io/x", False),
        ("node-role.kubernetes.io/worker", True),
        ("node-restriction.kubernetes.io/team", True),
        ("kubernetes.io/anything", True),
        ("x.k8s.io/y", True),
    ],
)
def test_labels_that_a_kubelet_may_not_set_are_left_to_the_api(key: str, forbidden: bool) -> None:
    assert labels.forbidden_labels({key: "v"}) == ({key: "v"} if forbidden else {})
    a_plan = plan(rich({"pools.0.labels": {key: "v"}}))
    assert (f"{key}=v" in files(a_plan, "shop-web-0")[JOIN]) is not forbidden


def test_each_pool_reserves_what_sizing_takes_off() -> None:
    spec = rich()
    for pool in spec.pools:
        patch = files(plan(spec), f"shop-{pool.name}-0")["/etc/kubernetes/patches/kubeletconfiguration+strategic.yaml"]
        reserved = yaml.safe_load(patch)["kubeReserved"]
        assert reserved["cpu"] == f"{reserved_millicpus(pool.size.cpus)}m"
        assert reserved["memory"] == str(reserved_bytes(pool.size.memory))


def test_evict_after_is_the_default_toleration() -> None:
    flags = server_flags(plan(rich({"availability.evictAfter": "90s"})))
    assert flags["default-not-ready-toleration-seconds"] == flags["default-unreachable-toleration-seconds"] == "90"


@pytest.mark.parametrize("level", ["none", "metadata", "request"])
def test_audit_policy(level: str) -> None:
    a_plan = plan(rich({"access.audit": level}))
    found, flags = files(a_plan, "shop-control-plane-1"), server_flags(a_plan)
    assert (f"{SERVER}/audit.yaml" in found) is (level != "none")
    assert flags.get("audit-policy-file") == (None if level == "none" else f"{SERVER}/audit.yaml")
    assert ("audit-log-maxsize" in flags) is (level != "none")
    if level != "none":
        rules = yaml.safe_load(found[f"{SERVER}/audit.yaml"])["rules"]
        assert rules[-1] == {"level": "Metadata"}
        bodies = [i for i, rule in enumerate(rules) if rule["level"] == "Request"]
        secrets = [i for i, rule in enumerate(rules) if "secrets" in str(rule)]
        assert bool(bodies) is (level == "request")
        assert all(secrets and secrets[0] < i for i in bodies)  # the first rule that fits decides


def test_encryption_and_oidc_come_and_go_with_the_spec() -> None:
    both, none = plan(rich()), plan(rich({"access.encryptSecrets": False, "access.oidc": None, "access.audit": "none"}))
    found = files(both, "shop-control-plane-0")
    (resource,) = yaml.safe_load(found[f"{SERVER}/encryption.yaml"])["resources"]
    assert resource["providers"][0]["secretbox"]["keys"][0]["secret"] == Late.placeholder().encryption_key
    (issuer,) = yaml.safe_load(found[f"{SERVER}/authentication.yaml"])["jwt"]
    assert issuer["issuer"] == {"url": "https://login.example.com", "audiences": ["kubernetes"]}
    assert issuer["claimMappings"]["username"] == {"claim": "email", "prefix": "oidc:"}
    named = {value for value in server_flags(both).values() if value.startswith(SERVER)}
    assert named == {path for path in found if path.startswith(SERVER)}  # a flag without its file stops the server
    assert not [path for path in files(none, "shop-control-plane-0") if path.startswith(SERVER)]
    cluster = documents(files(none, "shop-control-plane-0")[CLUSTER])["ClusterConfiguration"]
    assert cluster["apiServer"]["extraVolumes"] == []
    assert set(server_flags(none)) == {"default-not-ready-toleration-seconds", "default-unreachable-toleration-seconds"}


def test_containerd_uses_the_pause_image_of_the_release() -> None:
    assert set(versions.PAUSE) == set(MINORS)
    for version, tag in (("1.34.1", "3.10.1"), ("1.36.3", "3.10.2")):
        text = files(plan(rich({"kubernetes.version": version})), "shop-web-0")["/etc/containerd/config.toml"]
        config = tomllib.loads(text)
        images, runtime = (config["plugins"][f"io.containerd.cri.v1.{name}"] for name in ("images", "runtime"))
        assert config["version"] == 3
        assert images["pinned_images"]["sandbox"] == f"registry.k8s.io/pause:{tag}"
        assert images["registry"]["config_path"] == "/etc/containerd/certs.d"
        assert runtime["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"]


def test_kube_vip_announces_the_endpoint_by_arp_or_bgp() -> None:
    arp, bgp, told = (
        environment(files(plan(rich(), platform), "shop-control-plane-0")[KUBE_VIP]) for platform in PLATFORMS
    )
    assert arp["address"] == bgp["address"] == "<endpoint>"
    assert (arp["vip_arp"], arp["vip_leaderelection"]) == ("true", "true")
    assert arp["vip_interface"] == ""  # kube-vip finds it
    assert {arp[name] for name in arp if name.startswith("bgp_") and name != "bgp_enable"} == {""}
    assert (arp["bgp_enable"], bgp["bgp_enable"], bgp["vip_arp"]) == ("false", "true", "false")
    assert bgp["bgp_peers"] == BGP.bgp_peers
    assert (bgp["bgp_as"], bgp["bgp_sourceip"], bgp["vip_interface"]) == ("65010", "@NODE_IP@", "lo")
    assert bgp["control_plane_health_check_address"] == "https://kubernetes:6443/livez"
    assert (told["bgp_peers"], told["bgp_as"]) == ("@BGP_PEERS@", "@BGP_AS@")
    assert KUBE_VIP not in files(plan(rich()), "shop-web-0")


def test_targets_differ_only_in_the_provider_and_the_announcement() -> None:
    spec = rich()
    for name, expected in (
        ("shop-control-plane-0", {CLUSTER, INIT, JOIN, KUBE_VIP, PLATFORM}),
        ("shop-control-plane-1", {CLUSTER, JOIN, KUBE_VIP, PLATFORM}),
        ("shop-web-0", {JOIN}),
    ):
        one, *others = (files(plan(spec, platform), name) for platform in PLATFORMS)
        assert all(other.keys() == one.keys() for other in others)
        assert {path for path in one for other in others if other[path] != one[path]} == expected
    flags = [
        arguments(yaml.safe_load(files(plan(spec, p), "shop-web-0")[JOIN])["nodeRegistration"]["kubeletExtraArgs"])
        for p in PLATFORMS
    ]
    assert [f["cloud-provider"] for f in flags] == ["external", "", "external"]
    assert [f["provider-id"] for f in flags] == ["", BGP.provider_id, ""]


def test_facts_are_equal_on_every_target_and_name_what_a_change_touches() -> None:
    spec, longer = rich(), rich({"availability.evictAfter": "5m"})
    for one in plan(spec).machines:
        first, *others = (bootstrap.facts(plan(spec, p), replace(one, platform=p), PLAIN) for p in PLATFORMS)
        assert all(other.files == first.files for other in others)
        # Workers see nothing of how the API's address is announced.
        kinds = 3 if one.wanted.role == "control-plane" else 2
        assert len({first.digest, *(other.digest for other in others)}) == kinds
        assert first.files.keys() == {REST, *files(plan(spec), one.name)}
        assert all(re.fullmatch("[0-9a-f]{12}", digest) for digest in first.files.values())
        text = bootstrap.render(plan(spec), one, Late.placeholder())
        assert first.digest == first.carried == hashlib.sha256(text.encode()).hexdigest()
        after = bootstrap.facts(plan(longer), one, PLAIN)
        changed = {path for path in first.files if after.files[path] != first.files[path]}
        assert changed == ({CLUSTER} if one.wanted.role == "control-plane" else set())


def test_no_template_reads_what_is_not_its_own() -> None:
    text = bootstrap.render(plan(rich(), BGP), plan(rich(), BGP).machines[0], Late.placeholder())
    assert "{{" not in text  # Tinkerbell and cloud-init read it as a template


@settings(max_examples=40, deadline=None)
@given(specs(), st.sampled_from(PLATFORMS), st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_spec_renders_to_yaml_with_its_secrets_in_their_places(
    spec: Spec, platform: NodePlatform, claim: str
) -> None:
    if spec.access.oidc is not None:
        oidc = spec.access.oidc.model_copy(update={"username_claim": claim})
        spec = spec.model_copy(update={"access": spec.access.model_copy(update={"oidc": oidc})})
    a_plan, late = plan(spec, platform), Late.placeholder()
    for one in a_plan.machines:
        text = bootstrap.render(a_plan, one, late)
        found = {file["path"]: file["content"] for file in yaml.safe_load(text)["write_files"]}
        assert "@@" not in text.replace(claim, "")
        for field, homes in HOMES.items():
            holders = {path for path, content in found.items() if getattr(late, field) in content}
            assert holders <= (homes if one.wanted.role == "control-plane" else homes & {JOIN})
            assert text.count(getattr(late, field)) == len(holders)
        for path, content in found.items():
            if path.endswith(".yaml"):
                assert all(isinstance(part, dict) for part in yaml.safe_load_all(content))
        if one.wanted.role == "control-plane" and spec.access.oidc is not None:
            (issuer,) = yaml.safe_load(found[f"{SERVER}/authentication.yaml"])["jwt"]
            assert issuer["claimMappings"]["username"]["claim"] == claim


@pytest.mark.parametrize(
    ("pool", "field", "what"),
    [
        (
            {"labels": {"node-role.kubernetes.io/control-plane": ""}},
            "pools[0].labels.node-role.kubernetes.io/control-plane",
            "node-role.kubernetes.io/control-plane tells the control plane's nodes apart",
        ),
        (
            {"labels": {"topology.kubernetes.io/zone": "z"}},
            "pools[0].labels.topology.kubernetes.io/zone",
            "isostack sets topology.kubernetes.io/zone itself",
        ),
        (
            {"taints": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]},
            "pools[0].taints[1]",
            "the taint a:NoSchedule stands twice on each node",
        ),
    ],
)
def test_what_a_node_cannot_be_born_with(pool: dict[str, Any], field: str, what: str) -> None:
    wish = spec({f"pools.0.{key}": value for key, value in pool.items()})
    assert [(p.field, p.what) for p in labels.problems(wish)] == [(field, what)]


def test_labels_and_taints_of_the_shop_are_sound() -> None:
    assert list(labels.problems(rich())) == []


def test_the_first_node_built_anew_joins_and_makes_no_second_cluster() -> None:
    a_plan = plan(rich())
    first = a_plan.machines[0]
    anew = replace(first, place=first.place.model_copy(update={"generation": 2}))
    assert "FIRST=yes" in bootstrap.render(a_plan, first, Late.placeholder())
    assert "FIRST=no" in bootstrap.render(a_plan, anew, Late.placeholder())
    assert bootstrap.facts(a_plan, anew, PLAIN).files == bootstrap.facts(a_plan, first, PLAIN).files
