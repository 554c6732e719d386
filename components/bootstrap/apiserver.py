"""Files and flags of the API server: audit, log-in through OpenID Connect, encryption at rest, eviction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.bootstrap.document import dump
from components.bootstrap.node import KUBERNETES, File, Node
from components.spec import Oidc

FOLDER = f"{KUBERNETES}/apiserver"
AUDIT, AUTHENTICATION, ENCRYPTION = (f"{FOLDER}/{name}.yaml" for name in ("audit", "authentication", "encryption"))
AUDIT_LOGS = "/var/log/kubernetes/audit"
# A month on disk, at most 11 files of 100 MiB [engineers' choice]; flags [documented]
# https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/#log-backend
AUDIT_DAYS, AUDIT_FILES, AUDIT_MEGABYTES = 30, 10, 100
OIDC_PREFIX = "oidc:"
"""Before every user and group of the identity provider: none can then call itself system:masters."""

_NOISE: list[dict[str, Any]] = [
    {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/version", "/openapi*"]},
    {
        "level": "None",
        "resources": [
            {"group": "", "resources": ["events"]},
            {"group": "events.k8s.io", "resources": ["events"]},
            {"group": "coordination.k8s.io", "resources": ["leases"]},
        ],
    },
]
# What carries credentials is never written down with its body.
_CREDENTIALS = {
    "level": "Metadata",
    "resources": [
        {"group": "", "resources": ["secrets", "configmaps", "serviceaccounts/token"]},
        {"group": "authentication.k8s.io", "resources": ["tokenreviews"]},
    ],
}
_WRITES = {"level": "Request", "verbs": ["create", "update", "patch", "delete", "deletecollection"]}
_REST = {"level": "Metadata"}
_RULES: dict[str, list[dict[str, Any]]] = {
    "metadata": [*_NOISE, _REST],
    "request": [*_NOISE, _CREDENTIALS, _WRITES, _REST],
}


def files(node: Node) -> Iterator[File]:
    """The same on every control-plane node: a server that lacks one does not start, another key cannot read Secrets."""
    if not node.control_plane:
        return
    if node.access.audit != "none":
        policy = {"omitStages": ["RequestReceived"], "rules": _RULES[node.access.audit]}
        yield File(AUDIT, dump({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", **policy}), "0600")
    if node.access.oidc is not None:
        yield File(AUTHENTICATION, dump(_authentication(node.access.oidc)), "0600")
    if node.access.encrypt_secrets:
        yield File(ENCRYPTION, dump(_encryption(node.late.encryption_key)), "0600")


def arguments(node: Node) -> dict[str, str]:
    # Evicting starts when the node controller gives the node up, node-monitor-grace-period (50 s) after its last sign.
    seconds = str(node.evict_after)
    flags = {"default-not-ready-toleration-seconds": seconds, "default-unreachable-toleration-seconds": seconds}
    if node.access.audit != "none":
        flags |= {
            "audit-policy-file": AUDIT,
            "audit-log-path": f"{AUDIT_LOGS}/audit.log",
            "audit-log-maxage": str(AUDIT_DAYS),
            "audit-log-maxbackup": str(AUDIT_FILES),
            "audit-log-maxsize": str(AUDIT_MEGABYTES),
        }
    if node.access.oidc is not None:
        flags["authentication-config"] = AUTHENTICATION
    if node.access.encrypt_secrets:
        flags["encryption-provider-config"] = ENCRYPTION
    return flags


def volumes(node: Node) -> list[dict[str, Any]]:
    """Folders, not files: a file mounted alone would keep its old content when it is replaced."""
    found = []
    if any(files(node)):
        found.append(_volume("isostack-apiserver", FOLDER, read_only=True))
    if node.access.audit != "none":
        found.append(_volume("isostack-audit", AUDIT_LOGS, read_only=False))
    return found


def _volume(name: str, path: str, *, read_only: bool) -> dict[str, Any]:
    place = {"name": name, "hostPath": path, "mountPath": path}
    return {**place, "readOnly": read_only, "pathType": "DirectoryOrCreate"}


def _authentication(oidc: Oidc) -> dict[str, Any]:
    """v1 is served from Kubernetes 1.34 on, the oldest minor that the spec takes [documented]
    https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-authentication-configuration"""
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "jwt": [
            {
                "issuer": {"url": oidc.issuer, "audiences": [oidc.client_id]},
                "claimMappings": {
                    "username": {"claim": oidc.username_claim, "prefix": OIDC_PREFIX},
                    "groups": {"claim": oidc.groups_claim, "prefix": OIDC_PREFIX},
                },
            }
        ],
    }


def _encryption(key: str) -> dict[str, Any]:
    """secretbox: aescbc is open to padding oracles, aesgcm needs a new key every 200,000 writes [documented]
    https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/#providers. identity reads what was plain."""
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [
            {
                "resources": ["secrets"],
                "providers": [{"secretbox": {"keys": [{"name": "key1", "secret": key}]}}, {"identity": {}}],
            }
        ],
    }
