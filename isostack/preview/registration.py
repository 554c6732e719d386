"""One registration as the program requested it, and its conversion to a Resource once the program has ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import alias_pb2, resource_pb2

from isostack.preview.model import Resource
from isostack.preview.structs import properties, value
from isostack.preview.urn import AliasSpec


@dataclass(slots=True)
class Registration:
    """What is kept of a request. `outputs` is None where they are the inputs."""

    urn: str
    request: resource_pb2.RegisterResourceRequest
    outputs: Struct | None
    aliases: tuple[str, ...] = ()
    source: str | None = None
    external: bool = False
    id: str = ""

    @property
    def properties(self) -> Struct:
        """The outputs, as the SDK gets them."""
        return self.request.object if self.outputs is None else self.outputs

    def resource(self) -> Resource:
        request = self.request
        inputs = properties(request.object)
        return Resource(
            urn=self.urn,
            type=request.type,
            name=request.name,
            parent=request.parent or None,
            custom=request.custom,
            external=self.external,
            id=self.id or None,
            inputs=inputs,
            outputs=inputs if self.outputs is None else properties(self.outputs),
            dependencies=tuple(sorted(request.dependencies)),
            property_dependencies={
                name: tuple(sorted(dependencies.urns))
                for name, dependencies in sorted(request.propertyDependencies.items())
                if dependencies.urns
            },
            provider=provider_urn(request.provider),
            protect=request.protect,
            delete_before_replace=request.deleteBeforeReplace,
            ignore_changes=tuple(request.ignoreChanges),
            replacement_trigger=value(request.replacement_trigger),
            replace_on_changes=tuple(request.replaceOnChanges),
            retain_on_delete=request.retainOnDelete,
            deleted_with=request.deletedWith or None,
            additional_secret_outputs=tuple(request.additionalSecretOutputs),
            aliases=self.aliases,
            custom_timeouts={name.name: timeout for name, timeout in request.customTimeouts.ListFields()},
            version=request.version or None,
            source=self.source,
        )


def provider_urn(reference: str) -> str | None:
    """The provider of a reference `urn::id`; None where the program names none (the default provider)."""
    return reference.rsplit("::", 1)[0] or None


def inherit(child: resource_pb2.RegisterResourceRequest, parent: resource_pb2.RegisterResourceRequest) -> None:
    """Fills in the options that the engine hands down (inheritFromParent in source_eval.go).

    The Python SDK itself hands down `protect` and providers, and only from a parent named in the options; the engine
    adds `deletedWith` and `retainOnDelete`. What it does for providers of remote components cannot happen here.
    """
    if not child.deletedWith:
        child.deletedWith = parent.deletedWith
    if not child.HasField("protect") and parent.HasField("protect"):
        child.protect = parent.protect
    if not child.HasField("retainOnDelete") and parent.HasField("retainOnDelete"):
        child.retainOnDelete = parent.retainOnDelete


def alias_specs(aliases: Iterable[alias_pb2.Alias]) -> list[AliasSpec]:
    return [
        AliasSpec(
            urn=alias.urn,
            name=alias.spec.name,
            type=alias.spec.type,
            stack=alias.spec.stack,
            project=alias.spec.project,
            parent=alias.spec.parentUrn,
            no_parent=alias.spec.noParent,
        )
        for alias in aliases
    ]
