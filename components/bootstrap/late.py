"""What user data needs and nobody knows before creation: keys, tokens, the API address."""

from __future__ import annotations

from dataclasses import dataclass, fields


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
