"""Check: the policy packs' findings on previews. Each pack runs unchanged, as a server on the engine's own protocol.

[documented] github.com/pulumi/pulumi v3.259.0: pkg/resource/plugin/analyzer_plugin.go (start, order of the calls, what
a resource carries) and proto/pulumi/analyzer.proto. Left out is what a preview does not hold: tags and config of the
stack, custom timeouts, and the values of secrets, which no pack may print.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, TracebackType
from typing import IO, Any, Final, Self

from components.rules import evidence, split
from components.signatures import SECRET, SIGNATURE, UNKNOWN_VALUE
from isostack.finding import Finding
from isostack.preview.model import HIDDEN, UNKNOWN, Preview, Resource, Secret

TIMEOUT: Final = 60.0
"""Seconds for a pack to start, and for each of its answers; both take well under one [measured]."""
_RUN: Final = """import os, runpy, sys, threading
def end_with_parent():
    sys.stdin.read()
    os._exit(0)
threading.Thread(target=end_with_parent, daemon=True).start()
runpy.run_module("pulumi.policy", run_name="__main__", alter_sys=True)
"""
"""`python -m pulumi.policy`, which the language host runs too; a pack by itself would outlive a killed parent."""
_NO_ENGINE: Final = "127.0.0.1:0"
_MAX_BYTES: Final = 400 * 1024 * 1024  # the SDK's own limit for a message to a pack
_STDERR_LINES: Final = 20


class PackFailed(Exception):
    """A policy pack did not start, died, hung or answered with an error: what it says of a stack is not known."""

    def __init__(self, pack: str, what: str, stderr: str = "") -> None:
        self.pack, self.what, self.stderr = pack, what, stderr
        super().__init__(f"policy pack {pack}: {what}" + (f"\n{stderr}" if stderr else ""))

    def __reduce__(self) -> tuple[type[PackFailed], tuple[str, str, str]]:
        return type(self), (self.pack, self.what, self.stderr)


def check(previews: Sequence[Preview], packs: Sequence[Path]) -> dict[str, tuple[Finding, ...]]:
    """The findings of all packs on each preview, by stack. Raises PackFailed."""
    with Packs.start(packs) as running:
        return {preview.label: running.check(preview) for preview in previews}


class Packs:
    """Running policy packs. One process of each serves all stacks in turn: it keeps nothing of a stack."""

    def __init__(self, packs: Sequence[_Pack]) -> None:
        self._packs = packs

    @classmethod
    def start(cls, folders: Iterable[Path], *, timeout: float = TIMEOUT) -> Self:
        """Start the packs in these folders. Returns at once: they load while the caller makes previews."""
        packs: list[_Pack] = []
        try:
            for folder in folders:
                packs.append(_Pack(folder, timeout))
        except BaseException:
            _end(packs)
            raise
        return cls(packs)

    def check(self, preview: Preview) -> tuple[Finding, ...]:
        """The findings of all packs, in their order. Raises PackFailed, after which no pack runs any more."""
        if not self._packs:
            return ()
        inputs, outputs = _messages(preview)
        with ThreadPoolExecutor(len(self._packs)) as threads:
            answers = [threads.submit(pack.findings, preview, inputs, outputs) for pack in self._packs]
            try:
                return tuple(finding for answer in answers for finding in answer.result())
            except BaseException:
                _end(self._packs)  # or the other threads would wait for their packs, even after Ctrl-C
                raise

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of all rules, with findings or without. Raises PackFailed."""
        return tuple(name for pack in self._packs for name in pack.rules)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _end(self._packs)


class _Pack:
    """One pack's process. It is asked for its port, its rules and their config when it is first needed."""

    def __init__(self, folder: Path, timeout: float) -> None:
        self._folder, self._timeout = folder.resolve(), timeout
        # Not a pipe: one that nobody reads would stop the pack when full. Closed by end().
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-c", _RUN, _NO_ENGINE, str(self._folder)],
                cwd=self._folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
            )
        except OSError as error:
            self._errors.close()
            raise PackFailed(folder.name, f"cannot be started: {error}") from error
        self._first_line: Future[bytes] = Future()
        threading.Thread(target=_listen, args=(self._process.stdout, self._first_line), daemon=True).start()
        self._channel: Any = None
        self._ready: tuple[Any, Any, Mapping[str, Any]] | None = None

    def findings(self, preview: Preview, inputs: Sequence[Any], outputs: Any) -> list[Finding]:
        stub, info, rules = self._connected()
        pb, _ = _protocol()
        stack = pb.AnalyzerStackConfigureRequest(
            stack=preview.stack, project=preview.project, organization="organization", dry_run=True
        )
        self._call(stub.ConfigureStack, stack)
        answers = []
        if any(rule.policy_type == pb.POLICY_TYPE_RESOURCE for rule in rules.values()):
            answers = [(self._call(stub.Analyze, request), request.urn) for request in inputs]
        answers.append((self._call(stub.AnalyzeStack, outputs), ""))
        return [_finding(d, urn, info.name, rules) for answer, urn in answers for d in answer.diagnostics]

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(self._connected()[2])

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._channel is not None:
            self._channel.close()
        for pipe in (self._process.stdin, self._errors):
            if pipe is not None:
                pipe.close()

    def _connected(self) -> tuple[Any, Any, Mapping[str, Any]]:
        if self._ready is None:
            self._ready = self._connect()
        return self._ready

    def _connect(self) -> tuple[Any, Any, Mapping[str, Any]]:
        import grpc

        pb, services = _protocol()
        options = [("grpc.max_receive_message_length", _MAX_BYTES), ("grpc.enable_http_proxy", 0)]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{self._port()}", options)
        stub = services.AnalyzerStub(self._channel)
        info = self._call(stub.GetAnalyzerInfo, _empty())
        self._call(stub.Configure, _configuration(pb, info))
        return stub, info, {rule.name: rule for rule in info.policies}

    def _port(self) -> int:
        try:
            line = self._first_line.result(self._timeout).decode(errors="replace").strip()
        except NotInTime:
            raise self._failed(f"did not start within {self._timeout:g} seconds") from None
        if not line:
            raise self._failed("ended before it was ready")
        if not line.isdecimal():
            raise self._failed(f"printed {line!r} where its port was expected; a pack must not print before it serves")
        return int(line)

    def _call(self, method: Callable[..., Any], request: Any) -> Any:
        import grpc

        try:
            return method(request, timeout=self._timeout)
        except grpc.RpcError as error:
            code = error.code()
            if code is grpc.StatusCode.DEADLINE_EXCEEDED:
                raise self._failed(f"did not answer within {self._timeout:g} seconds") from None
            if code is grpc.StatusCode.UNAVAILABLE:
                raise self._failed("ended while it was asked") from None
            raise self._failed(f"answered with an error: {error.details()}") from None

    def _failed(self, what: str) -> PackFailed:
        """With what the pack wrote to its standard error and, where it has ended, its exit code."""
        with suppress(subprocess.TimeoutExpired):
            what += f" (exit code {self._process.wait(1)})"
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").rstrip().splitlines()
        return PackFailed(self._folder.name, what, "\n".join(lines[-_STDERR_LINES:]))


def _end(packs: Iterable[_Pack]) -> None:
    for pack in packs:
        pack.end()


def _listen(pipe: IO[bytes], first_line: Future[bytes]) -> None:
    """The line with the port; then all that rules print, lest the pipe fill up and the pack stop."""
    with pipe:
        first_line.set_result(pipe.readline(200))
        while pipe.read(65536):
            pass


@cache
def _protocol() -> tuple[Any, Any]:
    """Messages and services of the protocol.

    By themselves: to import the package around them is to import all of the SDK, 0.3 s, of which nothing is needed.
    """
    sdk = find_spec("pulumi")
    folders = sdk.submodule_search_locations if sdk else None
    if not folders:
        raise PackFailed("of any kind", "the Python package pulumi is not installed")
    package = ModuleType("_pulumi_protocol")
    package.__path__ = [str(Path(folder) / "runtime" / "proto") for folder in folders]
    sys.modules[package.__name__] = package
    messages = importlib.import_module(f"{package.__name__}.analyzer_pb2")
    return messages, importlib.import_module(f"{package.__name__}.analyzer_pb2_grpc")


def _empty() -> Any:
    from google.protobuf.empty_pb2 import Empty

    return Empty()


def _configuration(pb: Any, info: Any) -> Any:
    """What the engine sends where the user sets nothing: each rule's own level, and the defaults of its parameters."""
    request = pb.ConfigureAnalyzerRequest()
    for rule in info.policies:
        config = request.policyConfig[rule.name]
        config.enforcementLevel = rule.enforcementLevel
        for name, schema in rule.configSchema.properties.fields.items():
            if "default" in schema.struct_value.fields:
                config.properties.fields[name].CopyFrom(schema.struct_value.fields["default"])
    return request


def _finding(diagnostic: Any, urn: str, pack: str, rules: Mapping[str, Any]) -> Finding:
    """A diagnostic, joined with what only the pack's list of rules says."""
    pb, _ = _protocol()
    rule = rules.get(diagnostic.policyName) or pb.PolicyInfo()
    severity = pb.PolicySeverity.Name(diagnostic.severity or rule.severity).removeprefix("POLICY_SEVERITY_").lower()
    field, message = split(diagnostic.message.removeprefix(f"{diagnostic.description}\n"))
    return Finding(
        rule=diagnostic.policyName,
        pack=pack,
        severity="" if severity == "unspecified" else severity,
        level=pb.EnforcementLevel.Name(diagnostic.enforcementLevel).lower(),
        subject=diagnostic.urn or urn,
        field=field,
        message=message,
        remediation=rule.remediation_steps,
        evidence=evidence(list(rule.tags)),
    )


def _messages(preview: Preview) -> tuple[Sequence[Any], Any]:
    """What packs are asked: one request for each resource, with inputs; one for the stack, with outputs."""
    pb, _ = _protocol()
    inputs, outputs = [], pb.AnalyzeStackRequest()
    for resource in preview.resources:
        common = {"urn": resource.urn, "type": resource.type, "name": resource.name}
        options, provider = _options(pb, resource), _provider(pb, preview, resource)
        request = pb.AnalyzeRequest(**common, options=options, provider=provider)
        _fill(request.properties, resource.inputs)
        inputs.append(request)
        seen = outputs.resources.add(
            **common,
            options=options,
            provider=provider,
            parent=resource.parent or "",
            dependencies=resource.dependencies,
            propertyDependencies={
                name: pb.AnalyzerPropertyDependencies(urns=urns)
                for name, urns in resource.property_dependencies.items()
            },
        )
        _fill(seen.properties, resource.outputs)
    return inputs, outputs


def _options(pb: Any, resource: Resource) -> Any:
    return pb.AnalyzerResourceOptions(
        protect=resource.protect,
        ignoreChanges=resource.ignore_changes,
        deleteBeforeReplace=resource.delete_before_replace,
        deleteBeforeReplaceDefined=True,
        additionalSecretOutputs=resource.additional_secret_outputs,
        aliases=resource.aliases,
        parent=resource.parent or "",
    )


def _provider(pb: Any, preview: Preview, resource: Resource) -> Any:
    provider = preview.by_urn.get(resource.provider or "")
    if provider is None:
        return None
    message = pb.AnalyzerProviderResource(urn=provider.urn, type=provider.type, name=provider.name)
    _fill(message.properties, provider.inputs)
    return message


def _fill(struct: Any, entries: Mapping[str, Any]) -> None:
    for name, value in entries.items():
        if not name.startswith("__"):  # the SDK's own
            _set(struct.fields[name], value)


def _set(target: Any, value: Any) -> None:
    """A value of a preview as the protocol carries it."""
    if value is UNKNOWN:
        target.string_value = UNKNOWN_VALUE
    elif value is None:
        target.null_value = 0
    elif isinstance(value, Secret):
        _fill(target.struct_value, {SIGNATURE: SECRET, "value": _hidden(value.value)})
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, Mapping):
        target.struct_value.SetInParent()
        _fill(target.struct_value, value)
    else:
        target.list_value.SetInParent()
        for item in value:
            _set(target.list_value.values.add(), item)


def _hidden(value: Any) -> Any:
    """The shape of a secret without what it says."""
    if value is UNKNOWN or value is None:
        return value
    if isinstance(value, Mapping):
        return {name: _hidden(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item) for item in value]
    return HIDDEN
