"""What the example stacks make once everything is known, with real keys: user data, the admin's kubeconfig, objects."""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import yaml
from pulumi.runtime.mocks import MockResourceArgs

from components import targets
from components.plan import Plan
from components.planning import make_plan
from isostack.inputs import plan_all
from isostack.stacks import StackFile, find_project
from tests.specs import ROOT
from tests.standins.certificates import MAKERS
from tests.unit.test_created import Known, create, open_

SHOP, EDGE = "shop-vsphere", "edge-tinkerbell"
"""The stack that asks for most, and one that asks for least: no cloud provider, log-in or tenants."""
_ALPHABET = string.ascii_lowercase + string.digits


class Real(Known):
    """Keys, certificates and random texts that do what they are for."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        id_, made = super().new_resource(args)
        kind = args.typ.rpartition(":")[2]
        if kind in MAKERS:
            made |= MAKERS[kind](open_(args.inputs))
        elif kind in ("RandomString", "RandomPassword"):
            made["result"] = "".join(random.choices(_ALPHABET, k=int(args.inputs["length"])))
        elif kind == "RandomBytes":
            made["base64"] = base64.b64encode(random.randbytes(int(args.inputs["length"]))).decode()
        return id_, made


@dataclass(frozen=True)
class Stack:
    """A stack as an `up` would make it."""

    name: str
    plan: Plan
    user_data: Mapping[str, str]
    """By machine: the cloud-config."""
    files: Mapping[str, Mapping[str, str]]
    """By machine and path: what cloud-init writes."""
    kubeconfig: Mapping[str, Any]
    """The admin's."""
    objects: tuple[Mapping[str, Any], ...]
    """Of every cluster that the stack speaks to, in the order in which they are made."""

    @property
    def first(self) -> str:
        """The machine that makes the cluster."""
        return self.plan.machines[0].name


@cache
def plans() -> Mapping[str, Plan]:
    """Of every stack of this checkout, by its name."""
    found = (each for each in find_project(ROOT).read_all() if isinstance(each, StackFile))
    # Whether machines are pinned is another test's: an `up` refuses those that are not.
    return {each.stack.name: replace(each.plan, unpinned=()) for each in plan_all(found)}


def one_of_each(plan: Plan) -> list[str]:
    """A machine of each pool, and the control-plane node that only joins."""
    by_pool = {machine.wanted.pool: machine.name for machine in reversed(plan.machines)}
    return sorted({*by_pool.values(), *(machine.name for machine in plan.machines[1:2])})


@cache
def made(name: str) -> Stack:
    return _made(name, plans()[name])


def made_of_version(name: str, version: str) -> Stack:
    """A stack whose spec asks for another version of Kubernetes."""
    plan = plans()[name]
    kubernetes = plan.spec.kubernetes.model_copy(update={"version": version})
    other = make_plan(plan.spec.model_copy(update={"kubernetes": kubernetes}), plan.target)
    return _made(name, replace(other, unpinned=()))


def _made(name: str, plan: Plan) -> Stack:
    raw = targets.raw(plan.kind)
    resources = create(plan, Real())
    carried = {machine: raw.decode(shown.user_data) for machine, shown in raw.machines(resources)}
    (admin,) = (r for r in resources if r.type == "pulumi:providers:kubernetes" and r.name == plan.spec.name)
    kinds = ((r.type, r.inputs) for r in resources if r.type.startswith("kubernetes:"))
    objects = (inputs for kind, inputs in kinds if not kind.startswith("kubernetes:helm"))
    return Stack(
        name,
        plan,
        carried,
        {machine: _files(text) for machine, text in carried.items()},
        json.loads(admin.inputs["kubeconfig"]),
        tuple(objects),
    )


def _files(user_data: str) -> dict[str, str]:
    return {file["path"]: file["content"] for file in yaml.safe_load(user_data)["write_files"]}
