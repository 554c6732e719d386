"""What single fields of a spec cannot see: duplicates, references, counts, overlaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from components.networks import cluster_problems
from components.problems import FieldPath, Problem
from components.quantity import format_millicpus, show_bytes
from components.spec import CONTROL_PLANE, MAX_NODE_NAME, MAX_NODES, Spec


def problems(spec: Spec) -> Iterator[Problem]:
    """What single fields cannot see: duplicates, references, counts, overlaps. Paths are those of the YAML."""
    yield from _duplicates(spec)
    yield from _references(spec)
    yield from _homeless(spec)
    yield from _over_quota(spec)
    yield from _nodes(spec)
    if spec.control_plane.nodes % 2 == 0:
        n = spec.control_plane.nodes
        yield Problem(
            f"{n} control-plane nodes survive the loss of {(n - 1) // 2}, as {n - 1} do: etcd needs a majority",
            f"choose {n - 1} or {n + 1}",
            ("controlPlane", "nodes"),
        )
    reboots = spec.availability.reboots
    if reboots and reboots.start >= reboots.end:
        # Both are of one day [seen] github.com/kubereboot/kured pkg/timewindow/timewindow.go.
        what = f"no time lies between {reboots.start} and {reboots.end} of one day: no node would ever restart"
        yield Problem(what, "end before midnight", ("availability", "reboots", "end"))
    defaults = [i for i, c in enumerate(spec.storage.classes) if c.default]
    for i in defaults[1:]:
        first = spec.storage.classes[defaults[0]].name
        yield Problem(
            f"a second default storage class beside {first!r}", "keep one", ("storage", "classes", i, "default")
        )


def _duplicates(spec: Spec) -> Iterator[Problem]:
    lists: Sequence[tuple[FieldPath, Iterable[str], FieldPath]] = (
        (("zones",), spec.zones, ()),
        (("pools",), (p.name for p in spec.pools), ("name",)),
        (("tenants",), (t.name for t in spec.tenants), ("name",)),
        (("storage", "classes"), (c.name for c in spec.storage.classes), ("name",)),
        (("workloads",), (w.name for w in spec.workloads), ("name",)),
        (("availability", "reboots", "days"), spec.availability.reboots.days if spec.availability.reboots else (), ()),
        *((("pools", i, "zones"), pool.zones, ()) for i, pool in enumerate(spec.pools)),
    )
    for path, names, leaf in lists:
        seen: dict[str, int] = {}
        for i, name in enumerate(names):
            if name in seen:
                yield Problem(
                    f"{name!r} stands twice, first at [{seen[name]}]", "give each its own name", (*path, i, *leaf)
                )
            seen.setdefault(name, i)


def _references(spec: Spec) -> Iterator[Problem]:
    tenants, pools = [t.name for t in spec.tenants], [p.name for p in spec.pools]
    for i, pool in enumerate(spec.pools):
        if pool.name == CONTROL_PLANE:
            yield Problem(f"{CONTROL_PLANE!r} is the control plane's own name", "rename the pool", ("pools", i, "name"))
        if pool.tenant is not None and pool.tenant not in tenants:
            yield Problem(f"no tenant {pool.tenant!r}", _one_of(tenants, "tenants"), ("pools", i, "tenant"))
        for j, zone in enumerate(pool.zones):
            if zone not in spec.zones:
                yield Problem(f"no zone {zone!r}", _one_of(spec.zones, "zones"), ("pools", i, "zones", j))
    for i, workload in enumerate(spec.workloads):
        if workload.pool not in pools:
            yield Problem(f"no pool {workload.pool!r}", _one_of(pools, "pools"), ("workloads", i, "pool"))


def _homeless(spec: Spec) -> Iterator[Problem]:
    """Tenants whose pods no pool takes."""
    takers = {pool.tenant for pool in spec.pools}
    for i, tenant in enumerate(spec.tenants):
        if None not in takers and tenant.name not in takers:
            what = f"no pool takes the pods of {tenant.name}: every pool belongs to another tenant"
            yield Problem(what, "give it a pool (pools[].tenant), or leave one pool without a tenant", ("tenants", i))


def _over_quota(spec: Spec) -> Iterator[Problem]:
    """Tenants whose own workloads would not be let in: those of the pools that are theirs alone."""
    own = {pool.name: pool.tenant for pool in spec.pools}
    for i, tenant in enumerate(spec.tenants):
        works = [work for work in spec.workloads if own.get(work.pool) == tenant.name]
        if tenant.quota is None:
            continue
        cpu = sum(work.replicas * work.requests.cpu for work in works)
        memory = sum(work.replicas * work.requests.memory for work in works)
        for name, asked, granted, show in (
            ("cpu", cpu, tenant.quota.cpu, format_millicpus),
            ("memory", memory, tenant.quota.memory, show_bytes),
        ):
            if asked > granted:
                what = f"its workloads ask for {show(asked)}: pods beyond {show(granted)} are refused"
                yield Problem(what, f"grant {show(asked)} or more", ("tenants", i, "quota", name))


def _one_of(names: Iterable[str], kind: str) -> str:
    listed = ", ".join(names)
    return f"{kind} of this spec: {listed}" if listed else f"this spec lists no {kind}"


def _nodes(spec: Spec) -> Iterator[Problem]:
    nodes = spec.control_plane.nodes + sum(pool.nodes + spec.availability.surge for pool in spec.pools)
    yield from cluster_problems(spec.kubernetes.pod_cidr, spec.kubernetes.service_cidr, nodes)
    if nodes > MAX_NODES:
        yield Problem(
            f"{nodes} nodes are more than the {MAX_NODES} that Kubernetes supports", "split the cluster", ("pools",)
        )
    for i, pool in enumerate(spec.pools):
        last = f"{spec.name}-{pool.name}-{pool.nodes - 1}"
        if (more := len(last) - MAX_NODE_NAME) > 0:
            what = f"the node {last} has {len(last)} characters, {MAX_NODE_NAME} fit"
            yield Problem(what, f"make the pool's or the cluster's name shorter by {more}", ("pools", i, "name"))
