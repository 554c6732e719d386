"""Sandboxes: each pod of a tenant that asks for it runs in a small VM of its own, with a kernel of its own (Kata)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from components.addons import cilium
from components.addons.placement import ANY_NODE
from components.plan import TENANT, Addon, Manifest, Release, Rule, degraded, if_asked
from components.problems import Problem
from components.quantity import format_bytes, format_millicpus
from components.sizing import SANDBOX_BYTES, SANDBOX_MILLICPUS
from components.spec import Spec
from components.target import TargetConfig

NAME, CHART, POLICY = "sandboxes", "kata-deploy", "tenant-sandboxes"
SHIM = "qemu-runtime-rs"
"""The chart's own default of each architecture [seen] as the chart; it stands in the name of the RuntimeClass."""
RUNTIME_CLASS = f"kata-{SHIM}"
MECHANISM = f"RuntimeClass {RUNTIME_CLASS} on the tenant's nodes, demanded of its pods by admission policy {POLICY}"
LIMITS = (
    "a pod that ran before it was asked goes on without; and packets of a size that the tunnel does not carry are "
    "fragmented, since a sandbox knows the MTU of its device and not that of its route"
)
"""[documented] https://docs.cilium.io/en/stable/network/kubernetes/kata/, Limitations"""


def addons(spec: Spec, target: TargetConfig) -> Iterator[Addon]:
    tenants = [tenant.name for tenant in spec.tenants if tenant.sandbox]
    if tenants:
        objects: tuple[Release | Manifest, ...] = (_kata(tenants), *_demand(tenants))
        yield Addon(name=NAME, serves=("tenants.*.sandbox",), objects=objects, after=(cilium.NAME,))


def sandbox_rules(more: str = "", why: str = "") -> Mapping[str, Rule]:
    """`more` is what the target does for it beside the rest, and `why` that is less than on whole hosts."""
    mechanism, reason = (f"{MECHANISM}; {more}" if more else MECHANISM), (f"{why}; {LIMITS}" if why else LIMITS)
    return {"tenants.*.sandbox": if_asked(degraded(mechanism, reason))}


def problems(spec: Spec) -> Iterator[Problem]:
    """Tenants whose sandboxes would have no node. Paths are those of the spec's YAML."""
    owners = {pool.tenant for pool in spec.pools}
    for i, tenant in enumerate(spec.tenants):
        if tenant.sandbox and tenant.name not in owners:
            what = f"no pool is {tenant.name}'s own: its sandboxes would change the container runtime of others' nodes"
            yield Problem(what, "give it a pool (pools[].tenant)", ("tenants", i, "sandbox"))


def _kata(tenants: Sequence[str]) -> Release:
    """Installing restarts containerd on a node, whose pods run on: so on those tenants' nodes alone. Those of other
    tenants keep off by their taints, and the chart's RuntimeClass asks for nodes that have Kata."""
    owned = {"matchExpressions": [{"key": TENANT, "operator": "In", "values": list(tenants)}]}
    return Release(
        name=CHART,
        namespace="kube-system",
        chart="oci://ghcr.io/kata-containers/kata-deploy-charts/kata-deploy",
        version="4.1.0",  # [seen] github.com/kata-containers/kata-containers tag 4.1.0, 2026-08
        repo="",
        values={
            "affinity": {
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [owned]}}
            },
            "tolerations": ANY_NODE,
            "imagePullPolicy": "IfNotPresent",
            # One hypervisor of the two dozen. Its images are plain ones, as containerd has them.
            "shims": {
                "disableAll": True,
                SHIM: {
                    "enabled": True,
                    "runtimeClass": {
                        "overhead": {
                            "cpu": format_millicpus(SANDBOX_MILLICPUS),
                            "memory": format_bytes(SANDBOX_BYTES),
                        }
                    },
                },
            },
            "snapshotter": {"setup": []},
        },
    )


def _demand(tenants: Sequence[str]) -> Iterator[Manifest]:
    """Whoever writes a pod says so himself. An admission that wrote it for him is off before Kubernetes 1.36
    (MutatingAdmissionPolicy) [documented]
    https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/. Only of new pods: the runtime of
    one that is there cannot change."""
    api, name = "admissionregistration.k8s.io/v1", "object.spec.runtimeClassName"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    policy = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [
            {
                "expression": f"has({name}) && {name} == '{RUNTIME_CLASS}'",
                "message": f"this tenant's pods run in sandboxes: set runtimeClassName: {RUNTIME_CLASS} in their spec",
            }
        ],
    }
    sandboxed = {"matchExpressions": [{"key": TENANT, "operator": "In", "values": list(tenants)}]}
    binding = {"policyName": POLICY, "validationActions": ["Deny"], "matchResources": {"namespaceSelector": sandboxed}}
    yield Manifest(api, "ValidatingAdmissionPolicy", POLICY, {"spec": policy})
    yield Manifest(api, "ValidatingAdmissionPolicyBinding", POLICY, {"spec": binding})
