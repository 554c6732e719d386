"""Add-ons of an Equinix Metal target: its cloud controller manager, and the load balancer that announces by BGP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.addons import load_balancer
from components.addons.announcement import Bgp
from components.addons.backend import Backend
from components.addons.placement import ANY_NODE, ON_CONTROL_PLANE
from components.equinix.config import Config
from components.plan import Addon, MachinePlan, Manifest, Ref, Template
from components.spec import Spec

NAME, NAMESPACE, SECRET = "cloud-provider-equinix-metal", "kube-system", "metal-cloud-config"
IMAGE = "quay.io/equinix-oss/cloud-provider-equinix-metal:v3.8.1"
"""The last release; retired with the service [documented] github.com/kubernetes-sigs/cloud-provider-equinix-metal. Its
chart was never published, so its objects stand here."""
ALLOCATOR = "the cloud controller manager, which reserves one for each Service"
BGP = Bgp(annotation="metal.equinix.com")
"""The cloud controller manager annotates each node with its own routers."""
_HANDOVER = {"kube-vip": "kube-vip://", "metallb": "metallb:///metallb-system?crdConfiguration=true", "none": ""}
"""How it hands over to each load balancer [documented] its README."""
BACKENDS: tuple[Backend, ...] = ()
_WRITE = ["get", "list", "watch", "create", "update", "patch"]


def addons(spec: Spec, config: Config) -> tuple[Addon, ...]:
    return _cloud_provider(spec, config), *load_balancer.addons(spec, config, bgp=BGP, allocator=ALLOCATOR)


def fencing(config: Config, machines: Sequence[MachinePlan]) -> None:
    """No fence agent speaks the service's API."""


def _cloud_provider(spec: Spec, config: Config) -> Addon:
    handover = _HANDOVER[config.load_balancer.provider] if spec.services.load_balancer else ""
    return Addon(
        name=NAME,
        serves=("services.loadBalancer",) if handover else (),
        objects=(
            Manifest("v1", "Secret", SECRET, {"type": "Opaque", "stringData": _secret(config, handover)}, NAMESPACE),
            Manifest("v1", "ServiceAccount", NAME, {}, NAMESPACE),
            Manifest("rbac.authorization.k8s.io/v1", "ClusterRole", NAME, {"rules": _rules()}),
            Manifest("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", NAME, _binding()),
            Manifest("apps/v1", "DaemonSet", NAME, {"spec": _daemon_set()}, NAMESPACE),
        ),
        common=False,
    )


def _secret(config: Config, handover: str) -> dict[str, Any]:
    """No eipTag: kube-vip holds the API's address. The id of a project that this stack makes comes with creation."""
    project = config.project if config.existing_project else "{project}"
    refs = {"token": Ref("equinix-metal:authToken")}
    if not config.existing_project:
        refs["project"] = Ref("project")
    fields = {"apiKey": "{token}", "projectID": project, "metro": config.metro}
    if handover:
        fields["loadbalancer"] = handover
    body = ", ".join(f'"{key}": "{value}"' for key, value in fields.items())
    return {"cloud-sa.json": Template(f"{{{{{body}}}}}", refs)}


def _rules() -> list[dict[str, Any]]:
    """[documented] its deploy/template/deployment.yaml."""
    metallb = ["ipaddresspools", "bgppeers", "bgpadvertisements"]
    core = {"namespaces": ["get"], "endpoints": _WRITE, "nodes": ["*"], "nodes/status": ["patch"], "services": _WRITE}
    core |= {"services/status": ["list", "patch", "update", "watch"], "configmaps": _WRITE, "events": _WRITE}
    return [
        *({"apiGroups": [""], "resources": [resource], "verbs": verbs} for resource, verbs in core.items()),
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": _WRITE},
        {"apiGroups": ["metallb.io"], "resources": metallb, "verbs": [*_WRITE, "delete"]},
    ]


def _binding() -> dict[str, Any]:
    return {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    }


def _daemon_set() -> dict[str, Any]:
    labels = {"app": NAME}
    container = {
        "name": NAME,
        "image": IMAGE,
        "command": [
            "./cloud-provider-equinix-metal",
            "--cloud-provider=equinixmetal",
            "--leader-elect=true",
            "--authentication-skip-lookup=true",
            "--cloud-config=/etc/cloud-sa/cloud-sa.json",
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "50Mi"}},
        "volumeMounts": [{"name": "cloud-sa", "mountPath": "/etc/cloud-sa", "readOnly": True}],
    }
    pod = {
        "hostNetwork": True,
        "dnsPolicy": "Default",
        "priorityClassName": "system-cluster-critical",
        "serviceAccountName": NAME,
        "affinity": ON_CONTROL_PLANE,
        "tolerations": ANY_NODE,
        "containers": [container],
        "volumes": [{"name": "cloud-sa", "secret": {"secretName": SECRET}}],
    }
    return {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
