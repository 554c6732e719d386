"""Snapshots of etcd: a CronJob on the control plane saves one, checks it, uploads it and removes the oldest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from components.addons import bucket, cilium
from components.addons.placement import ON_CONTROL_PLANE, SHARED_NODES
from components.plan import Addon, Manifest, Ref, Template
from components.spec import EtcdBackup, Spec
from components.target import TargetConfig

NAME, PLACE, NAMESPACE = "etcd-backup", "etcd-backup-place", "kube-system"
ETCD = "registry.k8s.io/etcd:3.6.8-0"
"""The image that kubeadm 1.36.3 pulls itself [seen] kubernetes cmd/kubeadm/app/constants/constants.go, where 1.34.0 has
3.6.4, 1.35.0 3.6.6 and 1.37.2 3.7.0; its etcdctl reads those too."""
RCLONE = "docker.io/rclone/rclone:1.75.1"
"""[seen] pinned by public repositories, 2026-08. The official image; it brings a shell."""
_PKI = "/etc/kubernetes/pki/etcd"
_SNAPSHOT = "/snapshot/etcd.db"
_LIMIT = "9Gi"  # etcd holds 8 GiB at most, as its quota is set, and a snapshot is not larger.
# Names sort by time. Removed is only what this cluster's job wrote: the prefix is its own, the rest of fixed length.
_UPLOAD = """set -eu
rclone copyto "$SNAPSHOT" "s3:$FOLDER/$PREFIX$(date -u +%Y%m%dT%H%M%SZ).db"
written=$(rclone lsf --files-only --include "$PREFIX????????T??????Z.db" "s3:$FOLDER")
echo "$written" | sort -r | tail -n "+$((KEEP + 1))" | while read -r name; do rclone deletefile "s3:$FOLDER/$name"; done
"""


def addons(spec: Spec, target: TargetConfig) -> Iterator[Addon]:
    backup = spec.backup.etcd
    if backup is None:
        return
    keys = {"accessKey": bucket.ACCESS_KEY, "secretKey": bucket.SECRET_KEY}
    yield Addon(
        name=NAME,
        serves=("backup.etcd.every", "backup.etcd.keep", "backup.etcd.to"),
        objects=(
            Manifest("v1", "Secret", NAME, {"type": "Opaque", "stringData": keys}, NAMESPACE),
            Manifest("v1", "ConfigMap", PLACE, {"data": _place(spec.name, backup)}, NAMESPACE),
            Manifest("batch/v1", "CronJob", NAME, {"spec": _cron_job(backup)}, NAMESPACE),
        ),
        mechanism=(f"ConfigMap/{PLACE}:data.PREFIX",),
        after=(cilium.NAME,),
    )


def _place(cluster: str, backup: EtcdBackup) -> dict[str, Any]:
    return {
        "FOLDER": "/".join(part for part in bucket.split(backup.to) if part),
        "PREFIX": Template(f"etcd-{bucket.owner(cluster)}-", {"endpoint": Ref("endpoint")}),
        "KEEP": str(backup.keep),
    }


def _cron_job(backup: EtcdBackup) -> dict[str, Any]:
    return {
        "schedule": bucket.interval(backup.every),
        "concurrencyPolicy": "Forbid",
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {
            "spec": {
                # A job that hangs must not keep the next one from starting.
                "activeDeadlineSeconds": min(backup.every, 3600),
                "backoffLimit": 2,
                "template": {"spec": _pod()},
            }
        },
    }


def _pod() -> dict[str, Any]:
    """On the host's network, where the local etcd member answers; any member's snapshot holds all."""
    volumes = [
        {"name": "pki", "hostPath": {"path": _PKI, "type": "Directory"}},
        {"name": "snapshot", "emptyDir": {"sizeLimit": _LIMIT}},
    ]
    return {
        "hostNetwork": True,
        "dnsPolicy": "ClusterFirstWithHostNet",
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "affinity": ON_CONTROL_PLANE,
        "tolerations": SHARED_NODES,
        "initContainers": [_save(), _check()],
        "containers": [_upload()],
        "volumes": volumes,
    }


def _save() -> dict[str, Any]:
    """kubeadm makes the client certificate for its own health checks of etcd [documented]
    https://kubernetes.io/docs/setup/best-practices/certificates/"""
    environment = {
        "ETCDCTL_ENDPOINTS": "https://127.0.0.1:2379",
        "ETCDCTL_CACERT": f"{_PKI}/ca.crt",
        "ETCDCTL_CERT": f"{_PKI}/healthcheck-client.crt",
        "ETCDCTL_KEY": f"{_PKI}/healthcheck-client.key",
    }
    mounts: list[dict[str, Any]] = [
        {"name": "pki", "mountPath": _PKI, "readOnly": True},
        {"name": "snapshot", "mountPath": "/snapshot"},
    ]
    return _container("save", ETCD, ["etcdctl", "snapshot", "save", _SNAPSHOT], _plain(environment), mounts)


def _check() -> dict[str, Any]:
    mounts = [{"name": "snapshot", "mountPath": "/snapshot"}]
    return _container("check", ETCD, ["etcdutl", "snapshot", "status", _SNAPSHOT], [], mounts)


def _upload() -> dict[str, Any]:
    """Names of rclone's variables [documented] https://rclone.org/docs/#config-file"""
    environment = {
        "SNAPSHOT": _SNAPSHOT,
        "RCLONE_CONFIG_S3_TYPE": "s3",
        "RCLONE_CONFIG_S3_PROVIDER": "Other",
        "RCLONE_CONFIG_S3_ENDPOINT": bucket.ENDPOINT,
        "RCLONE_CONFIG_S3_REGION": bucket.REGION,
        "RCLONE_S3_NO_CHECK_BUCKET": "true",
    }
    keys = {"RCLONE_CONFIG_S3_ACCESS_KEY_ID": "accessKey", "RCLONE_CONFIG_S3_SECRET_ACCESS_KEY": "secretKey"}
    secrets = [{"name": name, "valueFrom": {"secretKeyRef": {"name": NAME, "key": key}}} for name, key in keys.items()]
    mounts = [{"name": "snapshot", "mountPath": "/snapshot", "readOnly": True}]
    container = _container("upload", RCLONE, ["sh", "-c", _UPLOAD], [*_plain(environment), *secrets], mounts)
    return {**container, "envFrom": [{"configMapRef": {"name": PLACE}}]}


def _plain(environment: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in environment.items()]


def _container(
    name: str, image: str, command: list[str], env: list[dict[str, Any]], mounts: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "name": name,
        "image": image,
        "command": command,
        "env": env,
        "volumeMounts": mounts,
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
