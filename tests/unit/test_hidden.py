"""What targets declare of settings that nothing shows: real fields, and all that vSphere's site looks up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pulumi
import pytest
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks
from pydantic import BaseModel

from components import targets
from components.planning import make_plan
from components.vsphere.site import BORN_WITH, Site
from isostack.changes import within
from tests.specs import rich
from tests.unit.test_vsphere import config

FOUND = "looked up: "


def fields(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Dotted paths, as in a stack file."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        yield path
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from fields(kind, f"{path}.")


@pytest.mark.parametrize("kind", targets.kinds())
def test_what_is_declared_is_there(kind: str) -> None:
    of = targets.config(kind)
    assert set(of.hidden) <= {*fields(of), *(ref.name for ref in of.settings)}


class VCenter(Mocks):
    """Whatever is looked up, is what it is called; keeps what all resources are made with."""

    def __init__(self) -> None:
        self.inputs: dict[str, dict[str, Any]] = {}

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.inputs[f"{args.typ}::{args.name}"] = args.inputs
        return f"id of {args.name}", args.inputs

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        found = f"{FOUND}{args.args['name']}"
        return {"id": found, "resourcePoolId": found, "guestId": found, "firmware": found}, []


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Items of lists stand under the list's own path."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item, path)
    else:
        yield path, value


def test_all_that_vsphere_looks_up_is_declared() -> None:
    """But for hosts, which facts of the site and of machines name."""
    wish, vcenter = rich(), VCenter()
    target = config(wish, {"cluster": "own-cluster", "datacenter": "own-dc", "storagePolicy": "own-policy"})
    plan = make_plan(wish, target)
    pulumi.runtime.set_mocks(vcenter, preview=False)

    @pulumi.runtime.test
    def program() -> None:
        site = Site(plan, pulumi.ComponentResource("isostack:index:Site", "site"))
        made = {m.name: site.machine(m, pulumi.Output.secret({}), site._parent) for m in plan.machines}
        site.finish(made)

    program()
    named = {value: path for path, value in leaves(plan.settings)}
    by_vm: set[tuple[str, str]] = set()
    every: set[str] = set()
    for name, inputs in vcenter.inputs.items():
        for at, value in leaves(inputs):
            if isinstance(value, str) and value.startswith(FOUND):
                path = named[value.removeprefix(FOUND)]
                every.add(path)
                if "VirtualMachine::" in name:
                    by_vm.add((at, path))
    assert every == {"datacenter", "cluster", "datastore", "storagePolicy", "template", "network.name", "hosts.name"}
    assert every - {"hosts.name"} <= set(target.hidden)
    # What counts at the next birth says so, and nothing else does.
    for at, path in by_vm - {("hostSystemId", "hosts.name")}:
        assert any(within(at, each) for each in BORN_WITH) == ("next birth" in target.hidden[path]), at
