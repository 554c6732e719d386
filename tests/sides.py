"""Stacks side by side as tests look at them: the sets of example stacks, and what is told of them."""

from __future__ import annotations

import io
import json
from typing import Any

from rich.console import Console

from isostack.part import Part
from isostack.report import sidetext
from isostack.report.document import document
from isostack.sidebyside import SideBySide
from tests.examples import previews

EQUINIX, TINKERBELL, VSPHERE = previews("shop")
SETS = {
    "vsphere-tinkerbell": (VSPHERE, TINKERBELL),
    "tinkerbell-equinix": (TINKERBELL, EQUINIX),
    "vsphere-equinix": (VSPHERE, EQUINIX),
    "all": (VSPHERE, TINKERBELL, EQUINIX),
}
CLASS = ("kubernetes:storage.k8s.io/v1:StorageClass", "fast-storageclass")


def printed(result: SideBySide, only: Part | None = None, *, unchanged: bool = False, width: int = 140) -> str:
    out = Console(file=io.StringIO(), width=width, highlight=False)
    sidetext.side_by_side(out, result, only, unchanged=unchanged)
    assert isinstance(out.file, io.StringIO)
    return "\n".join(line.rstrip() for line in out.file.getvalue().splitlines()) + "\n"


def as_json(result: SideBySide, only: Part | None = None) -> dict[str, Any]:
    made = document("diff", **result.only(only))
    return dict(json.loads(json.dumps(made, allow_nan=False)))


def changed(inputs: dict[str, Any]) -> None:
    inputs["allowVolumeExpansion"] = False
    inputs["provisioner"] = "other.example.com"
