"""What becomes of a stack, told from two previews of it: one of an example, and the same one altered by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from components import facts
from components.plan import ZONE
from isostack.changes import Kind, Property, Row, StackChange, changes
from isostack.flat import differing, texts
from isostack.preview.model import UNKNOWN, Preview, Resource, Secret
from isostack.update import COMMAND
from tests.examples import previews


@pytest.fixture(params=["shop-vsphere", "shop-tinkerbell", "shop-equinix"])
def stack(request: pytest.FixtureRequest) -> Preview:
    return next(each for each in previews("shop") if each.stack == request.param)


def altered(preview: Preview, alter: Callable[[Resource], Resource | None]) -> Preview:
    """With every resource as `alter` makes it; None: without it."""
    made = (alter(each) for each in preview.resources)
    return replace(preview, resources=tuple(each for each in made if each is not None))


def put(values: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at a dotted path."""
    key, _, rest = path.partition(".")
    return {**values, key: put(values.get(key, {}), rest, value) if rest else value}


def with_facts(resource: Resource, path: str, value: Any) -> Resource:
    return replace(resource, inputs=put(resource.inputs, f"facts.{path}", value))


def is_of(preview: Preview, resource: Resource, machine: str) -> bool:
    """Whether it is the machine's own raw resource."""
    return resource.parent in {each.urn for each in preview.of_type(facts.MACHINE) if each.name == machine}


def bodies(preview: Preview, machine: str) -> list[Resource]:
    return [each for each in preview.resources if is_of(preview, each, machine) and each.replacement_trigger]


def of_kind(rows: tuple[Row, ...], kind: Kind) -> list[str]:
    return [name for row in rows if row.kind is kind for name in row.names]


def test_nothing_changes(stack: Preview) -> None:
    assert changes(stack, stack) == StackChange(stack.stack, None, counts={"before": 14, "after": 14})


def test_a_stack_that_comes_and_one_that_goes(stack: Preview) -> None:
    come, gone = changes(None, stack), changes(stack, None)
    custom = [each.name for each in stack.resources if each.custom]
    assert (come.kind, sorted(of_kind(come.resources, Kind.CREATED))) == (Kind.CREATED, sorted(custom))
    assert (gone.kind, sorted(of_kind(gone.resources, Kind.DELETED))) == (Kind.DELETED, sorted(custom))
    assert (come.counts, gone.counts) == ({"before": 0, "after": 14}, {"before": 14, "after": 0})
    assert (len(of_kind(come.machines, Kind.CREATED)), len(of_kind(gone.machines, Kind.DELETED))) == (14, 14)
    # A file that is gone deletes nothing, whatever it described.
    stays = "no longer described: it stays until `pulumi destroy`, which needs the stack's file"
    assert {row.meaning for row in (*gone.machines, *gone.resources)} == {stays}
    with pytest.raises(ValueError, match="nowhere"):
        changes(None, None)


def test_a_raised_generation_builds_one_machine_anew(stack: Preview) -> None:
    """Its body says so, and its membership follows: the node is drained."""
    born = {each.urn for each in bodies(stack, "shop-web-0")}
    found = changes(stack, altered(stack, lambda r: replace(r, replacement_trigger="next") if r.urn in born else r))
    (machine,) = found.machines
    assert (machine.kind, machine.names) == (Kind.REPLACED, ("shop-web-0",))
    on_vms = {site.inputs["facts"]["machine"] for site in stack.of_type(facts.SITE)} == {"vm"}
    made = "its VM deleted and made anew" if on_vms else "its host imaged anew"
    address = "" if stack.stack != "shop-equinix" else ", with the address that it is given then"
    assert machine.meaning == f"drained, taken out of the cluster, {made}, joined again{address}"
    again = [row for row in found.resources if row.kind is Kind.REPLACED]
    assert {name for row in again for name in row.names} == {
        *(each.name for each in bodies(stack, "shop-web-0")),
        "shop-web-0-membership",
    }
    (membership,) = [row for row in again if row.type == COMMAND]
    assert membership.meaning == "triggers is another; its delete runs, then its create"
    assert any(property.after.endswith(", built anew") for property in membership.properties)


def test_a_machine_gets_a_new_address_with_its_birth(stack: Preview) -> None:
    born = {each.urn for each in bodies(stack, "shop-web-0")}

    def alter(resource: Resource) -> Resource:
        if resource.type == facts.MACHINE and resource.name == "shop-web-0":
            return with_facts(resource, "place.address", "10.9.9.9")
        return replace(resource, replacement_trigger="next") if resource.urn in born else resource

    found = changes(stack, altered(stack, alter))
    (machine,) = found.machines
    before = next(m for m in stack.of_type(facts.MACHINE) if m.name == "shop-web-0").inputs["facts"]["place"]["address"]
    assert machine.meaning.endswith(f", with a new address: {before} -> 10.9.9.9")
    assert found.causes == ()  # the row has said it


def test_what_a_resource_ignores_counts_at_the_next_birth(stack: Preview) -> None:
    body = next(each for each in bodies(stack, "shop-web-0") if each.ignore_changes)
    changed = replace(body, inputs=put(body.inputs, body.ignore_changes[0], "x"))
    found = changes(stack, altered(stack, lambda r: changed if r is body else r))
    (row,) = found.resources
    assert (row.kind, row.names, row.meaning) == (Kind.LATER, (body.name,), "keeps what it was made with")
    assert all(each.ignored for each in row.properties)
    assert of_kind(found.machines, Kind.LATER) == ["shop-web-0"]
    # Where it is built anew all the same, it counts now.
    now = replace(changed, replacement_trigger="next")
    found = changes(stack, altered(stack, lambda r: now if r is body else r))
    (again,) = [row for row in found.resources if body.name in row.names and row.type == body.type]
    assert (again.kind, any(each.ignored for each in again.properties)) == (Kind.REPLACED, False)


def test_a_body_that_changes_in_place(stack: Preview) -> None:
    body = bodies(stack, "shop-web-0")[0]
    changed = replace(body, inputs={**body.inputs, "another": 1})
    found = changes(stack, altered(stack, lambda r: changed if r is body else r))
    (row,) = found.resources
    assert (row.kind, row.properties) == (Kind.CHANGED, (Property("another", "absent", "1"),))
    assert row.meaning == "in place; whether that restarts the machine, its provider knows"
    (machine,) = found.machines
    assert (machine.kind, machine.names) == (Kind.CHANGED, ("shop-web-0",))


def test_equal_changes_are_one_row(stack: Preview) -> None:
    def alter(resource: Resource) -> Resource:
        if resource.type != COMMAND or "LABELS" not in resource.inputs["environment"]:
            return resource
        return replace(resource, inputs=put(resource.inputs, "environment.LABELS", '{"a": "b"}'))

    found = changes(stack, altered(stack, alter))
    (row,), (machines,) = found.resources, found.machines
    assert (row.kind, len(row.names)) == (Kind.CHANGED, 14)
    assert row.properties == (Property("environment.LABELS", "{}", '{"a": "b"}'),)
    assert (machines.kind, len(machines.names)) == (Kind.CHANGED, 14)
    assert machines.meaning == "stays and is not restarted; its node's labels follow"


def test_a_membership_that_loses_a_trigger_drains_a_node_whose_machine_stays(stack: Preview) -> None:
    def alter(resource: Resource) -> Resource:
        if resource.name != "shop-web-0-membership":
            return resource
        fewer = resource.property_dependencies["triggers"][1:]
        inputs = {**resource.inputs, "triggers": resource.inputs["triggers"][1:]}
        dependencies = {**resource.property_dependencies, "triggers": fewer}
        return replace(resource, inputs=inputs, property_dependencies=dependencies)

    (machine,) = changes(stack, altered(stack, alter)).machines
    assert (machine.kind, machine.names) == (Kind.CHANGED, ("shop-web-0",))
    assert machine.meaning == "its machine stays, and its node is drained, taken out of the cluster and must join again"


def test_one_machine_more_and_one_less(stack: Preview) -> None:
    last = next(each for each in stack.of_type(facts.MACHINE) if each.name == "shop-web-5")
    fewer = altered(stack, lambda r: None if r is last or r.parent == last.urn else r)
    (gone,), (come,) = changes(stack, fewer).machines, changes(fewer, stack).machines
    assert (gone.kind, gone.names) == (Kind.DELETED, ("shop-web-5",))
    assert gone.meaning == "drained, taken out of the cluster, deleted"
    assert come.kind is Kind.CREATED
    assert come.names[0].startswith("shop-web-5 (zone c, ")


def test_a_fact_of_many_machines_is_told_once(stack: Preview) -> None:
    found = changes(
        stack,
        altered(stack, lambda r: with_facts(r, "wanted.labels.new", "x") if r.type == facts.MACHINE else r),
    )
    (cause,) = found.causes
    assert (cause.subject, cause.field, cause.before, cause.after) == ("machines", "labels.new", "absent", "x")
    assert (len(cause.names), cause.meaning) == (14, "counts at the next birth only")
    assert of_kind(found.machines, Kind.LATER) == list(cause.names)


def test_a_label_that_says_what_another_fact_says_is_not_told(stack: Preview) -> None:
    def alter(resource: Resource) -> Resource:
        if resource.name != "shop-web-0" or resource.type != facts.MACHINE:
            return resource
        labels = {**resource.inputs["facts"]["wanted"]["labels"], ZONE: "c"}
        return with_facts(with_facts(resource, "wanted.labels", labels), "wanted.zone", "c")

    (cause,) = changes(stack, altered(stack, alter)).causes
    assert (cause.field, cause.before, cause.after, cause.names) == ("zone", "a", "c", ("shop-web-0",))


def test_a_machine_that_is_built_anew_says_its_other_facts(stack: Preview) -> None:
    born = {each.urn for each in bodies(stack, "shop-web-0")}

    def alter(resource: Resource) -> Resource:
        if resource.type == facts.MACHINE and resource.name == "shop-web-0":
            return with_facts(resource, "wanted.tenant", "another")
        return replace(resource, replacement_trigger="next") if resource.urn in born else resource

    (cause,) = changes(stack, altered(stack, alter)).causes
    assert (cause.field, cause.after, cause.meaning) == ("tenant", "another", "counts now: it is built anew")


def test_hosts_that_change_alike_are_one_cause(stack: Preview) -> None:
    def with_hosts(memory: str, usable: str, more: int = 0) -> Preview:
        one = {"zone": "a", "cpus": 8, "memory": memory, "usableCpus": 8, "usableMemory": usable}
        hosts = [{"name": f"h{i}.example.com", **one} for i in range(200 + more)]
        return altered(stack, lambda r: with_facts(r, "hosts", hosts) if r.type == facts.SITE else r)

    def told(before: Preview, after: Preview) -> list[tuple[str, str, str]]:
        found = changes(before, after).causes
        assert {each.subject for each in found} == {"site main"}
        return [(each.field, each.before, each.after) for each in found]

    few = with_hosts("64Gi", "64Gi")
    all_of_them = "hosts[h0.example.com, h1.example.com, h2.example.com and 197 more]"
    assert told(few, with_hosts("96Gi", "96Gi")) == [(f"{all_of_them}.memory", "64Gi", "96Gi")]
    assert told(few, with_hosts("96Gi", "90Gi")) == [
        (f"{all_of_them}.memory", "64Gi", "96Gi"),
        (f"{all_of_them}.usableMemory", "64Gi", "90Gi"),
    ]
    ((field, before, after),) = told(few, with_hosts("64Gi", "64Gi", more=2))
    assert (field, before) == ("hosts[h200.example.com, h201.example.com]", "absent")
    assert '"zone": "a"' in after
    assert "example.com" not in after
    ((field, _, after),) = told(few, with_hosts("64Gi", "64Gi", more=1))
    assert field == "hosts[h200.example.com]"
    assert '"name": "h200.example.com"' in after


def test_a_wish_says_how_it_comes_true(stack: Preview) -> None:
    def alter(resource: Resource) -> Resource:
        return (
            with_facts(resource, "wanted.kubernetes.version", "1.36.9") if resource.type == facts.CLUSTER else resource
        )

    (cause,) = changes(stack, altered(stack, alter)).causes
    assert (cause.subject, cause.field, cause.before, cause.after) == ("spec", "kubernetes.version", "1.36.3", "1.36.9")
    assert cause.meaning == (
        "kubeadm, kubelet and kubectl packages of that release; running nodes follow by kubernetes.upgrades"
    )


def test_files_of_user_data_are_named_with_their_machines(stack: Preview) -> None:
    def alter(resource: Resource) -> Resource:
        if resource.type != facts.MACHINE or resource.inputs["facts"]["wanted"]["pool"] != "db":
            return resource
        files = {**resource.inputs["facts"]["userData"]["files"], "/etc/crictl.yaml": "0" * 12, "/etc/new": "1" * 12}
        return with_facts(resource, "userData.files", files)

    found = changes(stack, altered(stack, alter)).files
    assert [(each.file, each.kind, each.names) for each in found] == [
        ("/etc/crictl.yaml", Kind.CHANGED, ("shop-db-0", "shop-db-1", "shop-db-2")),
        ("/etc/new", Kind.CREATED, ("shop-db-0", "shop-db-1", "shop-db-2")),
    ]
    assert {each.meaning for each in found} == {"counts at the next birth only"}
    # A body that does not ignore its user data: what becomes of it is the provider's.
    plain = altered(stack, lambda r: replace(r, ignore_changes=()))
    assert {each.meaning for each in changes(plain, altered(plain, alter)).files} == {
        "what becomes of changed user data, the provider decides"
    }


def test_a_renamed_resource_is_the_same(stack: Preview) -> None:
    old = stack.resources[-1]
    new = replace(old, urn=f"{old.urn}-x", name=f"{old.name}-x", aliases=(old.urn,))
    found = changes(stack, altered(stack, lambda r: new if r is old else r))
    (row,) = found.resources
    assert (row.kind, row.names, row.meaning) == (
        Kind.RENAMED,
        (new.name,),
        "the same resource: nothing happens to it",
    )
    assert row.was == (f"{old.type.rpartition(':')[2]} {old.name}",)
    without = replace(new, aliases=())
    found = changes(stack, altered(stack, lambda r: without if r is old else r))
    assert [row.kind for row in found.resources] == [Kind.DELETED, Kind.CREATED]


def test_what_is_deleted_and_how(stack: Preview) -> None:
    last = stack.resources[-1]

    def meaning(**options: Any) -> str:
        before = altered(stack, lambda r: replace(last, **options) if r is last else r)
        (row,) = changes(before, altered(stack, lambda r: None if r is last else r)).resources
        assert row.kind is Kind.DELETED
        return row.meaning

    assert meaning(protect=True) == "protected: `up` refuses"
    assert meaning(protect=False, retain_on_delete=True) == "left as it is, and no longer managed"
    assert meaning(protect=False, retain_on_delete=False, deleted_with=None) == ""


def test_what_the_engine_says_goes_first(stack: Preview) -> None:
    last = stack.resources[-1]
    changed = altered(stack, lambda r: replace(r, inputs={**r.inputs, "another": 1}) if r is last else r)
    (row,) = changes(stack, replace(changed, replaced=frozenset({last.urn}))).resources
    assert (row.kind, row.meaning) == (Kind.REPLACED, "the engine says so")


def test_what_a_state_knows_and_a_preview_cannot_is_no_change(stack: Preview) -> None:
    last = stack.resources[-1]
    known = altered(stack, lambda r: replace(r, inputs={**r.inputs, "id": "i-1"}) if r is last else r)
    unknown = altered(stack, lambda r: replace(r, inputs={**r.inputs, "id": UNKNOWN}) if r is last else r)
    assert changes(replace(known, origin="state.json"), unknown).kind is None
    (row,) = changes(known, unknown).resources
    assert row.properties == (Property("id", "i-1", "(known after creation)"),)


def test_secrets_are_never_told() -> None:
    assert texts(Secret("a"), "b") == ("[secret]", "(stands in clear)")
    assert texts({"x": [Secret("a")]}, {"x": ["b"]}) == ('{"x": ["[secret]"]}', "(stands in clear)")
    assert list(differing({"x": Secret("a")}, {"x": Secret("b")})) == []
    assert [path for path, *_ in differing({"x": Secret("a")}, {"x": "a"})] == ["x"]


def test_items_of_lists_go_by_their_names() -> None:
    before = [{"name": "a", "size": 1}, {"name": "b", "size": 2}]
    after = [{"name": "b", "size": 3}, {"name": "c"}, {"name": "a", "size": 1}]
    found = [(path, *texts(a, b)) for path, a, b in differing(before, after, "pools")]
    assert found == [
        ("pools[b].size", "2", "3"),
        ("pools[c]", "absent", '{"name": "c"}'),
        ("pools[]", '["a", "b"]', '["b", "a"]'),
    ]
    assert texts("1", 1) == ('"1"', "1")
    assert list(differing({"x": True}, {"x": 1})) == [("x", True, 1)]
