"""How the addresses of Services become known outside: by ARP, which needs no word here, or by BGP."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """A router that takes routes from the nodes."""

    address: str
    asn: int
    multihop: bool = False


@dataclass(frozen=True, slots=True)
class Bgp:
    """BGP sessions of every worker."""

    asn: int = 0
    peers: tuple[Peer, ...] = ()
    annotation: str = ""
    """Prefix of node annotations that say both, where a cloud controller manager writes them."""
