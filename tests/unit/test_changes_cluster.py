"""What becomes of running machines when the whole cluster changes: the API's address, the release of Kubernetes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from components import facts
from components.plan import RELEASE
from isostack.changes import Kind, changes
from isostack.preview.model import Preview, Resource
from tests.examples import previews
from tests.unit.test_changes import altered, bodies, with_facts


@pytest.fixture(params=["shop-vsphere", "shop-tinkerbell", "shop-equinix"])
def stack(request: pytest.FixtureRequest) -> Preview:
    return next(each for each in previews("shop") if each.stack == request.param)


def test_the_apis_new_address_counts_at_the_next_birth_of_every_machine(stack: Preview) -> None:
    """No file's digest shows it: targets differ in it."""

    def at(address: str) -> Preview:
        return altered(stack, lambda r: with_facts(r, "endpoint", address) if r.type == facts.CLUSTER else r)

    found = changes(at("10.9.0.1"), at("10.9.0.2"))
    (cause,), (file,), (row,) = found.causes, found.files, found.machines
    assert (cause.subject, cause.field, cause.before, cause.after) == ("cluster", "endpoint", "10.9.0.1", "10.9.0.2")
    assert cause.meaning == (
        "machines that run keep the old address until they are built anew, and what runs in the cluster takes the new "
        "one at once"
    )
    assert (file.file, len(file.names)) == ("(the API's address, wherever it stands)", 14)
    assert (file.text, file.meaning) == ("-10.9.0.1\n+10.9.0.2", "counts at the next birth only")
    assert (row.kind, row.names) == (Kind.LATER, file.names)


def released(version: str, *, upgrades: bool = True) -> Callable[[Resource], Resource]:
    """All that is the release's in facts."""

    def alter(resource: Resource) -> Resource:
        if resource.type == facts.MACHINE:
            labels = {**resource.inputs["facts"]["wanted"]["labels"], RELEASE: version}
            return with_facts(resource, "wanted.labels", labels)
        if resource.type != facts.CLUSTER:
            return resource
        wanted = resource if upgrades else with_facts(resource, "wanted.kubernetes.upgrades", None)
        return with_facts(wanted, "wanted.kubernetes.version", version)

    return alter


def test_nodes_that_are_upgraded_in_place(stack: Preview) -> None:
    found = changes(stack, altered(stack, released("1.36.9")))
    (row,) = found.machines
    assert (row.kind, len(row.names)) == (Kind.CHANGED, 14)
    assert row.meaning == "its machine stays; its node is drained and upgraded in place by kubernetes.upgrades"
    assert [cause.field for cause in found.causes] == ["kubernetes.version"]
    # One that is built anew is not upgraded beside that.
    born = {each.urn for each in bodies(stack, "shop-web-0")}
    again = altered(stack, lambda r: replace(released("1.36.9")(r), replacement_trigger="x" if r.urn in born else None))
    rows = changes(altered(stack, lambda r: replace(r, replacement_trigger=None)), again).machines
    assert [(each.kind, len(each.names)) for each in rows] == [(Kind.REPLACED, 1), (Kind.CHANGED, 13)]
    # One whose body changes as well may be restarted: that stands first.
    body = bodies(stack, "shop-web-0")[0]

    def both(resource: Resource) -> Resource:
        changed = replace(resource, inputs={**resource.inputs, "another": 1}) if resource is body else resource
        return released("1.36.9")(changed)

    said = {name: each.meaning for each in changes(stack, altered(stack, both)).machines for name in each.names}
    assert said["shop-web-0"] == (
        "stays; whether a provider restarts it for what changes in place, only the provider knows; "
        "its node is drained and upgraded in place by kubernetes.upgrades"
    )


@pytest.mark.parametrize(
    ("version", "upgrades", "said"),
    [
        (
            "1.36.2",
            True,
            "running nodes do not follow: an upgrade refuses an earlier release before it drains anything, and what is "
            "born from now on has it",
        ),
        (
            "1.38.0",
            True,
            "running nodes do not follow: an upgrade takes one minor at a time, and refuses before it drains anything",
        ),
        ("1.36.9", False, ""),
    ],
)
def test_nodes_that_no_job_upgrades(stack: Preview, version: str, upgrades: bool, said: str) -> None:
    before = altered(stack, released("1.36.3", upgrades=upgrades))
    found = changes(before, altered(stack, released(version, upgrades=upgrades)))
    (row,) = found.machines
    assert (row.kind, row.meaning) == (Kind.LATER, "left alone: what changes counts at the next birth only")
    version_, label = found.causes
    assert (version_.field, label.field) == ("kubernetes.version", f"labels.{RELEASE}")
    packages = "kubeadm, kubelet and kubectl packages of that release; "
    assert version_.meaning == f"{packages}{said or 'running nodes follow by kubernetes.upgrades'}"
