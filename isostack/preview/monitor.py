"""The engine's side of a preview, in the program's own process: what the program registers is recorded, nothing runs.

`Monitor` and `Engine` answer as Pulumi's resource monitor and engine do when there is no state yet and every provider
returns a resource's inputs and leaves the rest to `pulumi up`. Differences to the real engine:
- There are no default providers among the resources; no provider adds defaults to inputs or checks them.
- A data source, a resource read with `.get` and a stack reference are unknown: their answers are outside.
- Hooks are accepted and not run. Resource transforms and remote components are refused: without running them the
  recorded graph would be wrong.

[documented] github.com/pulumi/pulumi v3.259.0, pkg/resource/deploy/source_eval.go and step_generator.go.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import unquote, urlsplit

import pulumi
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import engine_pb2, resource_pb2
from pulumi.runtime.resource import RegisterResponse

from components.signatures import UNKNOWN_VALUE
from isostack.preview.model import Resource, Severity
from isostack.preview.registration import Registration, alias_specs, inherit
from isostack.preview.structs import with_secrets
from isostack.preview.transcript import Transcript
from isostack.preview.urn import Identity, alias_urns

# What engine v3.259.0 says it can do: the first sixteen (resmon.supportedMonitorFeatures).
FEATURES: Final = [
    feature
    for feature in resource_pb2.ResourceMonitorFeature.values()
    if feature <= resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_PARENT
]
_SEVERITIES: Final[dict[int, Severity]] = {
    engine_pb2.INFO: "info",
    engine_pb2.WARNING: "warning",
    engine_pb2.ERROR: "error",
}


class Refused(pulumi.RunError):
    """The engine does not accept what the program asks for. The message is for the user as it stands."""


class Monitor:
    """The resource monitor: same methods as the gRPC service, called directly by the SDK.

    All calls come from the event loop's thread, see `child.py`: nothing here needs a lock.
    """

    def __init__(self, project: str, stack: str, root: Path) -> None:
        self._project, self._stack, self._root = project, stack, root
        self._registrations: dict[str, Registration] = {}
        self._files: dict[str, str | None] = {}
        self.refusal: Refused | None = None

    def resources(self) -> tuple[Resource, ...]:
        return tuple(registration.resource() for registration in self._registrations.values())

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> RegisterResponse:
        if request.remote:
            self.refuse(
                f"{request.type} '{request.name}' is a remote component: its provider creates what is in it, and a"
                " preview without the provider cannot show that; use `pulumi preview` for this stack"
            )
        if request.parent in self._registrations:
            inherit(request, self._registrations[request.parent].request)
        # Computed outputs are missing from the reply, which the SDK takes for unknown; so is an empty id.
        # A component's outputs come with RegisterResourceOutputs. Only a custom resource's are made secret by name.
        outputs = None if request.custom else Struct()
        if request.custom and (secrets := [name for name in request.additionalSecretOutputs if name != "id"]):
            outputs = with_secrets(request.object, secrets)
        registered = self._record(request, outputs, id=request.importId)
        # The SDK's own stand-in for a response: it is no message, and so does not copy the outputs.
        return RegisterResponse(registered.urn, registered.id, registered.properties, None, resource_pb2.SUCCESS)

    def ReadResource(self, request: resource_pb2.ReadResourceRequest) -> resource_pb2.ReadResourceResponse:
        as_registration = resource_pb2.RegisterResourceRequest(
            type=request.type,
            name=request.name,
            parent=request.parent,
            custom=True,
            object=request.properties,
            provider=request.provider,
            dependencies=request.dependencies,
            version=request.version,
            additionalSecretOutputs=request.additionalSecretOutputs,
            stackTrace=request.stackTrace,
        )
        known_id = "" if request.id == UNKNOWN_VALUE else request.id
        outputs = with_secrets(Struct(), request.additionalSecretOutputs)
        registered = self._record(as_registration, outputs, id=known_id, external=True)
        return resource_pb2.ReadResourceResponse(urn=registered.urn, id=known_id, properties=outputs)

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> Empty:
        if request.urn not in self._registrations:
            self.refuse(f"outputs of a resource that is not registered: '{request.urn}'")
        self._registrations[request.urn].outputs = request.outputs
        return Empty()

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> resource_pb2.ResourceInvokeResponse:
        if request.tok == "pulumi:pulumi:getResource":
            return self._get_resource(str(request.args["urn"]))
        return resource_pb2.ResourceInvokeResponse(unknown=True)

    def Call(self, request: resource_pb2.ResourceCallRequest) -> NoReturn:
        self.refuse(
            f"{request.tok} is a method that runs in the provider: a preview without the provider cannot tell what it"
            " returns; use `pulumi preview` for this stack"
        )

    def ExistsResource(self, _: resource_pb2.ExistsResourceRequest) -> resource_pb2.ExistsResourceResponse:
        return resource_pb2.ExistsResourceResponse(unknown=True)

    def RegisterPackage(self, request: resource_pb2.RegisterPackageRequest) -> resource_pb2.RegisterPackageResponse:
        return resource_pb2.RegisterPackageResponse(ref=request.parameterization.name or request.name)

    def GetDeploymentInfo(self, _: Empty) -> resource_pb2.DeploymentInfo:
        return resource_pb2.DeploymentInfo(supportedFeatures=FEATURES)

    def SignalAndWaitForShutdown(self, _: Empty) -> Empty:
        return Empty()

    def _record(
        self, request: resource_pb2.RegisterResourceRequest, outputs: Struct | None, *, id: str, external: bool = False
    ) -> Registration:
        identity = Identity(self._stack, self._project, request.type, request.name, request.parent)
        registration = Registration(
            urn=identity.urn,
            request=request,
            outputs=outputs,
            aliases=self._aliases(identity, request),
            source=self._source(request),
            external=external,
            id=id,
        )
        # Its use is over, and its frames would make up most of what a small request keeps in memory.
        request.ClearField("stackTrace")
        if first := self._registrations.get(registration.urn):
            self.refuse(
                f"Duplicate resource URN '{first.urn}'; try giving it a unique name"
                f" (first created at {first.source}, again at {registration.source})"
            )
        self._registrations[registration.urn] = registration
        return registration

    def _aliases(self, identity: Identity, request: resource_pb2.RegisterResourceRequest) -> tuple[str, ...]:
        parent = self._registrations.get(identity.parent)
        return alias_urns(identity, alias_specs(request.aliases), parent.aliases if parent else ())

    def _source(self, request: resource_pb2.RegisterResourceRequest) -> str | None:
        """The innermost frame in a file of the project; the SDK's own position may lie in an installed package."""
        for frame in request.stackTrace.frames:
            if file := self._project_file(frame.pc.uri):
                return f"{file}:{frame.pc.line}"
        return None

    def _project_file(self, uri: str) -> str | None:
        if uri not in self._files:
            self._files[uri] = project_file(unquote(urlsplit(uri).path), self._root)
        return self._files[uri]

    def _get_resource(self, urn: str) -> resource_pb2.ResourceInvokeResponse:
        if urn not in self._registrations:
            self.refuse(f"unknown resource {urn}")
        found = self._registrations[urn]
        response = resource_pb2.ResourceInvokeResponse()
        result: Struct = getattr(response, "return")
        result.update({"urn": urn, "id": found.id})
        result.fields["state"].struct_value.CopyFrom(found.properties)
        return response

    def refuse(self, text: str) -> NoReturn:
        """Ends the preview: kept, for the SDK may wrap or delay what is raised here."""
        self.refusal = self.refusal or Refused(text)
        raise self.refusal


class Engine:
    """The engine service: takes the program's log lines."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript

    def Log(self, request: engine_pb2.LogRequest) -> Empty:
        severity = _SEVERITIES.get(request.severity)
        if severity and not request.ephemeral:
            self._transcript.log(severity, request.message, request.urn or None)
        return Empty()

    def RequirePulumiVersion(self, _: Any) -> Empty:
        """There is no CLI whose version could be wrong."""
        return Empty()


def project_file(path: str, root: Path) -> str | None:
    """`path` relative to the project, None for files that are not the project's own."""
    file = Path(path)
    if not file.is_relative_to(root) or "site-packages" in file.parts:
        return None
    return file.relative_to(root).as_posix()
