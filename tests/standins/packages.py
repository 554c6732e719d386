"""The packages that stand-ins serve: their outputs, ids and answers, and what their real providers refuse."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import string
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.standins import certificates
from tests.standins.schema import UNKNOWN, Kind, has_unknown, kinds
from tests.standins.server import Refused

Outputs = Callable[[str, str, Mapping[str, Any]], dict[str, Any]]


class FromFacts:
    """A package whose resources stand in a file of facts."""

    def __init__(self, name: str, outputs: Outputs) -> None:
        self._kinds, self._outputs = kinds(name), outputs

    def kind(self, token: str) -> Kind | None:
        return self._kinds.get(token)

    def faults(self, token: str, given: Mapping[str, Any]) -> list[tuple[str, str]]:
        return []

    def replaces(self, token: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
        return []

    def outputs(self, token: str, urn: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return self._outputs(token, urn, inputs)

    def identity(self, token: str, urn: str, inputs: Mapping[str, Any]) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, urn))

    def invoke(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        raise Refused(f"the stand-in knows no data source {token}")


class VSphere(FromFacts):
    """Data sources find whatever is named: what a site has is not the project's to know."""

    def invoke(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        what = token.rpartition(":")[2].removeprefix("get")
        if "name" not in args:
            raise Refused(f"{token}: a name is wanted")
        found = {"id": f"{what}:{args['name']}", **args}
        if what == "ComputeCluster":
            found["resourcePoolId"] = f"ResourcePool:{args['name']}"
        if what == "VirtualMachine":
            found |= {"guestId": "ubuntu64Guest", "firmware": "efi"}
        return found


class Kubernetes:
    """Any object, as an API server without its admission takes it, and Helm releases."""

    RELEASE = "kubernetes:helm.sh/v3:Release"
    _RELEASE = Kind(
        inputs={
            **dict.fromkeys(
                ("name", "namespace", "chart", "version", "description", "keyring", "postrender"), "string"
            ),
            **dict.fromkeys(("atomic", "cleanupOnFail", "createNamespace", "skipAwait", "skipCrds", "lint"), "boolean"),
            **dict.fromkeys(("forceUpdate", "waitForJobs", "dependencyUpdate", "replace"), "boolean"),
            "timeout": "integer",
            "values": "any",
            "valueYamlFiles": ["any"],
            "repositoryOpts": {
                "fields": dict.fromkeys(("repo", "username", "password", "caFile", "certFile", "keyFile"), "string"),
                "required": [],
            },
            "compat": "string",
        },
        required=("chart",),
        # No release can be renamed or moved [documented] www.pulumi.com/registry/packages/kubernetes, helm.v3.Release
        replaces=("name", "namespace"),
        outputs=("status", "resourceNames"),
        secret_outputs=(),
    )
    _OBJECT = Kind(
        inputs={
            "apiVersion": "string",
            "kind": "string",
            "metadata": {
                "fields": {
                    "name": "string",
                    "namespace": "string",
                    "labels": {"values": "string"},
                    "annotations": {"values": "string"},
                },
                "required": ["name"],
            },
            **dict.fromkeys(("spec", "data", "stringData", "rules", "roleRef", "subjects", "parameters"), "any"),
            **dict.fromkeys(("type", "provisioner", "reclaimPolicy", "volumeBindingMode", "driver"), "string"),
            **dict.fromkeys(("allowVolumeExpansion", "immutable", "automountServiceAccountToken"), "boolean"),
            "deletionPolicy": "string",
        },
        required=("apiVersion", "kind", "metadata"),
        replaces=("apiVersion", "kind"),
        outputs=("status",),
        secret_outputs=(),
    )

    def kind(self, token: str) -> Kind:
        return self._RELEASE if token == self.RELEASE else self._OBJECT

    def faults(self, token: str, given: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The type token of the resource must be that of the object."""
        if token == self.RELEASE:
            return []
        group, _, kind = token.removeprefix("kubernetes:").rpartition(":")
        version = group.removeprefix("core/")
        wrong = [(name, is_) for name, is_ in (("apiVersion", version), ("kind", kind)) if given.get(name) != is_]
        return [(name, f"{given.get(name)!r} in a resource of type {token}") for name, _ in wrong]

    def replaces(self, token: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
        """[seen] pulumi-kubernetes provider/pkg/provider/diff.go, metadataForceNewProperties."""
        if token == self.RELEASE:
            return []
        old, new = before.get("metadata") or {}, after.get("metadata") or {}
        return ["metadata"] if any(old.get(name) != new.get(name) for name in ("name", "namespace")) else []

    def outputs(self, token: str, urn: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        if token == self.RELEASE:
            return {"status": {"status": "deployed"}, "resourceNames": {}}
        return {"status": {"state": "SUCCESS"}} if token.endswith(":Workflow") else {"status": {}}

    def identity(self, token: str, urn: str, inputs: Mapping[str, Any]) -> str:
        metadata = inputs if token == self.RELEASE else inputs["metadata"]
        return "/".join(str(part) for part in (metadata.get("namespace"), metadata.get("name")) if part)

    def invoke(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        raise Refused(f"the stand-in knows no data source {token}")


def _vsphere(token: str, urn: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    if not token.endswith(":VirtualMachine"):
        return {}
    return {"uuid": str(uuid.uuid4()), "moid": "vm-1", "powerState": "on"}


def _metal(token: str, urn: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    number = int(hashlib.sha256(urn.encode()).hexdigest()[:4], 16)
    last = f"{number >> 8}.{number & 255}"
    kind = token.rpartition(":")[2]
    if kind == "Device":
        return {
            "accessPrivateIpv4": f"10.66.{last}",
            "accessPublicIpv4": f"203.0.{last}",
            "rootPassword": secrets.token_hex(8),
            "state": "active",
        }
    return {"address": f"198.51.{last}", "cidr": 32} if kind == "ReservedIpBlock" else {}


def _random(token: str, urn: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    kind = token.rpartition(":")[2]
    if kind == "RandomUuid":
        return {"result": str(uuid.uuid4())}
    length = int(inputs["length"])
    if kind == "RandomBytes":
        made = os.urandom(length)
        return {"base64": base64.b64encode(made).decode(), "hex": made.hex()}
    letters = string.digits + string.ascii_lowercase + (string.ascii_uppercase if inputs.get("upper", True) else "")
    letters += "!@#$%&*()-_=+[]{}<>:?" if inputs.get("special", True) else ""
    return {"result": "".join(secrets.choice(letters) for _ in range(length))}


def _command(token: str, urn: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Not run: what the program waits for is not there. That the command could start is looked at."""
    parts = str(inputs.get("create", "")).split()
    if not parts or subprocess.run(["sh", "-c", f"command -v {parts[0]}"], capture_output=True, check=False).returncode:
        raise Refused(f"no such command: {parts[:1]}")
    return {"stdout": "", "stderr": ""}


def _tls(token: str, urn: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    if has_unknown(dict(inputs)):
        raise Refused(f"{urn} is made from what is not known: {UNKNOWN}")
    try:
        return certificates.MAKERS[token.rpartition(":")[2]](inputs)
    except (ValueError, KeyError) as error:
        raise Refused(f"{urn}: {error}") from error


PACKAGES: Mapping[str, Callable[[], Any]] = {
    "command": lambda: FromFacts("command", _command),
    "equinix-metal": lambda: FromFacts("equinix-metal", _metal),
    "kubernetes": Kubernetes,
    "random": lambda: FromFacts("random", _random),
    "tls": lambda: FromFacts("tls", _tls),
    "vsphere": lambda: VSphere("vsphere", _vsphere),
}


def names() -> Iterator[str]:
    yield from PACKAGES
