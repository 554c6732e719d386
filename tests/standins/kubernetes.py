"""The stand-in of the kubernetes provider: the schemas of the objects that the components make, and Helm releases."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.standins.schema import Kind
from tests.standins.server import Refused


def _object(fields: Mapping[str, Any]) -> Kind:
    return Kind(
        inputs=fields,
        required=("apiVersion", "kind", "metadata"),
        replaces=("apiVersion", "kind"),
        outputs=("status",),
        secret_outputs=(),
    )


_ANY = _object(
    {
        **dict.fromkeys(("apiVersion", "kind", "driver", "deletionPolicy"), "string"),
        **dict.fromkeys(("metadata", "spec", "parameters"), "any"),
    }
)


def _known() -> dict[str, Mapping[str, Any]]:
    """The fields of each object by its token, with the types that they name put in."""
    read = [
        json.loads(Path(__file__).with_name(f"{name}.json").read_text("utf-8")) for name in ("kubernetes", "tinkerbell")
    ]
    types = read[0]["types"]
    for type_ in types.values():
        type_["fields"] = {name: _filled(kind, types) for name, kind in type_["fields"].items()}
    objects = {token: known for document in read for token, known in document["objects"].items()}
    return {token: {n: _filled(kind, types) for n, kind in known["fields"].items()} for token, known in objects.items()}


def _filled(kind: Any, types: Mapping[str, Any]) -> Any:
    """Types that name one another are the same objects: nothing is copied, so they may do it in a circle."""
    if isinstance(kind, list):
        return [_filled(kind[0], types)]
    if not isinstance(kind, Mapping):
        return kind
    if "type" in kind:
        return types[kind["type"]]
    if "values" in kind:
        return {"values": _filled(kind["values"], types)}
    return {**kind, "fields": {name: _filled(field, types) for name, field in kind["fields"].items()}}


class Kubernetes:
    """Objects, as an API server with their schemas and without its admission takes them, and Helm releases.

    Of a type without facts, such as an add-on's own custom resources, only the top is looked at.
    """

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

    def __init__(self) -> None:
        self._objects = {token: _object(fields) for token, fields in _known().items()}

    def kind(self, token: str) -> Kind:
        return self._RELEASE if token == self.RELEASE else self._objects.get(token, _ANY)

    def faults(self, token: str, given: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The type token of the resource must be that of the object."""
        if token == self.RELEASE:
            return []
        if not (given.get("metadata") or {}).get("name"):
            return [("metadata.name", "missing: nothing here is named by chance")]
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
