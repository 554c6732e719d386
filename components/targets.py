"""The registry of targets, one line each: a target is a folder with config.py, plan.py, raw.py, site.py and
addons.py."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from components.plan import Planner

if TYPE_CHECKING:
    from components.addons import TargetAddons
    from components.raw import RawTarget
    from components.site import Site
    from components.target import TargetConfig

_FOLDERS = {
    "vsphere": "components.vsphere",
    "equinix": "components.equinix",
    "tinkerbell": "components.tinkerbell",
}
# Imported by name and late: `isostack plan` of one target must not pay for the others, nor any plan for Pulumi.


def kinds() -> tuple[str, ...]:
    return tuple(_FOLDERS)


@cache
def config(kind: str) -> type[TargetConfig]:
    return cast("type[TargetConfig]", _module(kind, "config").Config)


def planner(kind: str) -> Planner:
    return cast(Planner, _module(kind, "plan"))


def addons(kind: str) -> TargetAddons:
    return cast("TargetAddons", _module(kind, "addons"))


def site(kind: str) -> type[Site]:
    """The target's Site class; importing it imports Pulumi and the target's provider."""
    return cast("type[Site]", _module(kind, "site").Site)


def raw(kind: str) -> RawTarget:
    return cast("RawTarget", _module(kind, "raw"))


def folder(kind: str) -> Path:
    """The target's folder."""
    return Path(cast(str, import_module(_FOLDERS[kind]).__file__)).parent


def _module(kind: str, name: str) -> Any:
    return import_module(f"{_FOLDERS[kind]}.{name}")
