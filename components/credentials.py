"""Credentials of the stack's config: secrets that a preview can do without and an `up` cannot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import pulumi
from pulumi.runtime.config import is_config_secret

from components.plan import Ref

_missing: dict[Ref, None] = {}
"""What this program has asked for and not found. One program makes one stack, so one record serves it all."""


def secret(ref: Ref) -> pulumi.Output[str]:
    """The value of a key of the Pulumi config, as a secret.

    Not set: a preview goes on with an unknown value, since looking needs no credentials; an `up` stops with
    pulumi.ConfigMissingError.
    """
    config, key = _config(ref)
    if not pulumi.runtime.is_dry_run():
        return config.require_secret(key)
    value = config.get_secret(key)
    if value is None:
        _missing[ref] = None
        return pulumi.Output.secret(cast(str, pulumi.UNKNOWN))
    return value


def in_clear(refs: Iterable[Ref]) -> dict[str, str]:
    """Values of those keys that need not be encrypted, are not, and are set."""
    clear = (ref for ref in refs if not ref.secret and not is_config_secret(ref.name))
    found = {ref.name: config.get(key) for ref in clear for config, key in [_config(ref)]}
    return {name: value for name, value in found.items() if value is not None}


def read_by_provider(*refs: Ref) -> None:
    """Notes keys that a provider reads by itself, so that a preview can say which are missing."""
    for ref in refs:
        config, key = _config(ref)
        if config.get_secret(key) is None:
            _missing[ref] = None


def warn_of_missing() -> None:
    """Say once, at the end of the program, which config an `up` will need."""
    commands = {True: "pulumi config set --secret KEY", False: "pulumi config set KEY VALUE"}
    parts = []
    for kept_secret, command in commands.items():
        if names := sorted(ref.name for ref in _missing if ref.secret is kept_secret):
            parts.append(f"{', '.join(names)} ({command})")
    if parts:
        pulumi.log.warn(f"`pulumi up` needs config that is not set: {'; '.join(parts)}")


def _config(ref: Ref) -> tuple[pulumi.Config, str]:
    namespace, _, key = ref.name.partition(":")
    return pulumi.Config(namespace), key
