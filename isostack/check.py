"""Check: the policy packs' findings on previews. Each pack runs unchanged, as a server on the engine's own protocol.

[documented] github.com/pulumi/pulumi v3.259.0: pkg/resource/plugin/analyzer_plugin.go (start, order of the calls).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from components.rules import READER
from components.update import UPDATE
from isostack import analyzer
from isostack.analyzer import PackFailed as PackFailed
from isostack.finding import Declared, Judgement
from isostack.packprocess import PackProcess
from isostack.preview.model import Preview
from isostack.update import update

TIMEOUT: Final = 60.0
"""Seconds for a pack to start, and for each of its answers; both take well under one [measured]."""
_MAX_BYTES: Final = 400 * 1024 * 1024  # the SDK's own limit for a message to a pack


def check(previews: Sequence[Preview], packs: Sequence[Path]) -> dict[str, Judgement]:
    """What all packs say of each preview, by its label. Raises PackFailed."""
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

    def check(self, preview: Preview) -> Judgement:
        """What all packs say, in their order. Raises PackFailed, after which no pack runs any more."""
        if not self._packs:
            return Judgement()
        inputs, outputs = analyzer.messages(preview)
        with ThreadPoolExecutor(len(self._packs)) as threads:
            answers = [threads.submit(pack.judge, preview, inputs, outputs) for pack in self._packs]
            try:
                said = [answer.result() for answer in answers]
            except BaseException:
                _end(self._packs)  # or the other threads would wait for their packs, even after Ctrl-C
                raise
        return Judgement(
            findings=tuple(finding for each in said for finding in each.findings),
            not_applicable={rule: why for each in said for rule, why in each.not_applicable.items()},
        )

    @property
    def rules(self) -> tuple[Declared, ...]:
        """All rules, with findings or without. Raises PackFailed."""
        return tuple(rule for pack in self._packs for rule in pack.rules)

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
        if not self._folder.is_dir():
            raise PackFailed(folder.name, "cannot be started: no such folder")
        self._process = PackProcess(self._folder)
        self._channel: Any = None
        self._ready: tuple[Any, Any, Mapping[str, Any]] | None = None

    def judge(self, preview: Preview, inputs: Sequence[Any], outputs: Any) -> Judgement:
        stub, info, rules = self._connected()
        pb, _ = analyzer.protocol()
        tags = {READER: ""}
        if (facts := update(preview)) is not None:
            tags[UPDATE] = facts.model_dump_json(by_alias=True)
        stack = pb.AnalyzerStackConfigureRequest(
            stack=preview.stack, project=preview.project, organization="organization", dry_run=True, tags=tags
        )
        self._call(stub.ConfigureStack, stack)
        answers = []
        if any(rule.policy_type == pb.POLICY_TYPE_RESOURCE for rule in rules.values()):
            answers = [(self._call(stub.Analyze, request), request.urn) for request in inputs]
        answers.append((self._call(stub.AnalyzeStack, outputs), ""))
        return Judgement(
            tuple(analyzer.finding(d, urn, info.name, rules) for answer, urn in answers for d in answer.diagnostics),
            {each.policy_name: each.reason for answer, _ in answers for each in answer.not_applicable},
        )

    @property
    def rules(self) -> tuple[Declared, ...]:
        _, info, rules = self._connected()
        return tuple(analyzer.declared(rule, info.name) for rule in rules.values())

    def end(self) -> None:
        self._process.end()
        if self._channel is not None:
            self._channel.close()

    def _connected(self) -> tuple[Any, Any, Mapping[str, Any]]:
        if self._ready is None:
            self._ready = self._connect()
        return self._ready

    def _connect(self) -> tuple[Any, Any, Mapping[str, Any]]:
        import grpc

        pb, services = analyzer.protocol()
        options = [("grpc.max_receive_message_length", _MAX_BYTES), ("grpc.enable_http_proxy", 0)]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{self._port()}", options)
        stub = services.AnalyzerStub(self._channel)
        info = self._call(stub.GetAnalyzerInfo, analyzer.empty())
        self._call(stub.Configure, analyzer.configuration(pb, info))
        return stub, info, {rule.name: rule for rule in info.policies}

    def _port(self) -> int:
        try:
            line = self._process.first_line.result(self._timeout).decode(errors="replace").strip()
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
        if (code := self._process.exit_code()) is not None:
            what += f" (exit code {code})"
        return PackFailed(self._folder.name, what, self._process.last_words())


def _end(packs: Iterable[_Pack]) -> None:
    for pack in packs:
        pack.end()
