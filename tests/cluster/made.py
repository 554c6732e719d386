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
from isostack.inputs import plan_all, stacks_of
from isostack.stacks import find_project
from tests.specs import ROOT
from tests.standins.certificates import MAKERS
from tests.unit.test_created import Known, create, open_

SPECS = ("shop", "edge")
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

    def one_of_each(self) -> list[str]:
        """A machine of each pool, and the control-plane node that only joins."""
        by_pool = {machine.wanted.pool: machine.name for machine in reversed(self.plan.machines)}
        return sorted({*by_pool.values(), *(m.name for m in self.plan.machines[1:2])})


def named(name: str) -> Stack:
    (stack,) = (stack for stack in stacks() if stack.name == name)
    return stack


@cache
def stacks() -> tuple[Stack, ...]:
    project = find_project(ROOT)
    planned = (each for spec in SPECS for each in plan_all(stacks_of(project, spec)[0]))
    # Whether machines are pinned is another test's: an `up` refuses those that are not.
    return tuple(_made(each.stack.name, replace(each.plan, unpinned=())) for each in planned)


def _made(name: str, plan: Plan) -> Stack:
    raw = targets.raw(plan.kind)
    made = create(plan, Real())
    carried = {machine: raw.decode(shown.user_data) for machine, shown in raw.machines(made)}
    (admin,) = (r for r in made if r.type == "pulumi:providers:kubernetes" and r.name == plan.spec.name)
    objects = (r.inputs for r in made if r.type.startswith("kubernetes:") and not r.type.startswith("kubernetes:helm"))
    return Stack(
        name,
        plan,
        {machine: _files(text) for machine, text in carried.items()},
        json.loads(admin.inputs["kubeconfig"]),
        tuple(objects),
    )


def _files(user_data: str) -> dict[str, str]:
    return {file["path"]: file["content"] for file in yaml.safe_load(user_data)["write_files"]}
