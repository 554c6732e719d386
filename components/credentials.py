"""Credentials of the stack's config: secrets that a preview can do without and an `up` cannot."""

from __future__ import annotations

from typing import cast

import pulumi

_missing: dict[str, None] = {}
"""What this program has asked for and not found. One program makes one stack, so one record serves it all."""


def secret(name: str) -> pulumi.Output[str]:
    """The Pulumi config value `namespace:key` as a secret.

    Not set: a preview goes on with an unknown value, since looking needs no credentials; an `up` stops with
    pulumi.ConfigMissingError.
    """
    namespace, _, key = name.partition(":")
    config = pulumi.Config(namespace)
    if not pulumi.runtime.is_dry_run():
        return config.require_secret(key)
    value = config.get_secret(key)
    if value is None:
        _missing[name] = None
        return pulumi.Output.secret(cast(str, pulumi.UNKNOWN))
    return value


def warn_of_missing() -> None:
    """Say once, at the end of the program, which config an `up` will need."""
    if _missing:
        names = ", ".join(sorted(_missing))
        pulumi.log.warn(f"`pulumi up` needs config that is not set: {names} (pulumi config set --secret KEY)")
