"""The upgrade script, as a job's container starts it, with stand-ins for every tool of the node."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.addons import reboots, upgrades
from components.addons.remediation import EXCLUDE
from components.plan import RELEASE, Release
from tests.addons import body, objects, vsphere
from tests.specs import rich

NEW, OLD = "1.36.3", "1.35.7"
WINDOW = {"days": ["sat"], "start": "02:00", "end": "05:00"}
# Each call is written down. What a tool answers lies in files: `kubeadm` and `kubelet` hold the version installed,
# `running` that of the kubelet as its Node tells it, `cluster` that of kubeadm's ConfigMap, `behind` the control-plane
# nodes without the label, `others` the states of all of them with commas between, `lock` kured's, a line for each
# answer; `label` and `annotation` those of the node; `fail-<tool>-<verb>` how often that call fails first.
STUB = r"""#!/bin/bash
tool=${0##*/} S=@ROOT@
[[ $tool != nsenter ]] || { shift 4; exec "$@"; }
printf '%s %s\n' "$tool" "$*" >>"$S/calls"
printf '%s %s\n' "$tool" "${https_proxy:-none}" >>"$S/proxies"
[[ $tool == cat ]] || printf '%s\n' "${TOKEN:-}" >>"$S/tokens"
count="$S/fail-$tool-$1"
if [[ -s $count ]]; then
  left=$(<"$count")
  ((left > 1)) && echo $((left - 1)) >"$count" || rm "$count"
  [[ $tool == dpkg ]] && exit 2 || exit 1
fi
answer() { head -n 1 "$S/$1" | tr , '\n'; sed -i 1d "$S/$1"; }
case "$tool $*" in
  "kubeadm version"*) echo "v$(<"$S/kubeadm")" ;;
  "kubeadm upgrade apply"*)
    if [[ -e $S/breaks ]]; then rm "$S/breaks"; echo "$3" >"$S/cluster"; exit 1; fi
    echo "$3" >"$S/cluster" ;;
  "kubelet --version") echo "Kubernetes v$(<"$S/kubelet")" ;;
  "kubectl "*"get configmap kubeadm-config"*) printf 'kind: x\nkubernetesVersion: %s\n' "$(<"$S/cluster")" ;;
  "kubectl "*"get nodes"*"--output name"*) cp "$2" "$S/as-pod"; answer behind ;;
  "kubectl "*"get nodes"*) answer others ;;
  "kubectl "*"get daemonset kured"*) answer lock ;;
  "kubectl "*"get node "*labels*) cat "$S/label" ;;
  "kubectl "*"get node "*annotations*) cat "$S/annotation" ;;
  "kubectl "*"patch node "*null*) : >"$S/label"; : >"$S/annotation" ;;
  "kubectl "*"patch node "*) printf true >"$S/label"; printf x >"$S/annotation" ;;
  "kubectl "*"get node "*) echo "v$(<"$S/running") True" ;;
  "kubectl "*"get --raw /readyz"*) ;;
  "apt-get "*" install "*--download-only*) ;;
  "apt-get "*" install "*)
    for word in "$@"; do
      [[ $word == kube*=* ]] && word=${word%-\*} && echo "${word#*=}" >"$S/${word%%=*}"
    done; true ;;
  "systemctl restart kubelet") cp "$S/kubelet" "$S/running" ;;
  "curl "*) while [[ $1 != --output ]]; do shift; done; echo key >"$2" ;;
  "sleep "*) [[ ! -e $S/stale ]] || rm "$S/stale" ;;
  "cat /var/run/secrets"*) echo t0ken ;;
  "cat "*) exec /bin/cat "$@" ;;
  "cat") exec /bin/cat ;;
esac
"""
TOOLS = (
    *("apt-get", "apt-mark", "cat", "curl", "dpkg", "kubeadm", "kubectl", "kubelet", "nsenter", "sleep", "systemctl"),
)
APPLY = f"kubeadm upgrade apply v{NEW} --yes --ignore-preflight-errors CreateJob --patches"
NODE = "kubeadm upgrade node"


@dataclass(frozen=True)
class Machine:
    """A directory that stands for a node's root."""

    root: Path

    def run(self, step: str, fenced: bool = True) -> subprocess.CompletedProcess[str]:
        """As the controller's job does: the command of the Plan's container, with the paths of this directory."""
        command, variables = container(step, fenced)
        environment = {name: self._here(value) for name, value in variables.items()}
        environment |= {"PATH": f"{self.root}/bin:{os.environ['PATH']}", "SYSTEM_UPGRADE_PLAN_LATEST_VERSION": NEW}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def _here(self, text: str) -> str:
        return re.sub(r"(?<![\w/.-])/(etc|var/l|run)", rf"{self.root}/\1", text)

    def calls(self, start: str) -> list[str]:
        lines = (self.root / "calls").read_text().splitlines()
        return [line for line in lines if line.startswith(start)]

    def put(self, name: str, text: str = "") -> None:
        (self.root / name).write_text(text)

    def has(self, name: str) -> bool:
        return (self.root / name).exists()

    def text(self, name: str) -> str:
        return (self.root / name).read_text().strip()


def container(step: str, fenced: bool) -> tuple[list[str], dict[str, str]]:
    """The command of a Plan's container, and its variables."""
    wish = rich({"availability.remediation": fenced})
    made = {key: body(thing) for key, thing in objects(*upgrades.addons(wish, vsphere())).items()}
    container = made["Plan", "workers"]["spec"][{"check": "prepare", "upgrade": "upgrade"}[step]]
    (variables,) = (each["configMapRef"]["name"] for each in container["envFrom"])
    return container["command"], made["ConfigMap", variables]["data"]


def node(root: Path, role: str, version: str = OLD) -> Machine:
    for folder in ("bin", "etc/isostack", "etc/kubernetes", "etc/apt/sources.list.d", "var/log", "var/lib", "run"):
        (root / folder).mkdir(parents=True)
    for tool in TOOLS:
        (root / "bin" / tool).write_text(STUB.replace("@ROOT@", str(root)))
        (root / "bin" / tool).chmod(0o755)
    (root / "etc/isostack/node.env").write_text(
        f"NODE_NAME=shop-any-0\nROLE={role}\nENDPOINT=10.20.40.10\nAPI_PORT=6443\nKUBERNETES_VERSION=1.34.1\n"
    )
    made = Machine(root)
    for name in ("kubeadm", "kubelet", "running"):
        made.put(name, version)
    made.put("cluster", f"v{version}")
    for name in ("behind", "others", "lock", "label", "annotation", "calls"):
        made.put(name)
    return made


@pytest.mark.parametrize(
    ("role", "cluster", "does"),
    [
        ("control-plane", OLD, APPLY),
        ("control-plane", NEW, f"{NODE} --ignore-preflight-errors CreateJob --patches"),
        ("worker", NEW, f"{NODE} --patches"),
    ],
)
def test_a_node_comes_to_the_release(tmp_path: Path, role: str, cluster: str, does: str) -> None:
    here = node(tmp_path, role)
    here.put("cluster", f"v{cluster}")
    for step in ("check", "upgrade"):
        done = here.run(step)
        assert done.returncode == 0, done.stdout
    assert [call.startswith(does) for call in here.calls("kubeadm upgrade")] == [True]
    assert here.calls("kubeadm upgrade")[0].endswith("/etc/kubernetes/patches")
    first, second, third = (call for call in here.calls("apt-get") if " install " in call)
    assert f"kubeadm={NEW}-*" in first
    assert "kubelet=" not in first
    assert f"--download-only kubelet={NEW}-* kubectl={NEW}-*" in second
    assert f"kubelet={NEW}-* kubectl={NEW}-*" in third
    assert "--download-only" not in third
    order = [each.split()[0:2] for each in here.calls("")]
    assert order.index(["kubeadm", "upgrade"]) < order.index(["systemctl", "restart"])
    assert "v1.36/deb" in here.text("etc/apt/sources.list.d/kubernetes.list")
    assert here.calls("apt-mark hold kubeadm kubectl kubelet")
    assert [here.text(name) for name in ("kubeadm", "kubelet", "running")] == [NEW] * 3
    assert f"the node has Kubernetes {NEW}" in here.text("var/log/isostack-upgrade.log")


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    here = node(tmp_path, "worker", NEW)
    assert here.run("upgrade").returncode == 0
    assert here.run("check").returncode == 0
    assert here.calls("apt-get") == here.calls("curl") == []
    assert len(here.calls(NODE)) == 1
    assert here.calls("systemctl restart kubelet")


@pytest.mark.parametrize("step", ["check", "upgrade"])
@pytest.mark.parametrize(
    ("version", "what"),
    [
        ("1.36.4", "a node never goes back. Write 1.36.4 or later there"),
        ("1.37.0", "a node never goes back"),
        ("1.34.9", "Let the spec say 1.35.x first, and 1.36.3 once all nodes have that"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_touched(tmp_path: Path, version: str, what: str, step: str) -> None:
    here = node(tmp_path, "control-plane", version)
    done = here.run(step)
    assert done.returncode == 1
    assert what in done.stdout.replace("\n", " ")
    assert (step == "check") == ("this node has not been drained" in done.stdout)
    assert "The job tries 6 times" in done.stdout
    assert {call for call in here.calls("") if not call.startswith("cat")} == {"kubelet --version"}


def test_a_worker_waits_for_the_whole_control_plane(tmp_path: Path) -> None:
    here = node(tmp_path, "worker")
    here.put("behind", "node/shop-control-plane-1\nnode/shop-control-plane-2\n")
    here.put("fail-kubectl---kubeconfig", "1")
    done = here.run("check")
    assert done.returncode == 0, done.stdout
    assert "waiting for the control plane: no answer" in done.stdout
    assert "waiting for the control plane: node/shop-control-plane-2" in done.stdout
    asked = [call for call in here.calls("kubectl") if "--output name" in call]
    assert len(asked) == 4
    assert f"--selector node-role.kubernetes.io/control-plane,{RELEASE}!={NEW}" in asked[0]
    seen = here.text("as-pod")
    assert 'token: "t0ken"' in seen
    assert "https://10.20.40.10:6443" in seen
    assert not here.has("run/isostack/upgrade.conf")
    assert "t0ken" not in here.text("var/log/isostack-upgrade.log") + here.text("calls")


def test_the_control_plane_does_not_wait_for_its_own_release(tmp_path: Path) -> None:
    here = node(tmp_path, "control-plane")
    here.put("behind", "node/shop-control-plane-1\n")
    assert here.run("check").returncode == 0
    assert here.text("behind")


LOST = "shop-any-1|Unknown||,shop-any-2|True|true|node.kubernetes.io/unschedulable"
OUT = "shop-any-1|True||node-role.kubernetes.io/control-plane node.kubernetes.io/out-of-service"
WELL = "shop-any-0|False|true|node.kubernetes.io/unschedulable,shop-any-1|True||node-role.kubernetes.io/control-plane"


@pytest.mark.parametrize("role", ["control-plane", "worker"])
@pytest.mark.parametrize("step", ["check", "upgrade"])
def test_every_node_waits_until_the_others_of_the_control_plane_are_there(tmp_path: Path, step: str, role: str) -> None:
    """Its own state is nobody's concern: it is cordoned."""
    here = node(tmp_path, role)
    here.put("others", f"{LOST}\n{OUT}\n{WELL}\n")
    here.put("lock", '{"nodeID":"shop-web-3"}\n\n')
    done = here.run(step)
    assert done.returncode == 0, done.stdout
    told = [line.split(": ", 2)[1:] for line in done.stdout.splitlines() if ": waiting for" in line]
    rest = "waiting for the rest of the control plane"
    assert told == [
        [rest, "shop-any-1 is not Ready, shop-any-2 is cordoned"],
        [rest, "shop-any-1 is out of service"],
        ["waiting for kured, which holds its lock", '{"nodeID":"shop-web-3"}'],
    ]
    assert here.calls("sleep") == ["sleep 60"] * 3
    last = max(i for i, call in enumerate(here.calls("")) if "get daemonset kured" in call)
    assert all(call in here.calls("")[last:] for call in here.calls("kubeadm upgrade"))


def test_the_lock_that_is_looked_at_is_that_of_kured(tmp_path: Path) -> None:
    here = node(tmp_path, "worker")
    assert here.run("check").returncode == 0
    (addon,) = reboots.addons(rich({"availability.reboots": WINDOW}), vsphere())
    (release,) = (thing for thing in addon.objects if isinstance(thing, Release))
    (asked,) = (call for call in here.calls("kubectl") if "daemonset" in call)
    assert f"--namespace {release.namespace} get daemonset {release.name} " in asked


def test_what_cannot_be_fetched_costs_no_drain(tmp_path: Path) -> None:
    here = node(tmp_path, "control-plane")
    here.put("fail-kubeadm-config", "9")
    done = here.run("check")
    assert (done.returncode, "this node has not been drained" in done.stdout) == (1, True)
    assert here.calls("kubeadm config") == [f"kubeadm config images pull --kubernetes-version v{NEW}"] * 5
    here.put("fail-kubeadm-config", "")
    here.put("fail-curl--fsSL", "9")
    here.put("kubelet", OLD)
    assert here.run("check").returncode == 1
    assert here.text("label") == ""


def test_on_the_drained_node_no_repository_is_asked_for(tmp_path: Path) -> None:
    here = node(tmp_path, "control-plane")
    assert here.run("check").returncode == 0
    here.put("calls")
    assert here.run("upgrade").returncode == 0
    assert here.calls("curl") == here.calls("kubeadm config") == []
    assert not any(call.endswith(" update") for call in here.calls("apt-get"))
    assert here.calls(APPLY)


@pytest.mark.parametrize("step", ["check", "upgrade"])
def test_dpkg_is_waited_for(tmp_path: Path, step: str) -> None:
    """Another one that holds the lock of dpkg's frontend ends it at once."""
    here = node(tmp_path, "worker")
    here.put("fail-dpkg---force-confdef", "3")
    done = here.run(step)
    assert done.returncode == 0, done.stdout
    assert here.calls("dpkg") == ["dpkg --force-confdef --force-confold --configure -a"] * 4 + (
        ["dpkg --status kubelet"] if step == "upgrade" else []
    )
    assert here.calls("sleep") == ["sleep 15"] * 3
    here.put("fail-dpkg---force-confdef", "99")
    assert here.run(step).returncode != 0


def test_the_token_is_that_of_the_pod_that_runs_and_no_tool_inherits_it(tmp_path: Path) -> None:
    """A pod that was killed has left its own."""
    here = node(tmp_path, "worker")
    (tmp_path / "run/isostack").mkdir()
    here.put("run/isostack/upgrade.conf", "token: dead")
    assert [here.run(step).returncode for step in ("check", "upgrade")] == [0, 0]
    assert 'token: "t0ken"' in here.text("as-pod")
    assert not here.has("run/isostack/upgrade.conf")
    assert set((tmp_path / "tokens").read_text().splitlines()) == {""}


def test_an_apply_that_broke_is_taken_up_though_the_cluster_calls_itself_upgraded(tmp_path: Path) -> None:
    here = node(tmp_path, "control-plane")
    here.put("breaks")
    done = here.run("upgrade")
    assert done.returncode == 1
    assert "this node stays cordoned" in done.stdout
    assert here.text("cluster") == f"v{NEW}"
    assert here.calls("systemctl") == []
    assert here.run("upgrade").returncode == 0
    assert len(here.calls("kubeadm upgrade apply")) == 2
    assert here.run("upgrade").returncode == 0
    assert len(here.calls("kubeadm upgrade apply")) == 2


def test_a_cluster_that_tells_no_version_is_not_touched(tmp_path: Path) -> None:
    here = node(tmp_path, "control-plane")
    here.put("cluster", "")
    done = here.run("upgrade")
    assert done.returncode == 1
    assert "does not tell the cluster's version" in done.stdout
    assert here.calls("kubeadm upgrade") == []


def test_packages_come_through_the_proxy_and_nothing_else_has_it(tmp_path: Path) -> None:
    here = node(tmp_path, "worker")
    here.put("etc/isostack/proxy.env", "https_proxy=http://proxy.example.com:3128\n")
    here.put("fail-curl--fsSL", "2")
    assert [here.run(step).returncode for step in ("check", "upgrade")] == [0, 0]
    through = {line.split()[0] for line in here.text("proxies").splitlines() if "proxy.example.com" in line}
    assert through == {"curl"}


def test_two_do_not_upgrade_one_node_at_once(tmp_path: Path) -> None:
    here = node(tmp_path, "worker")
    (tmp_path / "bin/flock").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin/flock").chmod(0o755)
    done = here.run("upgrade")
    assert (done.returncode, "another run is under way" in done.stdout) == (1, True)
    assert here.calls("kubeadm") == []


def test_the_pod_that_waits_for_another_leaves_its_token_alone(tmp_path: Path) -> None:
    here = node(tmp_path, "worker")
    (tmp_path / "run/isostack").mkdir()
    here.put("run/isostack/upgrade.conf", "another's")
    (tmp_path / "bin/flock").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin/flock").chmod(0o755)
    assert here.run("upgrade").returncode == 1
    assert here.text("run/isostack/upgrade.conf") == "another's"


def test_a_node_is_not_fenced_from_before_its_drain_until_it_is_upgraded(tmp_path: Path) -> None:
    here = node(tmp_path, "worker")
    assert here.run("check").returncode == 0
    (patch,) = (call for call in here.calls("kubectl") if " patch node shop-any-0 " in call)
    assert json.loads(patch[patch.index("{") :]) == {
        "metadata": {"labels": {EXCLUDE: "true"}, "annotations": {"isostack.io/excluded-for-upgrade": NEW}}
    }
    assert here.calls("kubectl")[-1] == patch
    here.put("fail-kubeadm-upgrade", "1")
    done = here.run("upgrade")
    assert (done.returncode, here.text("label")) == (1, "true")
    assert f"kubectl label node shop-any-0 {EXCLUDE}-" in done.stdout
    assert [here.run(step).returncode for step in ("check", "upgrade")] == [0, 0]
    assert here.text("label") == ""
    patches = [call for call in here.calls("kubectl") if " patch node " in call]
    assert len(patches) == 2
    assert json.loads(patches[1][patches[1].index("{") :]) == {
        "metadata": {"labels": {EXCLUDE: None}, "annotations": {"isostack.io/excluded-for-upgrade": None}}
    }


def test_a_label_that_somebody_else_set_stays(tmp_path: Path) -> None:
    here = node(tmp_path, "worker")
    here.put("label", "true")
    assert [here.run(step).returncode for step in ("check", "upgrade")] == [0, 0]
    assert here.text("label") == "true"
    assert not any(" patch " in call for call in here.calls("kubectl"))


def test_without_remediation_no_node_is_excluded(tmp_path: Path) -> None:
    here = node(tmp_path, "worker")
    assert [here.run(step, fenced=False).returncode for step in ("check", "upgrade")] == [0, 0]
    assert not any(" patch " in call for call in here.calls("kubectl"))
    here.put("fail-kubeadm-upgrade", "1")
    assert "annotation" not in here.run("upgrade", fenced=False).stdout
