"""Stack config in a preview: plain values as they are, secret ones as unknown secrets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import pulumi
from pulumi.output import UNKNOWN
from pulumi.runtime import set_all_config
from pulumi.runtime.config import get_config

# The readers of pulumi.Config through which all its public methods go.
_TYPED = ("_get_bool", "_get_int", "_get_float", "_get_object")


def set_config(config: Mapping[str, str], secret_keys: Collection[str]) -> None:
    """Gives the program its config. Nothing is decrypted here: a preview needs no passphrase and no login."""
    values: dict[str, Any] = {**config, **dict.fromkeys(secret_keys, UNKNOWN)}
    set_all_config(values, list(secret_keys))
    setattr(pulumi.Config, "_get", _get)  # noqa: B010 - mypy takes an assignment for a mistake
    for name in _TYPED:
        setattr(pulumi.Config, name, _unless_unknown(getattr(pulumi.Config, name)))


def _get(
    self: pulumi.Config, key: str, use: Callable[..., Any] | None = None, instead_of: Callable[..., Any] | None = None
) -> Any:
    """In place of Config._get, which the SDK's plain getters call with the name of the getter to `use` for a secret."""
    value = get_config(self.full_key(key))
    if value is UNKNOWN and use and instead_of:
        raise pulumi.RunError(
            f"Configuration '{self.full_key(key)}' is a secret, and a preview does not decrypt it:"
            f" use `{use.__name__}` instead of `{instead_of.__name__}`"
        )
    return value


def _unless_unknown(read: Callable[..., Any]) -> Callable[..., Any]:
    def reader(self: pulumi.Config, key: str, *use: Any) -> Any:
        value = _get(self, key, *use)
        return value if value is UNKNOWN else read(self, key, *use)

    return reader
