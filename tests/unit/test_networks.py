"""Addresses: how they are written, that each has one owner, and that none lies in the cluster's own networks."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, summarize_address_range
from itertools import combinations
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from components.networks import Address, AddressRange, Network, Taken, addresses, problems, server
from components.problems import Problem
from tests.configs import config_for
from tests.specs import spec

FIRST = int(IPv4Address("10.0.0.0"))
OFFSETS = st.integers(0, 255)


@st.composite
def networks(draw: st.DrawFn) -> str:
    prefix = draw(st.integers(24, 30))
    return str(IPv4Network((FIRST + draw(OFFSETS), prefix), strict=False))


@st.composite
def ranges(draw: st.DrawFn) -> str:
    low, high = sorted((draw(OFFSETS), draw(OFFSETS)))
    return f"{IPv4Address(FIRST + low)}-{IPv4Address(FIRST + high)}"


@st.composite
def taken(draw: st.DrawFn) -> list[Taken]:
    """Up to eight things with addresses of one /24, each said by a field of its own."""
    singles = OFFSETS.map(lambda offset: str(IPv4Address(FIRST + offset)))
    each = (
        st.tuples(st.just("network"), networks())
        | st.tuples(st.just("server"), singles)
        | st.tuples(st.just("own"), singles | ranges())
    )
    found = draw(st.lists(each, max_size=8))
    return [Taken(text, f"thing {i}", ("x", i), kind) for i, (kind, text) in enumerate(found)]  # type: ignore[arg-type]


def parts(text: str) -> list[IPv4Network]:
    """The same addresses in the standard library's words."""
    if "/" in text:
        return [IPv4Network(text)]
    first, _, last = text.partition("-")
    return list(summarize_address_range(IPv4Address(first), IPv4Address(last or first)))


def overlap(one: str, other: str) -> bool:
    return any(a.overlaps(b) for a in parts(one) for b in parts(other))


def clash(one: Taken, other: Taken) -> bool:
    return "own" in (one.kind, other.kind) and overlap(one.text, other.text)


def told(found: Sequence[Problem]) -> set[object]:
    return {problem.path[1] for problem in found}


@given(taken())
def test_who_is_not_told_to_go_has_its_addresses_alone(found: list[Taken]) -> None:
    moved = told(list(problems(found, {})))
    hosts = [each for each in found if each.kind != "network"]
    ends = {str(IPv4Network(each.text)[i]) for each in found if each.kind == "network" for i in (0, -1)}
    stay = [each for each in hosts if each.path[1] not in moved]
    assert not [(a, b) for a, b in combinations(stay, 2) if clash(a, b)]
    assert not [(each, end) for each in stay if each.kind == "own" for end in ends if overlap(each.text, end)]
    for each in hosts:
        if each.path[1] in moved:
            before = [other for other in hosts if other.path[1] < each.path[1]]  # type: ignore[operator]
            at_an_end = each.kind == "own" and any(overlap(each.text, end) for end in ends)
            assert at_an_end or any(clash(other, each) for other in before)


@given(taken(), networks())
@example([Taken("10.0.0.127-10.0.0.200", "thing 0", ("x", 0))], "10.0.0.0/25")
@example([Taken("10.0.0.1-10.0.0.128", "thing 0", ("x", 0))], "10.0.0.128/25")
def test_a_network_of_the_cluster_overlaps_nothing_that_is_not_told(found: list[Taken], own: str) -> None:
    faults = [problem for problem in problems(found, {"podCidr": own}) if "podCidr" in problem.what]
    inside = {each.path[1] for each in found if overlap(each.text, own)}
    nets = [IPv4Network(each.text) for each in found if each.kind == "network" and each.path[1] in inside]
    assert told(faults) <= inside
    assert {each.path[1] for each in found if each.kind == "network"} & inside <= told(faults)
    for each in found:
        if each.path[1] in inside - told(faults):  # it stands in networks that are told
            assert all(any(IPv4Address(number) in net for net in nets) for number in addresses(each.text))


def test_what_is_told_of_two_owners() -> None:
    found = [
        Taken("10.0.0.0/24", "the nodes' network", ("gateway",), "network"),
        Taken("10.0.0.1", "the gateway", ("gateway",), "server"),
        Taken("10.0.0.1", "the name server", ("dns",), "server"),
        Taken("10.0.0.9", "the endpoint", ("endpoint",)),
        Taken("10.0.0.20-10.0.0.29", "the range of web", ("web",)),
        Taken("10.0.0.9", "host h1", ("ip_address",), "own", "hosts.csv", 3),
        Taken("10.0.0.25", "host h2", ("ip_address",), "own", "hosts.csv", 4),
        Taken("10.0.0.1-10.0.0.9", "the range of db", ("db",)),
        Taken("10.0.0.29-10.0.0.40", "the range of lb", ("lb",)),
        Taken("10.0.0.200-10.0.0.255", "the range of tests", ("tests",)),
    ]
    assert [str(problem).partition(";")[0] for problem in problems(found, {})] == [
        "hosts.csv:3:1: ip_address: 10.0.0.9 is the endpoint",
        "hosts.csv:4:1: ip_address: 10.0.0.25 is in the range of web",
        "db: 10.0.0.1-10.0.0.9 holds 10.0.0.1, the gateway, and 1 more",
        "lb: 10.0.0.29-10.0.0.40 overlaps the range of web",
        "tests: 10.0.0.200-10.0.0.255 holds 10.0.0.255, the last address of the nodes' network 10.0.0.0/24",
    ]


def test_what_is_told_of_the_networks_of_the_cluster() -> None:
    found = [
        Taken("10.244.4.0/23", "the nodes' network", ("gateway",), "network"),
        Taken("10.244.4.1", "the gateway", ("gateway",), "server"),
        Taken("10.244.4.9", "the endpoint", ("endpoint",)),
        Taken("10.243.255.9-10.244.0.9", "the services' range", ("lb",)),
        Taken("10.9.0.1", "the BMC of h1", ("bmc_ip",), "own", "hosts.csv", 2),
        Taken("10.96.0.1", "the BMC of h2", ("bmc_ip",), "own", "hosts.csv", 3),
        Taken("10.96.0.2", "the BMC of h3", ("bmc_ip",), "own", "hosts.csv", 4),
    ]
    told = problems(found, {"podCidr": "10.244.0.0/16", "serviceCidr": "10.96.0.0/16"})
    assert [str(problem).partition(";")[0] for problem in told] == [
        "gateway: the nodes' network 10.244.4.0/23 is inside the spec's podCidr 10.244.0.0/16",
        "lb: the services' range 10.243.255.9-10.244.0.9 overlaps the spec's podCidr 10.244.0.0/16",
        "hosts.csv:3:1: bmc_ip: the BMC of h2 10.96.0.1 is inside the spec's serviceCidr 10.96.0.0/16, as are 1 more",
    ]


def test_pods_leave_devices_of_equinix_a_private_address() -> None:
    wanted = spec({"kubernetes.podCidr": "10.0.0.0/8", "kubernetes.serviceCidr": "172.20.0.0/16"})
    (found,) = config_for("equinix", spec()).problems(wanted)
    assert (found.field, found.what) == (
        "metro",
        "the devices' private addresses are of 10.0.0.0/8, all of it taken by the spec's kubernetes.podCidr",
    )


@pytest.mark.parametrize(
    ("where", "address"),
    [
        ("10.0.0.2", "10.0.0.2"),
        ("https://10.0.0.2:8443/api", "10.0.0.2"),
        ("vcenter.example.com", None),
        ("https://vcenter.example.com", None),
        ("http://[::1", None),
        ("http://", None),
    ],
)
def test_a_server_has_an_address_where_the_text_says_it(where: str, address: str | None) -> None:
    assert [each.text for each in server(where, "it", ("x",))] == ([address] if address else [])


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (Network, "10.244.1.0/16", "'10.244.1.0/16' is an address in a network; the network is 10.244.0.0/16"),
        (Network, "10.244.0.0", "'10.244.0.0' has no prefix"),
        (Network, "fd00::/48", "'fd00::/48' is an IPv6 network, and clusters here have IPv4"),
        (Network, "10.244.0.0/33", "'10.244.0.0/33' is not an IPv4 network"),
        (Network, "0.0.0.0/0", "0.0.0.0/0 overlaps 0.0.0.0/8, which is this host itself"),
        (Network, "127.1.0.0/16", "127.1.0.0/16 overlaps 127.0.0.0/8, which is loopback"),
        (Network, "169.254.0.0/16", "169.254.0.0/16 overlaps 169.254.0.0/16, which is link-local"),
        (Network, "239.0.0.0/8", "239.0.0.0/8 overlaps 224.0.0.0/4, which is multicast"),
        (Network, "255.0.0.0/8", "255.0.0.0/8 overlaps 255.255.255.255/32, which is broadcast"),
        (Address, "10.0.0", "'10.0.0' is not an IPv4 address"),
        (Address, "127.0.0.53", "127.0.0.53 overlaps 127.0.0.0/8, which is loopback"),
        (AddressRange, "10.0.0.9-10.0.0.1", "'10.0.0.9-10.0.0.1' ends before it starts; write 10.0.0.1-10.0.0.9"),
        (AddressRange, "223.0.0.1-225.0.0.1", "223.0.0.1-225.0.0.1 overlaps 224.0.0.0/4, which is multicast"),
        (AddressRange, "10.0.0.1-", "'10.0.0.1-' is not an address range"),
    ],
)
def test_what_no_host_or_network_can_have(kind: Any, text: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(text)
    assert str(caught.value.errors()[0]["ctx"]["error"]).startswith(message)


def test_a_router_or_name_server_may_be_link_local() -> None:
    assert TypeAdapter(Address).validate_python("169.254.255.1") == "169.254.255.1"
