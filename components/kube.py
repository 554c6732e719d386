"""Kubernetes objects as resources: one class for every kind, registered as pulumi_kubernetes' own classes would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_kubernetes import _utilities

_SECRET_FIELDS = ("data", "stringData")


class Manifest(pulumi.CustomResource):
    """One object of any kind. `pulumi_kubernetes.core.v1` and its like cost a second of CPU to import.

    Left out are the aliases by which the real classes of `batch`, `rbac` and others find states that an API version
    long gone has written: no stack of this project has one.
    """

    status: pulumi.Output[Any]
    """What the cluster says of the object; unknown or None in previews and for kinds without status."""

    def __init__(
        self,
        name: str,
        *,
        api_version: str,
        kind: str,
        body: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`body` is everything but apiVersion and kind, with the keys that Kubernetes has: metadata, spec, data."""
        own = pulumi.ResourceOptions(version=_utilities.get_version())  # type: ignore[no-untyped-call]
        secret = api_version == "v1" and kind == "Secret"
        if secret:
            body = {key: pulumi.Output.secret(body[key]) if key in _SECRET_FIELDS else body[key] for key in body}
            own.additional_secret_outputs = [*_SECRET_FIELDS]
        super().__init__(
            type_token(api_version, kind),
            name,
            # None is not sent, but makes the SDK keep what comes back under that key.
            {"apiVersion": api_version, "kind": kind, "status": None, **body},
            pulumi.ResourceOptions.merge(own, opts),
        )


def type_token(api_version: str, kind: str) -> str:
    """The type of an object in Pulumi: the group without a name is `core` there."""
    return f"kubernetes:{api_version if '/' in api_version else f'core/{api_version}'}:{kind}"
