"""Remediation: a node that is lost is found, powered off and on, and its pods and volumes are given up in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from components.addons import medik8s
from components.facts import Realisation
from components.plan import CONTROL_PLANE_LABEL, Addon, Leaf, MachinePlan, Manifest, Rule, degraded, equal, if_asked
from components.spec import Spec

NAME, TEMPLATE, FIELD = "remediation", "fencing", "availability.remediation"
LOST_SECONDS = 600
"""After so long a node that is not Ready is lost, and never before its pods are evicted. vSphere HA has a VM up again
in 115 s and a kubelet comes back by itself meanwhile [documented] docs.vmware.com, vSphere Availability, as read in
2026-11; upstream's own default is 300 s [seen] node-healthcheck-operator v0.12.0 api/v1alpha1/nodehealthcheck_types.go.
"""
ATTEMPT_SECONDS, PAUSE_SECONDS, ATTEMPTS = 120, 15, 10
"""At most 22.5 min: after 30 the health check gives up on a remediation, three times its 10 min, and nobody tries again
[seen] node-healthcheck-operator v0.12.0 internal/controller/resources/lease.go, calcLeaseExpiration, and
internal/controller/utils/utils.go, DefaultRemediationDuration."""
COOLDOWN_SECONDS = 60
"""Nodes of a network that is mended become Ready one after the other [engineers' choice]: upstream's example has 30 s
[seen] node-healthcheck-operator v0.12.0 docs/configuration.md, Storm Recovery."""
EXCLUDE = "remediation.medik8s.io/exclude-from-remediation"
"""Label of a node: with the value `true` it is left alone [seen] medik8s/common v1.17.0 pkg/labels/labels.go."""


@dataclass(frozen=True, slots=True)
class Fencing:
    """How the machines of a target are powered off and on. Parameters are those of the agent's command line; a value
    may be a Ref, an empty one is a flag."""

    agent: str
    shared: Mapping[str, Any]
    nodes: Mapping[str, Mapping[str, Any]]
    """By machine; one that is not there cannot be fenced."""
    passwords: Mapping[str, Any] = field(default_factory=dict)
    """Ref or SecretStr by the name of the file that `password` names."""
    proven: int | str = "100%"
    """So many machines, or such a part of them, are asked for their power state as soon as the agent is configured."""


def password(file: str) -> dict[str, str]:
    """The agent runs it, and takes what it prints [seen] ClusterLabs/fence-agents 4.9.0 to 4.17.0 lib/fencing.py.py.

    Not through a Secret of the remediation, which the operator would put on the agent's command line, and read from a
    cache of all Secrets of the cluster.
    """
    return {"--password-script": f"cat {medik8s.FOLDER}/{file}"}


def addons(spec: Spec, fencing: Fencing | None, machines: Sequence[MachinePlan]) -> Iterator[Addon]:
    """None where no machine can be fenced."""
    if not spec.availability.remediation or fencing is None or not fencing.nodes:
        return
    yield medik8s.kinds()
    yield medik8s.operators(spec, fencing.passwords)
    yield Addon(
        name=NAME,
        serves=(FIELD,),
        objects=(_template(fencing), *_health_checks(spec, fencing, machines)),
        common=False,
        after=(medik8s.NAME,),
    )


def _template(fencing: Fencing) -> Manifest:
    """With the taint Kubernetes detaches the node's volumes at once. The default, ResourceDeletion, deletes pods alone:
    their volumes stay attached for six minutes more [documented]
    https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#non-graceful-node-shutdown; [seen]
    medik8s/common v1.17.0 pkg/resources/resources.go. On a node that runs it would corrupt data: the operator sets it
    when the agent has seen the machine off, and not when that fails [seen] fence-agents-remediation v0.7.0
    controllers/fenceagentsremediation_controller.go; ClusterLabs/fence-agents lib/fencing.py.py, fence_action.
    """
    names = dict.fromkeys(name for parameters in fencing.nodes.values() for name in parameters)
    spec = {
        "agent": fencing.agent,
        "remediationStrategy": "OutOfServiceTaint",
        "retrycount": ATTEMPTS,
        "retryinterval": f"{PAUSE_SECONDS}s",
        "timeout": f"{ATTEMPT_SECONDS}s",
        "sharedparameters": {**fencing.shared, "--action": "reboot"},
        "nodeparameters": {
            name: {node: parameters[name] for node, parameters in fencing.nodes.items() if name in parameters}
            for name in names
        },
    }
    body = {"spec": {"statusValidationSample": fencing.proven, "template": {"spec": spec}}}
    return Manifest(f"{medik8s.FENCE}/v1alpha1", "FenceAgentsRemediationTemplate", TEMPLATE, body, medik8s.NAMESPACE)


def _health_checks(spec: Spec, fencing: Fencing, machines: Sequence[MachinePlan]) -> Iterator[Manifest]:
    """One for the control plane and one for all others, as upstream asks [seen] docs/configuration.md, Selector."""
    others = [machine.name for machine in machines if machine.name not in fencing.nodes]
    apart = [{"key": "kubernetes.io/hostname", "operator": "NotIn", "values": others}] if others else []
    roles = {"control-plane": "Exists", "worker": "DoesNotExist"}
    for role, operator in roles.items():
        nodes = sum(machine.wanted.role == role and machine.name in fencing.nodes for machine in machines)
        healthy = _control_plane(spec, nodes) if role == "control-plane" else _workers(nodes)
        if healthy is None:
            continue
        body = {
            "selector": {"matchExpressions": [{"key": CONTROL_PLANE_LABEL, "operator": operator}, *apart]},
            "minHealthy": healthy,
            "stormCooldownDuration": f"{COOLDOWN_SECONDS}s",
            "unhealthyConditions": [
                {"type": "Ready", "status": status, "duration": f"{lost_seconds(spec)}s"}
                for status in ("False", "Unknown")
            ],
            "remediationTemplate": {
                "apiVersion": f"{medik8s.FENCE}/v1alpha1",
                "kind": "FenceAgentsRemediationTemplate",
                "name": TEMPLATE,
                "namespace": medik8s.NAMESPACE,
            },
        }
        name = "control-plane" if role == "control-plane" else "workers"
        yield Manifest(f"{medik8s.HEALTH}/v1alpha1", "NodeHealthCheck", name, {"spec": body})


def lost_seconds(spec: Spec) -> int:
    """Fencing gives up a node's pods: not before the time that the spec leaves them there."""
    return max(LOST_SECONDS, spec.availability.evict_after)


def _control_plane(spec: Spec, fenced: int) -> int | None:
    """So many must be Ready for another to be fenced: a majority of the nodes, since etcd needs one, and without it
    there is no API to fence by. That a node is Ready does not say that its etcd is well: upstream asks that on
    OpenShift alone, but it fences one of them at a time [seen] node-healthcheck-operator v0.12.0
    internal/controller/nodehealthcheck_controller.go, isControlPlaneRemediationAllowed.
    """
    nodes = spec.control_plane.nodes
    spare = nodes - (nodes // 2 + 1)
    return max(fenced - spare, 0) if fenced and spare else None


def _workers(fenced: int) -> int | str | None:
    """With half of them gone it is the network or the power, and fencing would be a storm: upstream's own number [seen]
    docs/configuration.md. Of one or two nodes 51 % are all, so none would ever be fenced.
    """
    if not fenced:
        return None
    return "51%" if fenced > 2 else fenced - 1


# ---- what becomes of the wish


def remediation_rules(agent: str, lack: str = "") -> Mapping[str, Rule]:
    """Of a target whose machines the agent fences; `lack` says so of those that it does not."""

    def rule(leaf: Leaf) -> Realisation:
        spec = cast(Spec, leaf.holders[0])
        mechanism = f"Node Healthcheck and Fence Agents Remediation, {agent}"
        lacks = [lack] if lack else []
        if spec.control_plane.nodes == 1:
            lacks.append("the only control-plane node is fenced by nobody: without it there is no API")
        if lacks:
            return degraded(mechanism, "; ".join(lacks))(leaf)
        return equal(mechanism, f"a node that is not Ready for {lost_seconds(spec)} s is fenced, unless too many are")(
            leaf
        )

    return {FIELD: if_asked(rule)}


def unfenced_rules(power: str, why: str) -> Mapping[str, Rule]:
    """Of a target on which nothing can be fenced: `power` says what becomes of a broken node."""
    return {FIELD: if_asked(degraded(power, why))}
