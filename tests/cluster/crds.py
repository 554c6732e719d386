"""CustomResourceDefinitions of the clusters: those that others bring, reduced to the fields that isostack writes, and
its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from components.addons import medik8s
from components.plan import Manifest
from tests.specs import ROOT

_TINKERBELL = ROOT / "tests/unit/data/tinkerbell-required.yaml"
"""By kind: what the CRD says of `spec`; its source stands there."""
_NAMES = {
    "Hardware": ("tinkerbell.org/v1alpha1", "hardware"),
    "Machine": ("bmc.tinkerbell.org/v1alpha1", "machines"),
    "Template": ("tinkerbell.org/v1alpha1", "templates"),
    "Workflow": ("tinkerbell.org/v1alpha1", "workflows"),
}


def crds() -> Iterator[dict[str, Any]]:
    for kind, spec in yaml.safe_load(_TINKERBELL.read_text("utf-8")).items():
        yield _crd(kind, *_NAMES[kind], "Namespaced", {"type": "object", "properties": {"spec": spec}})
    for kind, each in yaml.safe_load(Path(__file__).with_name("crds.yaml").read_text("utf-8")).items():
        yield _crd(kind, each["apiVersion"], each["plural"], each["scope"], each["schema"])
    yield from own()


def own() -> Iterator[dict[str, Any]]:
    for thing in medik8s.kinds().objects:
        if isinstance(thing, Manifest) and thing.kind == "CustomResourceDefinition":
            yield {"apiVersion": thing.api_version, "kind": thing.kind, "metadata": {"name": thing.name}, **thing.body}


def _crd(kind: str, api_version: str, plural: str, scope: str, schema: Any) -> dict[str, Any]:
    group, version = api_version.split("/")
    served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    # Groups below k8s.io are Kubernetes' own, and ask for this word [documented] https://kubernetes.io/docs/reference
    # /labels-annotations-taints/#api-approved-kubernetes-io
    metadata = {"name": f"{plural}.{group}", "annotations": {"api-approved.kubernetes.io": "unapproved, of a test"}}
    names = {"kind": kind, "plural": plural}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": {"group": group, "scope": scope, "names": names, "versions": [served]},
    }
