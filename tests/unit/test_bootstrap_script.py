"""The boot script, run with stand-ins for every tool of the machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from components import bootstrap, targets
from components.bootstrap.late import Late
from components.bootstrap.script import PLATFORM, SCRIPT
from components.plan import NodePlatform, Outside
from tests.specs import rich
from tests.unit.test_bootstrap import ARP, BGP, METADATA, machine, plan

# Each call is written down. What a tool answers lies in files that a test makes: `api` says that the API is up,
# `joined` that the node is in the cluster, `fail-<tool>-<verb>` how often that call fails first, `lease` who holds it.
STUB = r"""#!/bin/bash
tool=${0##*/} S=@ROOT@
printf '%s %s\n' "$tool" "$*" >>"$S/calls"
printf '%s %s\n' "$tool" "${https_proxy:-none} ${no_proxy:-none}" >>"$S/proxies"
verb=$1
count="$S/fail-$tool-$verb"
if [[ -s $count ]]; then
  left=$(<"$count")
  ((left > 1)) && echo $((left - 1)) >"$count" || rm "$count"
  exit 1
fi
case "$tool $*" in
  "kubeadm version"*) [[ -e $S/installed ]] && echo v1.36.3 ;;
  "kubeadm init"* | "kubeadm join"*)
    cp "$S/etc/kubernetes/manifests/kube-vip.yaml" "$S/vip-at-$verb" 2>/dev/null
    touch "$S/api" "$S/joined" "$S/etc/kubernetes/kubelet.conf" ;;
  "kubeadm kubeconfig"*) echo admin ;;
  "kubelet --version") [[ -e $S/installed ]] && echo "Kubernetes v1.36.3" ;;
  "containerd --version") [[ -e $S/installed ]] && echo "containerd github.com/containerd/containerd/v2 v2.3.2 abc" ;;
  "kubectl "*"get --raw"*) [[ -e $S/api ]] ;;
  "kubectl "*"get node"*) [[ -e $S/joined ]] && echo '{"node-role.kubernetes.io/control-plane":""}' ;;
  "kubectl "*"create"*) cat >"$S/created"; [[ ! -e $S/lease ]] ;;
  "kubectl "*"get lease"*) cat "$S/lease" ;;
  "kubectl "*"replace"*) cat >"$S/replaced" ;;
  "kubectl "*"delete lease"*) rm -f "$S/lease" ;;
  "dpkg --status"*) [[ -e $S/installed ]] ;;
  "timedatectl"*) echo yes ;;
  "ip -4"*) echo "192.0.2.1 via 10.0.0.1 dev eth0 src 10.0.0.11 uid 0" ;;
  "uname -n") echo any ;;
  "timeout "*) shift; exec "$@" ;;
  "curl "*metadata*) cat "$S/metadata" ;;
  "curl "*) while [[ $1 != --output ]]; do shift; done; echo key >"$2" ;;
  "sleep "*) rm -f "$S/lease" ;;
esac
"""
TOOLS = (
    *("apt-get", "apt-mark", "containerd", "crictl", "ctr", "curl", "dpkg", "ip", "kubeadm", "kubectl", "kubelet"),
    *("modprobe", "sleep", "swapoff", "sysctl", "systemctl", "timedatectl", "timeout", "uname"),
)

NOWHERE = Outside()


@dataclass(frozen=True)
class Machine:
    """A directory that stands for a machine's root."""

    root: Path

    def run(self) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.root}/bin:{os.environ['PATH']}"}
        script = str(self.root) + SCRIPT
        return subprocess.run(
            ["bash", script], env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def calls(self, start: str) -> list[str]:
        lines = (self.root / "calls").read_text().splitlines()
        return [line for line in lines if line.startswith(start)]

    def put(self, name: str, text: str = "") -> None:
        (self.root / name).write_text(text)

    def has(self, name: str) -> bool:
        return (self.root / name).exists()

    def text(self, name: str) -> str:
        return (self.root / name).read_text()


def boot(
    root: Path, name: str, platform: NodePlatform = ARP, *, installed: bool = True, outside: Outside = NOWHERE
) -> Machine:
    """What cloud-init leaves, below `root`, and the stand-ins before everything else on the path."""
    a_plan = replace(plan(rich(), platform), outside=outside)
    late = replace(Late.placeholder(), endpoint="10.20.40.10")
    for file in yaml.safe_load(bootstrap.render(a_plan, machine(a_plan, name), late))["write_files"]:
        path = root / file["path"].lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file["content"])
    for script in (root / path.lstrip("/") for path in (SCRIPT, PLATFORM)):
        if script.exists():
            script.write_text(re.sub(r"(?<![\w/.-])/(etc|var|run)/", rf"{root}/\1/", script.read_text()))
    for folder in (
        "bin",
        "var/lib",
        "var/log",
        "run",
        "etc/kubernetes",
        "etc/systemd/system",
        "etc/apt/sources.list.d",
    ):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for tool in TOOLS:
        (root / "bin" / tool).write_text(STUB.replace("@ROOT@", str(root)))
        (root / "bin" / tool).chmod(0o755)
    (root / "etc/os-release").write_text("ID=ubuntu\nVERSION_CODENAME=noble\n")
    (root / "etc/fstab").write_text("/dev/sda1 / ext4 defaults 0 1\n/swap.img none swap sw 0 0\n")
    (root / "var/lib/isostack").mkdir()
    a_machine = Machine(root)
    if installed:
        a_machine.put("installed")
    return a_machine


def test_the_first_node_makes_the_cluster_once(tmp_path: Path) -> None:
    node = boot(tmp_path, "shop-control-plane-0")
    assert node.run().returncode == 0
    (init,) = node.calls("kubeadm init")
    assert "--skip-token-print" in init
    assert "ignore-preflight" not in init
    assert "super-admin.conf" in node.text("vip-at-init")  # before init nobody else may take the lease
    assert "super-admin.conf" not in node.text("etc/kubernetes/manifests/kube-vip.yaml")
    config = node.text("run/isostack/init.yaml")
    kinds = [part["kind"] for part in yaml.safe_load_all(config)]
    assert kinds == ["InitConfiguration", "ClusterConfiguration", "KubeletConfiguration"]
    assert "10.0.0.11" in config
    assert "@" not in config
    assert "# /swap.img" in node.text("etc/fstab")
    assert node.has("var/lib/isostack/done")
    assert node.run().returncode == 0
    assert len(node.calls("kubeadm init")) == 1


def test_a_first_node_built_anew_joins_the_cluster_that_is_there(tmp_path: Path) -> None:
    node = boot(tmp_path, "shop-control-plane-0")
    node.put("api")
    assert node.run().returncode == 0
    assert node.calls("kubeadm init") == []
    assert len(node.calls("kubeadm join")) == 1


def test_a_failed_init_is_repeated_and_nothing_is_deleted(tmp_path: Path) -> None:
    node = boot(tmp_path, "shop-control-plane-0")
    node.put("fail-kubeadm-init", "2")
    assert node.run().returncode == 0
    first, *others = node.calls("kubeadm init")
    assert len(others) == 2
    assert "ignore-preflight" not in first
    assert all("DirAvailable--var-lib-etcd" in call and "Port-6443" in call for call in others)
    assert node.calls("kubeadm reset") == []


def test_an_init_that_broke_off_is_taken_up_although_its_api_answers(tmp_path: Path) -> None:
    node = boot(tmp_path, "shop-control-plane-0")
    node.put("fail-kubeadm-init", "99")
    assert node.run().returncode == 1
    assert node.text("var/lib/isostack/failed").strip() == "cluster"
    node.put("api")
    (node.root / "fail-kubeadm-init").unlink()
    assert node.run().returncode == 0
    assert node.calls("kubeadm join") == []
    assert not node.has("var/lib/isostack/failed")


@pytest.mark.parametrize("platform", [ARP, BGP])
def test_a_control_plane_node_joins_in_its_turn_and_announces_afterwards(
    tmp_path: Path, platform: NodePlatform
) -> None:
    node = boot(tmp_path, "shop-control-plane-1", platform)
    node.put("api")
    assert node.run().returncode == 0
    steps = [re.search(r"kubeadm (join)|kube-system .* (create|delete)", call) for call in node.calls("kube")]
    order = [step[1] or step[2] for step in steps if step]
    assert order == ["create", "join", "delete"]
    assert yaml.safe_load(node.text("created"))["spec"]["holderIdentity"] == "shop-control-plane-1"
    assert not node.has("vip-at-join")
    manifest = node.text("etc/kubernetes/manifests/kube-vip.yaml")
    assert yaml.safe_load(manifest)["spec"]["volumes"][0]["hostPath"]["path"].endswith("admin.conf")
    assert ("10.0.0.11" in manifest) is (platform is BGP)
    assert "@" not in manifest


def test_a_turn_that_another_holds_is_waited_for(tmp_path: Path) -> None:
    node = boot(tmp_path, "shop-control-plane-1")
    node.put("api")
    node.put("lease", "shop-control-plane-2 2999-01-01T00:00:00.000000Z 7\n")
    assert node.run().returncode == 0
    assert not node.has("replaced")
    assert len(node.calls("kubeadm join")) == 1


def test_a_turn_whose_holder_died_is_taken_over_by_version(tmp_path: Path) -> None:
    node = boot(tmp_path, "shop-control-plane-1")
    node.put("api")
    node.put("lease", "shop-control-plane-2 2020-01-01T00:00:00.000000Z 7\n")
    assert node.run().returncode == 0
    lease = yaml.safe_load(node.text("replaced"))
    assert (lease["metadata"]["resourceVersion"], lease["spec"]["holderIdentity"]) == ("7", "shop-control-plane-1")


@pytest.mark.parametrize(("name", "keeps_keys"), [("shop-control-plane-1", True), ("shop-web-0", False)])
def test_a_failed_join_is_cleared_away_and_repeated(tmp_path: Path, name: str, keeps_keys: bool) -> None:
    node = boot(tmp_path, name)
    node.put("api")
    node.put("fail-kubeadm-join", "1")
    assert node.run().returncode == 0
    (reset,) = node.calls("kubeadm reset")
    assert ("--cert-dir" in reset) is keeps_keys
    assert len(node.calls("kubeadm join")) == 2


def test_a_worker_takes_no_turn_and_installs_what_the_image_lacks(tmp_path: Path) -> None:
    node = boot(tmp_path, "shop-web-0", installed=False)
    node.put("api")
    assert node.run().returncode == 0
    installs = " ".join(node.calls("apt-get"))
    assert "containerd.io=2.3.*" in installs
    assert "kubelet=1.36.3-*" in installs
    assert "v1.36/deb/" in node.text("etc/apt/sources.list.d/kubernetes.list")
    assert not [call for call in node.calls("kubectl") if "lease" in call]
    assert not node.has("etc/kubernetes/manifests/kube-vip.yaml")


def test_a_proxy_is_for_downloads_and_not_for_kubeadm(tmp_path: Path) -> None:
    """Which would write it into its static pods."""
    proxy = "http://proxy.example.com:3128"
    node = boot(tmp_path, "shop-control-plane-0", installed=False, outside=Outside(https_proxy=proxy))
    assert node.run().returncode == 0
    seen = {line.split(" ", 1)[0]: line.split(" ", 1)[1] for line in node.text("proxies").splitlines()}
    assert seen.pop("curl").startswith(f"{proxy} localhost,")
    assert set(seen.values()) == {"none none"}
    reload, restart = (
        node.calls("systemctl").index(f"systemctl {verb}") for verb in ("daemon-reload", "restart containerd")
    )
    assert reload < restart


def test_an_image_that_has_everything_installs_nothing(tmp_path: Path) -> None:
    node = boot(tmp_path, "shop-web-0")
    node.put("api")
    assert node.run().returncode == 0
    assert node.calls("apt-get") == []
    assert node.calls("curl") == []


def test_a_failure_names_its_step_and_the_next_run_goes_on(tmp_path: Path) -> None:
    node = boot(tmp_path, "shop-web-0")
    node.put("api")
    node.put("fail-sysctl---quiet", "1")
    assert node.run().returncode != 0
    assert node.text("var/lib/isostack/failed") == "kernel\n"
    assert "kernel: failed with exit status 1" in node.text("var/log/isostack-bootstrap.log")
    assert node.run().returncode == 0
    assert node.has("var/lib/isostack/done")


def test_no_api_ends_the_wait(tmp_path: Path) -> None:
    node = boot(tmp_path, "shop-web-0")
    script = node.root / SCRIPT.lstrip("/")
    script.write_text(script.read_text().replace("WAIT_SECONDS=5400", "WAIT_SECONDS=0"))
    result = node.run()
    assert result.returncode == 1
    assert "no API at 10.20.40.10:6443" in result.stdout


@pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq")
def test_routers_are_read_from_the_platform_where_only_it_knows_them(tmp_path: Path) -> None:
    ask = (Path(targets.folder("equinix")) / "bgp.sh").read_text("utf-8")
    node = boot(tmp_path, "shop-control-plane-0", replace(METADATA, script=ask))
    node.put(
        "metadata",
        '{"bgp_neighbors": [{"customer_as": 65000, "customer_ip": "10.9.8.7", "peer_as": 65530, "md5_password": null,'
        ' "peer_ips": ["169.254.255.1", "169.254.255.2"]}], "network": {"addresses": ['
        '{"public": true, "address_family": 4, "gateway": "1.2.3.4"},'
        ' {"public": false, "address_family": 4, "gateway": "10.9.8.6"}]}}',
    )
    result = node.run()
    assert result.returncode == 0, result.stdout
    manifest = node.text("etc/kubernetes/manifests/kube-vip.yaml")
    assert "169.254.255.1:65530::true,169.254.255.2:65530::true" in manifest
    assert manifest.count("10.9.8.7") == 2
    routes = node.text("etc/systemd/system/isostack-bgp-routes.service")
    assert "ip route replace 169.254.255.2 via 10.9.8.6" in routes


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="needs shellcheck")
def test_shellcheck_finds_nothing() -> None:
    script = Path(bootstrap.__file__).with_name("bootstrap.sh")
    result = subprocess.run(["shellcheck", str(script)], capture_output=True, text=True, check=False)
    assert result.stdout == ""
