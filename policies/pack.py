"""A Pulumi policy pack: rules behind the engine's own protocol.

Not by the pulumi_policy package: it unpacks every resource anew for each policy, and knows one level for all findings
of a policy, so no waiver (docs/decisions.md). [documented] github.com/pulumi/pulumi v3.259.0: proto/pulumi/
analyzer.proto; how a pack starts and what it prints, sdk/python/cmd/pulumi-analyzer-policy-python.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2

from components.rules import READER, Level, Rule, Stack, Undecided
from components.update import UPDATE, Update
from policies import protocol
from policies.judge import Told, Verdict, failure, judge, silent, waivers_rule

_MAX_BYTES: Final = 400 * 1024 * 1024  # the engine's own limit [documented] pulumi_policy 1.21, policy.py
_LEVELS: Final[dict[Level, Any]] = {
    "advisory": analyzer_pb2.ADVISORY,
    "mandatory": analyzer_pb2.MANDATORY,
    "disabled": analyzer_pb2.DISABLED,
}
_NAMES: Final = {number: level for level, number in _LEVELS.items()}


def pack(name: str, rules: Sequence[Rule]) -> None:
    """Serve the rules as a policy pack until the process is ended."""
    options = [("grpc.max_receive_message_length", _MAX_BYTES), ("grpc.max_send_message_length", _MAX_BYTES)]
    server = grpc.server(ThreadPoolExecutor(1), options=options)
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Service(name, rules), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.buffer.write(f"{port}\n".encode())
    sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.stop(0)


class Service(analyzer_pb2_grpc.AnalyzerServicer):
    """Answers about whole stacks; single resources are no business of its rules."""

    def __init__(self, name: str, rules: Sequence[Rule]) -> None:
        self._name, self._rules = name, rules
        self._told = Told({}, {})
        self._json = False
        self._inputs: dict[str, Any] = {}
        """By URN, of the types that rules read: asked about before the stack as a whole."""
        self._reads = {kind for rule in rules for kind in rule.reads}
        self._update: Update | None = None

    def GetAnalyzerInfo(self, request: Any, context: Any) -> Any:
        # The CLI takes the version of PulumiPolicy.yaml.
        info = analyzer_pb2.AnalyzerInfo(name=self._name, version="0.0.1", supportsConfig=True)
        info.policies.extend(_info(rule) for rule in (*self._rules, waivers_rule(self._name)))
        return info

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="0.0.1")

    def Configure(self, request: Any, context: Any) -> Any:
        said = request.policyConfig
        self._told = Told(
            levels={rule: _NAMES.get(said[rule].enforcementLevel, "mandatory") for rule in said},
            params={rule: json_format.MessageToDict(said[rule].properties) for rule in said},
        )
        return empty_pb2.Empty()

    def ConfigureStack(self, request: Any, context: Any) -> Any:
        self._inputs = {}
        self._json = READER in request.tags
        self._update = Update.model_validate_json(request.tags[UPDATE]) if UPDATE in request.tags else None
        return analyzer_pb2.AnalyzerStackConfigureResponse()

    def Analyze(self, request: Any, context: Any) -> Any:
        if request.type in self._reads:
            self._inputs[request.urn] = request.properties
        return analyzer_pb2.AnalyzeResponse()

    def Remediate(self, request: Any, context: Any) -> Any:
        return analyzer_pb2.RemediateResponse()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def AnalyzeStack(self, request: Any, context: Any) -> Any:
        response = analyzer_pb2.AnalyzeResponse()
        try:
            stacks = protocol.stacks(request.resources, self._reads, self._inputs)
            found = [replace(each, update=self._update) for each in stacks]
        except Exception as error:
            response.diagnostics.extend(self._diagnostic(verdict) for verdict in self._none(error))
            return response
        for rule in self._rules:
            if reason := silent(self._name, rule, found, self._told):
                response.not_applicable.append(analyzer_pb2.PolicyNotApplicable(policy_name=rule.id, reason=reason))
        response.diagnostics.extend(self._diagnostic(verdict) for stack in found for verdict in self._judged(stack))
        return response

    def _judged(self, stack: Stack) -> Iterator[Verdict]:
        return judge(self._name, self._rules, stack, self._told, datetime.now(UTC).date())

    def _none(self, error: Exception) -> Iterator[Verdict]:
        """Of each rule, where nothing could be asked."""
        for rule in self._rules:
            level = self._told.levels.get(rule.id, rule.level)
            if level == "disabled":
                continue
            if isinstance(error, Undecided):
                yield Verdict(rule, "advisory", "undecided", None, f"not decidable at preview: {error}")
            else:
                yield Verdict(rule, level, "failed", None, failure(error))

    def _diagnostic(self, verdict: Verdict) -> Any:
        rule = verdict.rule
        return analyzer_pb2.AnalyzeDiagnostic(
            policyName=rule.id,
            policyPackName=self._name,
            policyPackVersion="0.0.1",
            description=rule.title,
            message=json.dumps(_document(verdict)) if self._json else f"{rule.title}\n{verdict}",
            urn=verdict.urn,
            enforcementLevel=_LEVELS[verdict.level],
            severity=_severity(rule),
        )


def _document(verdict: Verdict) -> dict[str, Any]:
    """A verdict for `isostack check`, which reads it in isostack/finding.py."""
    found, waiver = verdict.violation, verdict.waiver
    return {
        "status": verdict.status,
        "text": verdict.text,
        "field": found.field if found else "",
        "of": found.of if found else "",
        "subjects": list(found.subjects) if found else [],
        "waiver": waiver.model_dump(mode="json") if waiver else None,
    }


def _info(rule: Rule) -> Any:
    info = analyzer_pb2.PolicyInfo(
        name=rule.id,
        displayName=rule.title,
        description=rule.title,
        enforcementLevel=_LEVELS[rule.level],
        policy_type=analyzer_pb2.POLICY_TYPE_STACK,
        severity=_severity(rule),
        tags=rule.tags,
        remediation_steps=rule.remediation,
    )
    if rule.params:
        info.configSchema.properties.update({param.name: param.schema for param in rule.params})
    return info


def _severity(rule: Rule) -> Any:
    return analyzer_pb2.PolicySeverity.Value(f"POLICY_SEVERITY_{rule.severity.upper()}")
