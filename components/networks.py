"""Addresses: how they are written, whose they are, and that no two want the same."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, collapse_addresses
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator

from components.problems import Fault, FieldPath, Problem

_NOWHERE = {
    "this host itself": IPv4Network("0.0.0.0/8"),
    "loopback": IPv4Network("127.0.0.0/8"),
    "multicast": IPv4Network("224.0.0.0/4"),
    "broadcast": IPv4Network("255.255.255.255/32"),
}
"""[documented] RFC 6890. Kubernetes takes no endpoint there, nor a link-local one [seen, in copies] kubernetes,
pkg/apis/core/validation/validation.go, ValidateNonSpecialIP."""
_LINK_LOCAL = {"link-local": IPv4Network("169.254.0.0/16")}
"""No network of a cluster; a router or a name server may have one."""
_FOR_EXAMPLE = "for example 10.20.40.10"
NODE_PREFIX = 24
"""Of each node's part of podCidr: the controller manager's default [documented]
https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/"""
POD_PREFIX, SERVICE_PREFIXES = NODE_PREFIX - 16, range(12, 29)
"""What kubeadm takes: at most 2^16 nodes' parts; for services at most 2^20 addresses, and at least 10, as DNS has the
tenth [seen] kubernetes, cmd/kubeadm/app/constants/constants.go: PodSubnetNodeMaskMaxDiff, MaximumBitsForServiceSubnet,
MinimumAddressesInServiceSubnet. The API server refuses more as well [seen]
https://github.com/hcloud-k8s/terraform-hcloud-kubernetes/issues/383"""


def addresses(text: str) -> range:
    """The addresses of an Address, an AddressRange or a Network as integers, for IPv4Address()."""
    if "/" in text:
        network = IPv4Network(text)
        return range(int(network[0]), int(network[-1]) + 1)
    first, _, last = text.partition("-")
    return range(int(IPv4Address(first)), int(IPv4Address(last or first)) + 1)


def _overlap(one: range, other: range) -> bool:
    return one[0] <= other[-1] and other[0] <= one[-1]


def nowhere(text: str, special: Mapping[str, IPv4Network] = _NOWHERE) -> str:
    """What makes that no address which one host has to itself; empty where nothing does."""
    span = addresses(text)
    return next((f"{net}, which is {name}" for name, net in special.items() if _overlap(span, addresses(str(net)))), "")


def ordinary(text: str, right: str = _FOR_EXAMPLE, special: Mapping[str, IPv4Network] = _NOWHERE) -> str:
    if found := nowhere(text, special):
        raise Fault(f"{text} overlaps {found}", right)
    return text


def _address(text: str) -> str:
    try:
        return ordinary(str(IPv4Address(text)))
    except Fault:
        raise
    except ValueError:
        raise Fault(f"{text!r} is not an IPv4 address", _FOR_EXAMPLE) from None


def _range(text: str) -> str:
    first, dash, last = text.partition("-")
    right = "for example 10.20.40.32-10.20.40.63"
    try:
        low, high = IPv4Address(first.strip()), IPv4Address(last.strip() if dash else first.strip())
    except ValueError:
        raise Fault(f"{text!r} is not an address range", right) from None
    if high < low:
        raise Fault(f"{text!r} ends before it starts", f"write {high}-{low}")
    return ordinary(f"{low}-{high}", right)


def _network(text: str) -> str:
    right = "write address/prefix, for example 10.244.0.0/16"
    try:
        interface = IPv4Interface(text)
    except ValueError:
        kind = "an IPv6 network, and clusters here have IPv4" if ":" in text else "not an IPv4 network"
        raise Fault(f"{text!r} is {kind}", right) from None
    if "/" not in text:
        raise Fault(f"{text!r} has no prefix", right)
    if interface.ip != interface.network.network_address:
        raise Fault(f"{text!r} is an address in a network", f"the network is {interface.network}")
    return ordinary(
        str(interface.network), "choose a private network, for example 10.244.0.0/16", _NOWHERE | _LINK_LOCAL
    )


Address = Annotated[str, AfterValidator(_address)]
AddressRange = Annotated[str, AfterValidator(_range)]
"""IPv4 addresses from first to last, both included: `10.20.40.32-10.20.40.63`."""
Network = Annotated[str, AfterValidator(_network)]


@dataclass(frozen=True)
class Taken:
    """Addresses that a target config or a file of it names."""

    text: str
    """An Address, an AddressRange, or for kind `network` a Network."""
    what: str
    """Whose they are, in words: `the endpoint`."""
    path: FieldPath
    """The field that says so; `file` and `line` where it is not of the config itself."""
    kind: Literal["network", "server", "own"] = "own"
    """network: others stand in it. server: one host's, which may serve more than one purpose. own: nobody else's."""
    file: str = ""
    line: int = 0
    asked: bool = True
    """Nodes or pods speak to it; a BMC is spoken to from elsewhere."""

    @cached_property
    def span(self) -> range:
        return addresses(self.text)

    def problem(self, what: str, right: str) -> Problem:
        return Problem(what, right, self.path, self.file, self.line, 1 if self.line else 0)


def server(where: str, what: str, path: FieldPath) -> Iterator[Taken]:
    """The server that a host name or URL names; nothing where only DNS knows its address."""
    try:
        host = urlsplit(where).hostname if "://" in where else where
        yield Taken(str(IPv4Address(host or "")), what, path, "server")
    except ValueError:
        return


def problems(taken: Iterable[Taken], cluster: Mapping[str, str]) -> Iterator[Problem]:
    """Addresses with two owners, and addresses in the networks of the `cluster` itself, by field of the spec."""
    found = list(taken)
    yield from _one_owner(found)
    for field, network in cluster.items():
        yield from _outside(found, field, network)


def _one_owner(found: Sequence[Taken]) -> Iterator[Problem]:
    """Who comes first keeps the addresses. Who is told to go no longer counts: so what is kept never overlaps, and
    one search in it finds all that are in the way."""
    firsts: list[int] = []
    lasts: list[int] = []
    kept: list[Taken] = []
    for each in (*_ends(found), *(taken for taken in found if taken.kind != "network")):
        low, high = bisect_left(lasts, each.span[0]), bisect_right(firsts, each.span[-1])
        others = kept[low:high]
        if not others:
            firsts.insert(low, each.span[0])
            lasts.insert(low, each.span[-1])
            kept.insert(low, each)
        elif any(taken.kind == "own" for taken in (each, *others)):
            yield each.problem(_clash(each, others), "give every address one owner")


def _ends(found: Sequence[Taken]) -> Iterator[Taken]:
    """The two addresses of each network that no host has."""
    for each in found:
        if each.kind == "network":
            for name, number in (("first", each.span[0]), ("last", each.span[-1])):
                what = f"the {name} address of {each.what} {each.text}"
                yield Taken(str(IPv4Address(number)), what, each.path, "server")


def _clash(each: Taken, others: Sequence[Taken]) -> str:
    one = others[0]
    if len(one.span) > 1:
        verb = "is in" if len(each.span) == 1 else "overlaps"
        text = f"{each.text} {verb} {one.what}"
    elif len(each.span) == 1:
        text = f"{each.text} is {one.what}"
    else:
        text = f"{each.text} holds {one.text}, {one.what}"
    return text + (f", and {len(others) - 1} more" if len(others) > 1 else "")


def _outside(found: Sequence[Taken], field: str, network: str) -> Iterator[Problem]:
    """Inside the cluster its own networks hide whoever else has such an address. One problem for each field or column;
    what stands in a network that is told is not told again."""
    cluster = addresses(network)
    hidden = [each for each in found if each.asked and _overlap(each.span, cluster)]
    told = [*collapse_addresses(IPv4Network(each.text) for each in hidden if each.kind == "network")]
    starts = [int(each[0]) for each in told]
    groups: dict[tuple[str, FieldPath], list[Taken]] = {}
    for each in hidden:
        before = bisect_right(starts, each.span[0]) - 1
        if each.kind == "network" or before < 0 or each.span[-1] > int(told[before][-1]):
            groups.setdefault((each.file, each.path), []).append(each)
    for first, *more in groups.values():
        verb = "is inside" if first.span[0] in cluster and first.span[-1] in cluster else "overlaps"
        also = f", as are {len(more)} more" if more else ""
        what = f"{first.what} {first.text} {verb} the spec's {field} {network}{also}"
        yield first.problem(what, "choose them apart: nodes and pods could not reach what is in both")


def cluster_problems(pod_cidr: str, service_cidr: str, nodes: int) -> Iterator[Problem]:
    """Whether the networks of the cluster itself are of use for so many nodes."""
    pods, services = IPv4Network(pod_cidr), IPv4Network(service_cidr)
    if pods.overlaps(services):
        yield Problem(f"{services} overlaps podCidr {pods}", "choose networks apart", ("kubernetes", "serviceCidr"))
    if services.prefixlen not in SERVICE_PREFIXES:
        widest, smallest = SERVICE_PREFIXES[0], SERVICE_PREFIXES[-1]
        what = (
            f"{services} holds {services.num_addresses:,} addresses for services; kubeadm takes {2 ** (32 - smallest)} "
            f"to {2 ** (32 - widest):,}, DNS has the tenth"
        )
        yield Problem(what, f"use a prefix of /{widest} to /{smallest}", ("kubernetes", "serviceCidr"))
    room = 2 ** (NODE_PREFIX - pods.prefixlen) if pods.prefixlen <= NODE_PREFIX else 0
    if nodes > room:
        what = f"{pods} holds {room} node networks of /{NODE_PREFIX}, but nodes with surge are {nodes}"
        longest = NODE_PREFIX - (nodes - 1).bit_length()
        yield Problem(what, f"use a prefix of /{longest} or shorter", ("kubernetes", "podCidr"))
    if pods.prefixlen < POD_PREFIX:
        most = 2 ** (NODE_PREFIX - POD_PREFIX)
        what = f"{pods} holds {room:,} node networks of /{NODE_PREFIX}, kubeadm takes at most {most:,}"
        yield Problem(what, f"use a prefix of /{POD_PREFIX} or longer", ("kubernetes", "podCidr"))
