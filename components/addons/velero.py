"""Backups of volumes and API objects: Velero with file-level copies, which any target can restore from any other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.addons import bucket, cilium
from components.addons.placement import ANY_NODE, SHARED_NODES
from components.plan import Addon, Ref, Release, Template
from components.spec import Spec, VolumeBackup
from components.target import TargetConfig

NAME = "velero"
PLUGIN = "docker.io/velero/velero-plugin-for-aws:v1.14.2"
"""The S3 plugin of Velero 1.18 [seen] pinned beside it by public repositories, 2026-08."""
PREFIX = f"Release/{NAME}:values.configuration.backupStorageLocation[default].prefix"
CREDENTIALS = "[default]\naws_access_key_id={access_key}\naws_secret_access_key={secret_key}\n"


def addons(spec: Spec, target: TargetConfig) -> Iterator[Addon]:
    backup = spec.backup.volumes
    if backup is None:
        return
    release = Release(
        name=NAME,
        namespace=NAME,
        chart=NAME,
        # [documented] github.com/vmware-tanzu/helm-charts; Velero 1.18.1
        version="12.1.0",
        repo="https://vmware-tanzu.github.io/helm-charts",
        values=_values(spec.name, backup),
    )
    serves = ("backup.volumes.every", "backup.volumes.keep", "backup.volumes.to")
    yield Addon(name=NAME, serves=serves, objects=(release,), mechanism=(PREFIX,), after=(cilium.NAME,))


def _values(cluster: str, backup: VolumeBackup) -> dict[str, Any]:
    name, prefix = bucket.split(backup.to)
    plugin = {
        "name": "velero-plugin-for-aws",
        "image": PLUGIN,
        "volumeMounts": [{"mountPath": "/target", "name": "plugins"}],
    }
    location = {
        "name": "default",
        "provider": "aws",
        "default": True,
        "bucket": name,
        "prefix": Template("/".join(filter(None, (prefix, bucket.owner(cluster)))), {"endpoint": Ref("endpoint")}),
        # Names [documented] github.com/vmware-tanzu/velero-plugin-for-aws backupstoragelocation.md
        "config": {"region": bucket.REGION, "s3Url": bucket.ENDPOINT, "s3ForcePathStyle": "true"},
    }
    # Velero counts time, not copies: as many intervals as copies are wished.
    template = {"ttl": f"{backup.every * backup.keep}s", "includedNamespaces": ["*"]}
    credentials = Template(CREDENTIALS, {"access_key": bucket.ACCESS_KEY, "secret_key": bucket.SECRET_KEY})
    return {
        "initContainers": [plugin],
        "configuration": {"backupStorageLocation": [location], "defaultVolumesToFsBackup": True},
        "credentials": {"secretContents": {"cloud": credentials}},
        # Snapshots stay on the same array as the volume, and no other target can read them.
        "snapshotsEnabled": False,
        "deployNodeAgent": True,
        "nodeAgent": {"tolerations": ANY_NODE},
        "tolerations": SHARED_NODES,
        "schedules": {"volumes": {"schedule": bucket.interval(backup.every), "template": template}},
    }
