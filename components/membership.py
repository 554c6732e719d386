"""Gives a node its labels, or takes it out of its cluster, with kubectl. Beside `pulumi up`; standard library only.

    membership.py join    once the node has registered: sets the labels that a kubelet may not give itself
    membership.py leave   keeps the node from fences and upgrades, drains it, removes it from Kubernetes and from etcd

Environment: NODE; ROLE (control-plane or worker); LABELS (JSON object); ADMIN (kubeconfig); ISOSTACK_UNDRAINED, which
an operator can set: names of nodes, separated by commas, that leave without any of this.

Exits 0 when that is done, 1 with what keeps it from being done. `leave` can be run again: what is done is passed over.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

SKIP = "ISOSTACK_UNDRAINED"
BEFORE = "PULUMI_COMMAND_STDOUT"
"""What the last `join` printed; pulumi-command sets it: without labels now or then there is nothing to do."""
PAUSE_SECONDS = 5.0
API_SECONDS = 120
"""For the API's address to move to another machine, when its own leaves too [assumption]."""
JOIN_SECONDS = 3600
"""As long as `up` waits for the API. Metal takes 15 to 40 minutes to POST, image and boot [engineers' knowledge]."""
DRAIN_SECONDS = 1800
"""For pods to end, and for PodDisruptionBudgets to let them [assumption]; kubectl names what is left."""
DETACH_SECONDS = 600
"""Kubernetes detaches the volumes of a node that does not answer after 6 minutes [documented]
https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/."""
ETCD_SECONDS = 120
"""etcd lets no member go while another has been connected for less than 5 s, or too few are well [seen] etcd 3.6.8
server/etcdserver/server.go, HealthInterval and mayRemoveMember."""
FENCED_SECONDS = 120
"""For the operator to stop its agent, and to take its taints and its finalizer away [assumption]."""
EXCLUDE, FENCED = "remediation.medik8s.io/exclude-from-remediation", "fenceagentsremediations"
"""Label that keeps a node from being fenced, and what stands for one that is: components/addons/remediation.py."""
FENCED_KIND, FENCED_NAMESPACE = f"{FENCED}.fence-agents-remediation.medik8s.io", "medik8s"
UPGRADED_SECONDS = 120
"""For jobs of an upgrade to be gone [assumption]; their pods are drained like others."""
PLANS, UPGRADES = "plans.upgrade.cattle.io", "system-upgrade"
"""What a node is upgraded by, and its namespace: components/addons/upgrades.py."""
NOT_BY, JOB_OF = "plan.upgrade.cattle.io", "upgrade.cattle.io/node"
"""Label `<NOT_BY>/<plan>=disabled` of a node that this Plan passes over; label of a job with the node's name [seen]
system-upgrade-controller v0.20.1 pkg/upgrade/plan/plan.go, SelectConcurrentNodes, and pkg/upgrade/job/job.go."""
ETCD = "/etc/kubernetes/pki/etcd"
ETCDCTL = (
    "etcdctl",
    "--endpoints=https://127.0.0.1:2379",
    f"--cacert={ETCD}/ca.crt",
    f"--cert={ETCD}/healthcheck-client.crt",
    f"--key={ETCD}/healthcheck-client.key",
)
"""In kubeadm's static pods of etcd, with the certificate that their own probes use."""


class Refused(Exception):
    """Why it cannot be done, for the operator."""


class Hopeless(Refused):
    """Waiting cannot help."""


class Cluster:
    """kubectl with the admin's kubeconfig."""

    def __init__(self, kubeconfig: str) -> None:
        self._kubeconfig = kubeconfig
        self.kept_out: list[str] = [EXCLUDE]
        """Labels of the node that leaves, for the operator to take away where it stays."""

    def run(self, *arguments: str, stdin: str = "", seconds: float = 60) -> str:
        """What kubectl prints. Raises Refused with what it complains of."""
        command = ["kubectl", "--kubeconfig", self._kubeconfig, *arguments]
        try:
            done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=seconds)
        except FileNotFoundError:
            raise Hopeless("kubectl is not on PATH") from None
        except subprocess.TimeoutExpired:
            raise Refused(f"kubectl {arguments[0]} did not end within {seconds:g} s") from None
        if done.returncode:
            raise Refused((done.stderr or done.stdout).strip())
        return done.stdout

    def items(self, *arguments: str) -> list[Any]:
        found: list[Any] = json.loads(self.run("get", *arguments, "--output=json"))["items"]
        return found

    def knows(self, kind: str) -> bool:
        """Whether the cluster has this kind, by the name of its CustomResourceDefinition."""
        return bool(self.run("get", "customresourcedefinition", kind, "--ignore-not-found", "--output=name").strip())

    def node(self, name: str) -> Any:
        """The Node, or None."""
        text = self.run("get", "node", name, "--ignore-not-found", "--output=json")
        return json.loads(text) if text.strip() else None


def join(cluster: Cluster, node: str, labels: dict[str, str]) -> None:
    """Labels are applied server-side: those that are no longer wanted go, those of others stay. Prints ours."""
    wait(lambda: "" if cluster.node(node) else "it has not registered", JOIN_SECONDS)
    wanted = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node, "labels": labels}}
    ours = ("--server-side", "--force-conflicts", "--field-manager=isostack")
    cluster.run("apply", *ours, "--filename=-", stdin=json.dumps(wanted))
    print(json.dumps(labels))


def leave(cluster: Cluster, node: str, role: str) -> None:
    """Both ways end without the Node: its cordon would stay, and be in the way of a new machine of this name."""
    wait(lambda: cluster.run("get", "--raw=/readyz") and "", API_SECONDS)
    found = cluster.node(node)
    if found is None:
        print(f"{node} is no node of the cluster: nothing to drain")
    else:
        not_fenced(cluster, node)
        not_upgraded(cluster, node)
        answers = any(c["type"] == "Ready" and c["status"] == "True" for c in found["status"].get("conditions", []))
        for step in (drain, detach, delete) if answers else (give_up, detach):
            step(cluster, node)
    if role == "control-plane":
        wait(lambda: leave_etcd(cluster, node), ETCD_SECONDS)


def not_fenced(cluster: Cluster, node: str) -> None:
    """A node that has gone is not waited for by an agent that is at work on it: it would power-cycle the machine that
    comes after [seen] fence-agents-remediation v0.7.0 controllers/fenceagentsremediation_controller.go, where it stops
    its agent for a node that is there alone."""
    cluster.run("label", "node", node, f"{EXCLUDE}=true", "--overwrite")
    if not cluster.knows(FENCED_KIND):
        return
    there = (FENCED_KIND, node, f"--namespace={FENCED_NAMESPACE}", "--ignore-not-found")

    def fenced() -> str:
        if not cluster.run("get", *there, "--output=name").strip():
            return ""
        cluster.run("delete", *there, "--wait=false")
        return f"it is being fenced, and that does not stop ({FENCED} in {FENCED_NAMESPACE})"

    wait(fenced, FENCED_SECONDS)


def not_upgraded(cluster: Cluster, node: str) -> None:
    """The controller would begin on the node that leaves, or uncordon it when the job of an upgrade has ended. One that
    is under way is broken off."""
    if not cluster.knows(PLANS):
        return
    space = f"--namespace={UPGRADES}"
    labels = [f"{NOT_BY}/{plan['metadata']['name']}" for plan in cluster.items(PLANS, space)]
    if labels:
        cluster.kept_out += labels
        cluster.run("label", "node", node, *(f"{label}=disabled" for label in labels), "--overwrite")
    jobs = ("jobs.batch", space, f"--selector={JOB_OF}={node}")

    def upgraded() -> str:
        names = [job["metadata"]["name"] for job in cluster.items(*jobs)]
        if names:
            cluster.run("delete", *jobs, "--wait=false")
        return f"it is being upgraded, and that does not stop (jobs in {UPGRADES}: {', '.join(names)})" if names else ""

    wait(upgraded, UPGRADED_SECONDS)


def drain(cluster: Cluster, node: str) -> None:
    """Evicts the node's pods; PodDisruptionBudgets are kept. Bare pods and what is in emptyDirs is lost."""
    flags = ("--ignore-daemonsets", "--delete-emptydir-data", "--force", f"--timeout={DRAIN_SECONDS}s")
    print(cluster.run("drain", node, *flags, seconds=DRAIN_SECONDS + 60).strip())


def give_up(cluster: Cluster, node: str) -> None:
    """Nobody there could end a pod, or say that it has ended. Without their Node, Kubernetes gives up the pods, after
    that their volumes."""
    print(f"{node} does not answer: it is not drained, its pods are given up")
    delete(cluster, node)


def detach(cluster: Cluster, node: str) -> None:
    """Until no volume is attached: vSphere deletes a VM with all of its disks, whoever attached them [seen]
    https://github.com/rancher/rancher/issues/18221."""

    def attached() -> str:
        names = [
            f"{each['metadata']['name']} ({each['spec']['source'].get('persistentVolumeName', 'inline')})"
            for each in cluster.items("volumeattachments")
            if each["spec"]["nodeName"] == node
        ]
        return f"volumes are attached to it: {', '.join(names)}" if names else ""

    wait(attached, DETACH_SECONDS)


def delete(cluster: Cluster, node: str) -> None:
    print(cluster.run("delete", "node", node, "--ignore-not-found").strip())


def leave_etcd(cluster: Cluster, node: str) -> str:
    """Asks another member: this machine may be dead. Returns why that failed, empty when the member is out."""
    pods = cluster.items("pods", "--namespace=kube-system", "--selector=component=etcd,tier=control-plane")
    # A pod outlives its Node for a minute.
    nodes = {each["metadata"]["name"] for each in cluster.items("nodes")} - {node}
    others = [pod["metadata"]["name"] for pod in pods if pod["spec"].get("nodeName") in nodes]
    if not others:
        print(f"no other node has an etcd member: that of {node} is the last")
        return ""
    reasons = []
    for pod in others:
        inside = ("exec", "--namespace=kube-system", pod, "--", *ETCDCTL, "member")
        try:
            members = json.loads(cluster.run(*inside, "list", "--write-out=json"))["members"]
            for member in members:
                if member.get("name") == node:
                    print(cluster.run(*inside, "remove", f"{member['ID']:x}").strip())
            return ""
        except Refused as error:
            reasons.append(f"{pod}: {error}")
    return f"its etcd member cannot be removed: {'; '.join(reasons)}"


def wait(reason: Callable[[], str], seconds: float) -> None:
    """Until there is no reason to wait, or the time is over; kubectl may fail meanwhile."""
    end = time.monotonic() + seconds
    while True:
        try:
            why = reason()
        except Hopeless:
            raise
        except Refused as error:
            why = str(error)
        if not why:
            return
        if time.monotonic() + PAUSE_SECONDS > end:
            raise Refused(f"{why}, after {seconds:g} s")
        time.sleep(PAUSE_SECONDS)


def main(arguments: Sequence[str], environment: dict[str, str]) -> int:
    (act,), node = arguments, environment["NODE"]
    if act == "leave" and node in environment.get(SKIP, "").split(","):
        print(f"{node} is not drained: {SKIP} names it")
        return 0
    labels = json.loads(environment["LABELS"])
    if act == "join" and not labels and not environment.get(BEFORE):
        return 0
    with tempfile.NamedTemporaryFile("w") as file:  # for its owner's eyes only
        file.write(environment["ADMIN"])
        file.flush()
        cluster = Cluster(file.name)
        try:
            if act == "join":
                join(cluster, node, labels)
            else:
                leave(cluster, node, environment["ROLE"])
        except Refused as error:
            print(f"{node} cannot {act}: {error}", file=sys.stderr)
            if act == "leave":
                print(
                    "Its machine is still there. Mend that and run `pulumi up` again; to delete the machine all the "
                    f"same: {SKIP}={node} pulumi up; to keep it: kubectl uncordon {node}, and kubectl label node "
                    f"{node} {' '.join(f'{label}-' for label in cluster.kept_out)}",
                    file=sys.stderr,
                )
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], dict(os.environ)))
