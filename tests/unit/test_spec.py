"""The spec: quantities, defaults, and the checks over several fields."""

import pytest

from components import sizing
from components.consistency import problems
from components.problems import Fault
from components.quantity import (
    format_bytes,
    format_millicpus,
    format_seconds,
    parse_bytes,
    parse_millicpus,
    parse_seconds,
    show_bytes,
)
from components.spec import Spec
from tests.specs import rich, spec


@pytest.mark.parametrize(
    ("text", "value"), [("16Gi", 16 * 2**30), ("512Mi", 2**29), ("1.5Gi", 3 * 2**29), ("1G", 10**9), (2048, 2048)]
)
def test_sizes(text: object, value: int) -> None:
    assert parse_bytes(text) == value
    assert parse_bytes(format_bytes(value)) == value


@pytest.mark.parametrize("text", ["16 GB", "16gb", "-1Gi", "", "0", True, None, 1.5, "0.3", "9999999Pi", [1]])
def test_sizes_refused(text: object) -> None:
    with pytest.raises(Fault, match="16Gi"):
        parse_bytes(text)


@pytest.mark.parametrize(("text", "value"), [("500m", 500), ("2", 2000), (2, 2000), ("0.5", 500), (0.25, 250)])
def test_cpus(text: object, value: int) -> None:
    assert parse_millicpus(text) == value
    assert parse_millicpus(format_millicpus(value)) == value


@pytest.mark.parametrize("text", ["half", "0", "-1", "0.0001", True, None, "1.5x"])
def test_cpus_refused(text: object) -> None:
    with pytest.raises(Fault, match="500m"):
        parse_millicpus(text)


@pytest.mark.parametrize(("text", "value"), [("60s", 60), ("6h", 21600), ("1h30m", 5400), ("1d", 86400)])
def test_durations(text: str, value: int) -> None:
    assert parse_seconds(text) == value
    assert parse_seconds(format_seconds(value)) == value


@pytest.mark.parametrize("text", [60, "60", "6 h", "0s", "1w", "", "99999999d", None])
def test_durations_refused(text: object) -> None:
    with pytest.raises(Fault, match="6h"):
        parse_seconds(text)


def test_a_sound_spec_has_no_problem() -> None:
    assert list(problems(rich())) == []


def test_the_spec_survives_its_own_json() -> None:
    assert Spec.model_validate(rich().model_dump(mode="json", by_alias=True)) == rich()


@pytest.mark.parametrize(
    ("change", "field", "what"),
    [
        (
            {"controlPlane.nodes": 2},
            "controlPlane.nodes",
            "2 control-plane nodes survive the loss of 0, as 1 do: etcd needs a majority",
        ),
        ({"zones": ["a", "b", "a"]}, "zones[2]", "'a' stands twice, first at [0]"),
        ({"pools.1.name": "web"}, "pools[1].name", "'web' stands twice, first at [0]"),
        ({"pools.0.tenant": "shopp"}, "pools[0].tenant", "no tenant 'shopp'"),
        ({"pools.0.zones": ["a", "z"]}, "pools[0].zones[1]", "no zone 'z'"),
        ({"pools.0.name": "control-plane"}, "pools[0].name", "'control-plane' is the control plane's own name"),
        ({"workloads.0.pool": "wep"}, "workloads[0].pool", "no pool 'wep'"),
        (
            {"kubernetes.serviceCidr": "10.244.8.0/21"},
            "kubernetes.serviceCidr",
            "10.244.8.0/21 overlaps podCidr 10.244.0.0/16",
        ),
        (
            {"kubernetes.podCidr": "10.244.0.0/22"},
            "kubernetes.podCidr",
            "10.244.0.0/22 holds 4 node networks of /24, but nodes with surge are 17",
        ),
        (
            {"kubernetes.podCidr": "12.0.0.0/6"},
            "kubernetes.podCidr",
            "12.0.0.0/6 holds 262,144 node networks of /24, kubeadm takes at most 65,536",
        ),
        (
            {"kubernetes.serviceCidr": "10.96.0.0/29"},
            "kubernetes.serviceCidr",
            "10.96.0.0/29 holds 8 addresses for services; kubeadm takes 16 to 1,048,576, DNS has the tenth",
        ),
        (
            {"kubernetes.serviceCidr": "172.0.0.0/11"},
            "kubernetes.serviceCidr",
            "172.0.0.0/11 holds 2,097,152 addresses for services; kubeadm takes 16 to 1,048,576, DNS has the tenth",
        ),
        (
            {"tenants": [{"name": name, "trust": "internal"} for name in ("shop", "partner", "guest")]},
            "tenants[2]",
            "no pool takes the pods of guest: every pool belongs to another tenant",
        ),
        (
            {"tenants.1.quota": {"cpu": "3", "memory": "48Gi"}},
            "tenants[1].quota.cpu",
            "its workloads ask for 4: pods beyond 3 are refused",
        ),
    ],
)
def test_problems(change: dict[str, object], field: str, what: str) -> None:
    found = list(problems(rich(change)))
    assert [(p.field, p.what) for p in found if p.field == field] == [(field, what)]
    assert all(p.right for p in found)


@pytest.mark.parametrize(
    "change",
    [
        {"kubernetes.podCidr": "11.0.0.0/8"},
        {"kubernetes.podCidr": "10.244.0.0/19"},  # 32 nodes' networks for 17
        {"kubernetes.serviceCidr": "10.96.0.0/28"},
        {"kubernetes.serviceCidr": "10.96.0.0/12"},
    ],
)
def test_networks_at_the_limits(change: dict[str, object]) -> None:
    assert list(problems(rich(change))) == []


def test_a_tenant_may_live_in_a_shared_pool() -> None:
    guest = [*rich().model_dump(mode="json")["tenants"], {"name": "guest", "trust": "internal"}]
    assert list(problems(rich({"tenants": guest, "pools.0.tenant": None}))) == []


def test_the_name_of_a_node_is_a_label_value() -> None:
    longest = {"name": "c" * 30, "pools.0.name": "p" * 30}
    assert list(problems(spec({**longest, "pools.0.nodes": 10}))) == []
    (found,) = problems(spec({**longest, "pools.0.nodes": 11}))
    assert str(found) == (
        f"pools[0].name: the node {'c' * 30}-{'p' * 30}-10 has 64 characters, 63 fit; "
        "make the pool's or the cluster's name shorter by 1"
    )


def test_two_default_classes() -> None:
    (found,) = problems(rich({"storage.classes": [{"name": "a", "default": True}, {"name": "b", "default": True}]}))
    assert (found.field, found.what) == ("storage.classes[1].default", "a second default storage class beside 'a'")


@pytest.mark.parametrize(
    ("cpus", "memory", "millicpus", "mib"),
    [(16, 64, 110, 5612), (64, 512, 230, 17408)],  # the worked examples of the GKE brackets
)
def test_reserves(cpus: int, memory: int, millicpus: int, mib: int) -> None:
    assert sizing.reserved_millicpus(cpus) == millicpus
    assert abs(sizing.reserved_bytes(memory * 2**30) / 2**20 - mib) < 4


def test_workloads_that_do_not_fit_say_how_many_nodes_would() -> None:
    (found,) = sizing.problems(rich({"workloads.0.replicas": 200}))
    assert found.field == "pools[0].nodes"
    assert "they need 17 of this size" in found.what


def test_a_replica_larger_than_a_node_names_the_workload() -> None:
    found = list(sizing.problems(rich({"workloads.0.requests.cpu": "9"})))
    assert [p.field for p in found] == ["workloads[0].requests"]
    assert "one replica asks 9 CPU and 1Gi" in found[0].what


def test_one_node_fewer_than_needed_does_not_hold_the_workloads() -> None:
    needed = sizing.nodes_needed(rich().pool("web").size, [w for w in rich().workloads if w.pool == "web"])
    assert needed is not None
    short = list(sizing.problems(rich({"pools.0.nodes": needed - 1})))
    assert [p.field for p in short] == ["pools[0].nodes"]
    assert list(sizing.problems(rich({"pools.0.nodes": needed}))) == []


def test_the_smallest_spec() -> None:
    assert list(problems(spec())) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(960 * 10**9, "894Gi"), (2**40, "1Ti"), (16 * 2**30, "16Gi"), (3 * 2**39, "1536Gi"), (500, "500")],
)
def test_sizes_for_people(value: int, text: str) -> None:
    assert show_bytes(value) == text


@pytest.mark.parametrize(
    ("start", "end", "wrong"), [("02:00", "05:00", 0), ("22:00", "04:00", 1), ("02:00", "02:00", 1)]
)
def test_nodes_restart_between_two_times_of_one_day(start: str, end: str, wrong: int) -> None:
    found = list(problems(rich({"availability.reboots": {"days": ["sun"], "start": start, "end": end}})))
    assert [problem.path for problem in found] == [("availability", "reboots", "end")] * wrong
