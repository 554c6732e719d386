"""The gRPC server of a stand-in: checks, differences, outputs that are unknown at preview and filled at creation."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import grpc
from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tests.standins.schema import SECRET, SIGNATURE, UNKNOWN, Kind, opened

FAULTS, JOURNAL = "STANDIN_FAULTS", "STANDIN_JOURNAL"
"""Environment: a file of faults to make, see `Fault`; a file that gets a line for each operation that changes a thing.

A fault is {"operation": "create", "name": "shop-web-2", "type": "vsphere:index/virtualMachine:VirtualMachine", "does":
"fail" or "hang" or "die"}; once made it is taken out of the file.
"""


class Refused(Exception):
    """The platform says no."""


class Package(Protocol):
    """What differs between stand-ins. Values are plain: without the marks of secrets."""

    def kind(self, token: str) -> Kind | None:
        """None: there is no such type of resource."""

    def faults(self, token: str, given: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What the real provider's own checks would say beyond types."""

    def replaces(self, token: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
        """Inputs whose change replaces the resource for what lies inside them."""

    def outputs(self, token: str, urn: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What is known once it is created."""

    def identity(self, token: str, urn: str, inputs: Mapping[str, Any]) -> str:
        """Its id: the same whenever it is made."""

    def invoke(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of a data source. Raises Refused."""


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    def __init__(self, name: str, package: Package) -> None:
        self._name, self._package, self._cancelled = name, package, threading.Event()

    # ---- the plugin

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True, accept_outputs=False)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="99.0.0")

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema="{}")

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        # The identifier is what tells the kubernetes provider one cluster from another; no other provider is explicit.
        changed = _changed(request.old_inputs, request.news)
        replaces = [name for name in changed if name == "clusterIdentifier"]
        kind = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=kind, diffs=changed, replaces=replaces)

    def Configure(self, request: Any, context: Any) -> Any:
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=True)

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        """What is under way fails, as in a real provider."""
        self._cancelled.set()
        return empty_pb2.Empty()

    # ---- resources

    def Check(self, request: Any, context: Any) -> Any:
        token, given = _token(request.urn), _plain(request.news)
        kind = self._package.kind(token)
        if kind is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"the stand-in of {self._name} knows no resource {token}")
            raise AssertionError
        faults = [*kind.faults(given), *self._package.faults(token, given)]
        failures = [provider_pb2.CheckFailure(property=path, reason=what) for path, what in faults]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def Diff(self, request: Any, context: Any) -> Any:
        kind = self._package.kind(_token(request.urn))
        changed = _changed(request.old_inputs, request.news)
        replaces = [name for name in changed if kind is not None and name in kind.replaces]
        replaces += self._package.replaces(_token(request.urn), _plain(request.old_inputs), _plain(request.news))
        some = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=some, diffs=changed, replaces=replaces)

    def Create(self, request: Any, context: Any) -> Any:
        properties = _copy(request.properties)
        token = _token(request.urn)
        if request.preview:
            self._fill(token, properties, None)
            return provider_pb2.CreateResponse(properties=properties)
        self._make("create", request.urn, context)
        inputs = _plain(request.properties)
        self._fill(token, properties, self._answer(lambda: self._package.outputs(token, request.urn, inputs), context))
        identity = self._package.identity(token, request.urn, inputs)
        return provider_pb2.CreateResponse(id=identity, properties=properties)

    def Update(self, request: Any, context: Any) -> Any:
        token, properties = _token(request.urn), _copy(request.news)
        kind = self._package.kind(token)
        if not request.preview:
            self._make("update", request.urn, context)
        # What was made at creation stays.
        for name in kind.outputs if kind is not None else ():
            if name in request.olds:
                properties.fields[name].CopyFrom(request.olds.fields[name])
        return provider_pb2.UpdateResponse(properties=properties)

    def Delete(self, request: Any, context: Any) -> Any:
        self._make("delete", request.urn, context)
        return empty_pb2.Empty()

    def Read(self, request: Any, context: Any) -> Any:
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Invoke(self, request: Any, context: Any) -> Any:
        answer = provider_pb2.InvokeResponse()
        found = self._answer(lambda: self._package.invoke(request.tok, _plain(request.args)), context)
        getattr(answer, "return").update(found)
        return answer

    # ---- what a test plans and reads

    def _make(self, operation: str, urn: str, context: Any) -> None:
        """Write the operation down, and make the fault that is planned for it."""
        does = _planned(operation, urn)
        _write({"operation": operation, "urn": urn, "fault": does})
        if does == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if does == "hang":
            self._cancelled.wait()
            context.abort(grpc.StatusCode.CANCELLED, f"{operation} of {urn.split('::')[-1]} is cancelled")
        if does == "fail":
            context.abort(grpc.StatusCode.UNKNOWN, f"planned: {operation} of {urn.split('::')[-1]} fails")

    def _fill(self, token: str, properties: Struct, known: Mapping[str, Any] | None) -> None:
        kind = self._package.kind(token)
        for name in kind.outputs if kind is not None else ():
            value = UNKNOWN if known is None else known.get(name)
            if value is None:
                continue
            if kind is not None and name in kind.secret_outputs:
                value = {SIGNATURE: SECRET, "value": value}
            properties.update({name: value})

    def _answer(self, ask: Callable[[], dict[str, Any]], context: Any) -> dict[str, Any]:
        try:
            return ask()
        except Refused as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
            raise


def started(name: str, package: Package) -> tuple[grpc.Server, int]:
    """The server and its port."""
    server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.max_receive_message_length", 400 * 1024 * 1024)])
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(name, package), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def serve(name: str, package: Package) -> None:
    """Print the port, as a plugin does, and serve until the engine ends the process, or ends itself."""
    engine = os.getppid()
    server, port = started(name, package)
    print(port, flush=True)
    while os.getppid() == engine:
        server.wait_for_termination(1)
    os._exit(0)  # what hangs is not waited for


def _token(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _plain(struct: Struct) -> dict[str, Any]:
    value: dict[str, Any] = opened(MessageToDict(struct))
    return value


def _copy(struct: Struct) -> Struct:
    copy = Struct()
    copy.CopyFrom(struct)
    return copy


def _changed(olds: Struct, news: Struct) -> list[str]:
    """A secret that is the same value in clear is no change, as to a real provider."""
    before, after = _plain(olds), _plain(news)
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _planned(operation: str, urn: str) -> str:
    if not (name := os.environ.get(FAULTS)) or not Path(name).exists():
        return ""
    plans = json.loads(Path(name).read_text("utf-8"))
    for plan in plans:
        if (plan["operation"], plan["name"], plan["type"]) == (operation, urn.split("::")[-1], _token(urn)):
            plans.remove(plan)
            Path(name).write_text(json.dumps(plans), "utf-8")
            return str(plan["does"])
    return ""


def _write(line: Mapping[str, Any]) -> None:
    if name := os.environ.get(JOURNAL):
        # One write of one line: those of several processes do not mix.
        with open(name, "a", encoding="utf-8") as journal:
            journal.write(json.dumps(line) + "\n")
