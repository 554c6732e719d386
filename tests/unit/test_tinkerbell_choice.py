"""Target tinkerbell: a machine goes without a host only when none can be had for it, and the refusal says why."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from components.planning import wanted_machines
from components.spec import Spec
from components.tinkerbell.choice import carries_endpoint, choose, misfit
from components.tinkerbell.config import Config
from tests.unit.test_tinkerbell import CLASSES, SIZE, config, hosts, placed, refused, spec, told

CROSSED = {
    **CLASSES,
    "slim": {"cpus": 16, "memory": "16Gi", "disk": "960G"},
    "fat": {"cpus": 8, "memory": "64Gi", "disk": "960G"},
}
"""Two of these classes do not cover each other."""


def sized(wanted: Spec, **memory: str) -> Spec:
    """The spec with other memory in some pools."""
    data = wanted.model_dump(mode="json", by_alias=True)
    for pool in data["pools"]:
        pool["size"] = {**SIZE, "memory": memory.get(pool["name"], SIZE["memory"])}
    return Spec.model_validate(data)


def test_an_earlier_machine_makes_room() -> None:
    # One after the other, web would take the smaller fat, and db find nothing.
    wanted = sized(spec({"web": 1, "db": 1}), db="64Gi")
    target = config(hosts("c1 a s control-plane", "fat a fat", "slim a slim"), classes=CROSSED)
    assert placed(wanted, target) == {"t-control-plane-0": "c1", "t-web-0": "slim", "t-db-0": "fat"}


def test_room_is_made_over_several_pools() -> None:
    # In turn a takes the fat one and b the large one. Now c needs that, b the fat one, and a can have the slim one.
    wanted = sized(spec({"a": 1, "b": 1, "c": 1}), b="32Gi", c="128Gi")
    target = config(hosts("c1 a s control-plane", "fat a fat", "slim a slim", "large a l"), classes=CROSSED)
    assert placed(wanted, target) == {"t-control-plane-0": "c1", "t-a-0": "slim", "t-b-0": "fat", "t-c-0": "large"}


def test_a_pinned_machine_makes_no_room() -> None:
    wanted = sized(spec({"web": 1, "db": 1}), db="64Gi")
    them = hosts("c1 a s control-plane", "fat a fat", "slim a slim")
    faults = refused(wanted, config(them, classes=CROSSED, assignments={"t-web-0": "fat"}))
    assert [told(fault)[:2] for fault in faults] == [
        (
            "pool db wants 1 hosts of at least 8 CPU, 64Gi, 100Gi disk in zones a; the inventory has 1: zone a wants 1 "
            "and has 1, fat is pinned to t-web-0; add hosts to stacks/hosts.csv, or lower nodes",
            "pools[1].nodes",
        )
    ]


def test_a_host_that_waits_is_told_where_it_lacks() -> None:
    target = config(hosts("c1 a s", "w1 a s", "w2 a s"), assignments={"t-web-5": "w2"})
    (fault,) = refused(spec({"web": 2}), target)
    assert fault.what.endswith(
        "zone a wants 2 and has 3, c1 is taken by t-control-plane-0, w2 waits for t-web-5, which the spec has no longer"
    )


def test_many_takers_are_counted() -> None:
    target = config(hosts(*(f"h{i} a s" for i in range(9))))
    (fault,) = refused(spec({"web": 8, "db": 1}), target)
    assert fault.what.endswith("h2 is taken by t-web-1, h3 is taken by t-web-2 and 5 more")


def test_the_control_plane_takes_hosts_that_can_carry_its_address() -> None:
    far, near = hosts("far a s", "near a s")
    target = config([replace(far, address="10.7.0.9"), near])
    assert placed(spec({"web": 1}), target) == {"t-control-plane-0": "near", "t-web-0": "far"}


@st.composite
def cases(draw: st.DrawFn) -> tuple[Spec, Config]:
    """Small clusters on too few, enough or too many hosts of any class and label, some of them pinned."""
    zones = draw(st.sampled_from(["a", "ab"]))
    names = draw(st.sampled_from([["x"], ["x", "y"], ["x", "y", "z"]]))
    wanted = sized(
        spec({name: draw(st.integers(1, 3)) for name in names}, zones),
        **{name: draw(st.sampled_from(["16Gi", "32Gi", "64Gi"])) for name in names},
    )
    kinds, labels = st.sampled_from(["s", "m", "slim", "fat"]), st.sampled_from(["", "", "control-plane", *names])
    rows = [f"h{i} {draw(st.sampled_from(zones))} {draw(kinds)} {draw(labels)}" for i in range(draw(st.integers(1, 9)))]
    target = config(hosts(*rows), classes=CROSSED)
    first = choose(target, wanted_machines(wanted))
    pins = {name: first[name].name for name in sorted(first) if draw(st.booleans())}
    return wanted, target.model_copy(update={"assignments": pins})


def most(wanted: Spec, target: Config) -> int:
    """How many machines can have hosts at once, by Hall's theorem and not by matching: all but the largest number by
    which some groups of like machines outnumber the hosts that fit any of them.
    """
    free = [host for host in target.hosts if host.name not in target.assignments.values()]
    loose = [machine for machine in wanted_machines(wanted) if machine.name not in target.assignments]
    counts = Counter((machine.pool, machine.zone) for machine in loose)
    fits = {
        (machine.pool, machine.zone): {
            host.name
            for host in free
            if misfit(target, host, machine) is None and (machine.role == "worker" or carries_endpoint(target, host))
        }
        for machine in loose
    }
    lacking = (
        sum(counts[group] for group in groups) - len(set().union(*(fits[group] for group in groups)))
        for number in range(len(counts) + 1)
        for groups in combinations(counts, number)
    )
    return len(target.assignments) + len(loose) - max(lacking)


@given(cases())
def test_no_machine_lacks_a_host_that_could_be_had(case: tuple[Spec, Config]) -> None:
    wanted, target = case
    chosen = choose(target, wanted_machines(wanted))
    assert len(chosen) == most(wanted, target)
    assert len({host.name for host in chosen.values()}) == len(chosen)
    assert all(misfit(target, chosen[m.name], m) is None for m in wanted_machines(wanted) if m.name in chosen)
    assert all(chosen[machine].name == host for machine, host in target.assignments.items())
