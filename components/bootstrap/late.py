"""What user data needs and nobody knows before creation: keys, tokens, the API address."""

from __future__ import annotations

import base64
from dataclasses import dataclass, fields
from hashlib import shake_256

_LARGEST = {"crt": 640, "key": 232, "pub": 184, "encryption_key": 44, "endpoint": 21, "token": 23}
"""Characters that a value has at most, by its name or the end of it: PEM of a certificate that a CA gives itself and of
ECDSA P-256 keys [measured: 607, 227, 178]; base64 of 32 bytes; an IPv4 address with a port; six and sixteen
characters with a dot."""


@dataclass(frozen=True, slots=True)
class Late:
    """Values that come with creation. All but `endpoint` and the public halves are secrets."""

    endpoint: str
    ca_crt: str
    ca_key: str
    etcd_ca_crt: str
    etcd_ca_key: str
    front_proxy_ca_crt: str
    front_proxy_ca_key: str
    sa_pub: str
    sa_key: str
    encryption_key: str
    """Key of the API server's encryption at rest: base64 of 32 bytes."""
    token: str
    """Bootstrap token: six characters, a dot, sixteen characters."""

    @classmethod
    def placeholder(cls) -> Late:
        """Stand-ins for digests: text that is never a secret, the same in every stack."""
        return cls(**{field.name: f"<{field.name}>" for field in fields(cls)})

    @classmethod
    def sample(cls) -> Late:
        """Stand-ins for sizes: as long as real values are at most, and as little to be compressed."""
        return cls(**{field.name: _noise(field.name) for field in fields(cls)})


def _noise(name: str) -> str:
    length = _LARGEST.get(name) or _LARGEST[name.rpartition("_")[2]]
    return base64.b64encode(shake_256(name.encode()).digest(length)).decode()[:length]
