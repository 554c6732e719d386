"""What all who read a preview rely on, checked of one that others wrote: its parts belong together, and their facts are
ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from components import facts, targets
from components.decode import decode
from components.facts import ClusterFacts, MachineFacts
from components.problems import InvalidInput, Problem
from components.wording import did_you_mean
from isostack.preview.model import Preview, Resource
from isostack.preview.urn import ROOT_STACK_TYPE, is_provider, parts_of


def checked(preview: Preview) -> Preview:
    """The preview, if all that readers rely on holds: its parts belong together, and their facts are ours."""
    problems = list(_dangling(preview)) or list(_wrong_tree(preview)) or list(_wrong_facts(preview))
    if problems:
        raise InvalidInput(problems)
    return preview


def _dangling(preview: Preview) -> Iterator[Problem]:
    counts = Counter(resource.urn for resource in preview.resources)
    yield from (Problem(f"is in it {count} times", path=(short(urn),)) for urn, count in counts.items() if count > 1)
    right = "a preview of all of the stack, without --target or --exclude, has it"
    for resource in preview.resources:
        if parts_of(resource.urn)[:2] != (preview.stack, preview.project):
            yield Problem(f"belongs to another stack than {preview.stack}", path=(short(resource.urn),))
        for field, urn in _named(resource):
            if urn not in counts:
                yield Problem(f"{short(urn)} is not in it", right, (short(resource.urn), field))


def _wrong_tree(preview: Preview) -> Iterator[Problem]:
    """Parents that lead to no root, or to another one."""
    root, *others = preview.of_type(ROOT_STACK_TYPE)
    yield from (Problem("is a second root", path=(short(other.urn),)) for other in others)
    for resource in preview.resources:
        above, met = resource, {resource.urn}
        while above.parent is not None and above.parent not in met:
            above = preview.by_urn[above.parent]
            met.add(above.urn)
        if above.parent is not None:
            yield Problem("its parents go round in a ring", path=(short(resource.urn), "parent"))
        elif above is not root and not is_provider(above.urn):
            yield Problem("belongs to no stack: it has no parent", path=(short(above.urn), "parent"))


def _named(resource: Resource) -> Iterator[tuple[str, str]]:
    """The URNs of other resources in a resource, each with the field that it stands in."""
    ones = {"parent": resource.parent, "provider": resource.provider, "deletedWith": resource.deleted_with}
    yield from ((field, urn) for field, urn in ones.items() if urn)
    yield from (("dependencies", urn) for urn in resource.dependencies)
    yield from (
        (f"propertyDependencies.{k}", urn) for k, urns in resource.property_dependencies.items() for urn in urns
    )


def _wrong_facts(preview: Preview) -> Iterator[Problem]:
    clusters = preview.of_type(facts.CLUSTER)
    if len(clusters) != 1:
        what = f"{len(clusters)} clusters are in it" if clusters else f"{preview.stack} is no stack of isostack"
        yield Problem(what, "one Cluster is wanted: a program that makes none cannot be compared")
        return
    machines: dict[str, str] = {}
    for resource in preview.resources:
        model = facts.KINDS.get(resource.type)
        if model is None:
            continue
        try:
            found = decode(model, resource.inputs.get("facts"), document=None, at=(short(resource.urn), "facts"))
        except InvalidInput as error:
            yield from error.problems
            continue
        if isinstance(found, MachineFacts):
            if (name := found.wanted.name) in machines:
                what = f"a second machine of this name, beside {machines[name]}"
                yield Problem(what, path=(short(resource.urn), "facts", "wanted", "name"))
            machines[name] = short(resource.urn)
        if isinstance(found, ClusterFacts) and found.target not in targets.kinds():
            near = did_you_mean(found.target, targets.kinds())
            right = f"did you mean {near!r}?" if near else f"targets: {', '.join(targets.kinds())}"
            yield Problem(f"no target {found.target!r}", right, (short(resource.urn), "facts", "target"))


def short(urn: str) -> str:
    """`Machine shop-web-0`; what is no URN, as it is."""
    try:
        _, _, type_, name = parts_of(urn)
    except ValueError:
        return repr(urn[:80])
    return f"{type_.rpartition(':')[2]} {name}"
