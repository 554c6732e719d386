"""Add-ons as resources: each Addon of the plan becomes a component with its Helm releases and objects below."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pulumi
import pulumi_tls as tls
from pulumi_kubernetes.helm.v3 import Release as HelmRelease
from pulumi_kubernetes.helm.v3 import RepositoryOptsArgs
from pydantic import SecretStr

from components import credentials, plan
from components.facts import ADDON, AddonFacts
from components.kube import Manifest
from components.pki import CA_HOURS, CURVE
from components.plan import Addon, Pem, Ref, Template

RELEASE_SECONDS = 3600
"""Helm's own wait of 300 s ends before metal workers are there: they POST, image and boot after the API is up."""


class Installer:
    """Turns add-ons into resources, in the order of the plan, and fills in what is known only at creation."""

    def __init__(self, known: Mapping[str, pulumi.Output[str]], opts: pulumi.ResourceOptions) -> None:
        self._known = dict(known)
        self._opts = opts
        # With the cluster all of it is gone: nobody asks its API, which may be dead, to delete each object.
        self._goes_with = pulumi.ResourceOptions(deleted_with=opts.parent)
        self._installed: dict[str, list[pulumi.Resource]] = {}
        self._pairs: dict[str, Mapping[str, pulumi.Output[str]]] = {}

    def install(self, addon: Addon, ready: pulumi.Resource) -> None:
        facts = AddonFacts(name=addon.name, common=addon.common, serves=addon.serves, mechanism=addon.mechanism).props()
        component = pulumi.ComponentResource(ADDON, addon.name, facts, self._opts)
        before = [resource for name in addon.after for resource in self._installed.get(name, [])]
        own = pulumi.ResourceOptions(parent=component, depends_on=[ready, *before])
        opts = pulumi.ResourceOptions.merge(self._goes_with, own)
        self._installed[addon.name] = [self._create(thing, component, opts) for thing in addon.objects]
        component.register_outputs(facts)

    def _create(
        self, thing: plan.Release | plan.Manifest, owner: pulumi.Resource, opts: pulumi.ResourceOptions
    ) -> pulumi.Resource:
        if isinstance(thing, plan.Release):
            return HelmRelease(
                thing.name,
                name=thing.name,
                namespace=thing.namespace,
                create_namespace=True,
                chart=thing.chart,
                version=thing.version,
                repository_opts=RepositoryOptsArgs(repo=thing.repo) if thing.repo else None,
                values=self._fill(thing.values, owner),
                timeout=RELEASE_SECONDS,
                opts=opts,
            )
        metadata = {"name": thing.name, **({"namespace": thing.namespace} if thing.namespace else {})}
        body = {**thing.body, "metadata": {**metadata, **thing.body.get("metadata", {})}}
        name = "-".join(part for part in (thing.namespace, thing.name, thing.kind.lower()) if part)
        return Manifest(name, api_version=thing.api_version, kind=thing.kind, body=self._fill(body, owner), opts=opts)

    def _fill(self, value: Any, owner: pulumi.Resource) -> Any:
        if isinstance(value, Ref):
            return self._value(value)
        if isinstance(value, Pem):
            return self._pair(value.name, owner)[value.part]
        if isinstance(value, SecretStr):
            return pulumi.Output.secret(value.get_secret_value())
        if isinstance(value, Template):
            parts = {key: self._value(ref) for key, ref in value.refs.items()}
            return pulumi.Output.all(**parts).apply(partial(_format, value.text))
        if isinstance(value, Mapping):
            return {key: self._fill(item, owner) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._fill(item, owner) for item in value]
        return value

    def _pair(self, name: str, owner: pulumi.Resource) -> Mapping[str, pulumi.Output[str]]:
        """Made once, below the add-on that asks for it."""
        if name not in self._pairs:
            opts = pulumi.ResourceOptions(parent=owner)
            key = tls.PrivateKey(name, algorithm="ECDSA", ecdsa_curve=CURVE, opts=opts)
            crt = tls.SelfSignedCert(
                name,
                private_key_pem=key.private_key_pem,
                subject=tls.SelfSignedCertSubjectArgs(common_name=name),
                validity_period_hours=CA_HOURS,
                allowed_uses=["digital_signature", "server_auth"],
                dns_names=[name],
                opts=opts,
            )
            self._pairs[name] = {"key": key.private_key_pem, "certificate": crt.cert_pem}
        return self._pairs[name]

    def _value(self, ref: Ref) -> pulumi.Output[str]:
        if ref.name not in self._known:
            self._known[ref.name] = credentials.secret(ref)
        return self._known[ref.name]


def _format(text: str, known: Mapping[str, str]) -> str:
    return text.format(**known)
