"""From rules to a Pulumi policy pack: the one place where policies touch Pulumi."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from components.facts import CLUSTER, MACHINE, SITE, ClusterFacts, Facts, MachineFacts, SiteFacts
from components.rules import Rule, Stack

F = TypeVar("F", bound=Facts)


def pack(name: str, rules: Sequence[Rule]) -> None:
    """Serve the rules as a policy pack until the process is ended."""
    PolicyPack(name, policies=[policy(rule) for rule in rules])


def policy(rule: Rule) -> StackValidationPolicy:
    schema = PolicyConfigSchema({param.name: param.schema for param in rule.params}) if rule.params else None
    return StackValidationPolicy(
        name=rule.id,
        description=rule.title,
        validate=partial(_run, rule),
        enforcement_level=EnforcementLevel(rule.level),
        severity=Severity(rule.severity),
        config_schema=schema,
        tags=rule.tags,
        remediation_steps=rule.remediation,
    )


def _run(rule: Rule, args: StackValidationArgs, report: ReportViolation) -> None:
    """Ask the rule about each cluster. What it cannot decide is said, and a rule that breaks is a finding itself."""
    config = args.get_config()
    params = {param.name: float(config.get(param.name, param.default)) for param in rule.params}
    try:
        clusters = list(stacks(args.resources))
        for stack in clusters:
            for violation in rule.check(stack, params):
                report(str(violation), stack.urn)
    except UnknownValueError:
        raise  # the SDK reports it, as advice whatever the rule's level: a preview must not be blocked by it
    except Exception as error:
        report(_failure(error), None)
        return
    if not clusters:
        args.not_applicable("this stack has no cluster of isostack")


def _failure(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    said = (str(error).splitlines() or [""])[0]
    return (
        f"nothing was checked: the rule failed with {type(error).__name__}: {said}\n"
        f"at {Path(frame.filename).name}:{frame.lineno}; this is a fault of the rule or of the facts, not of the spec"
    )


def stacks(resources: Iterable[PolicyResource]) -> Iterator[Stack]:
    """The clusters among the resources of a stack, each with its sites and machines.

    Raises UnknownValueError when facts hold something that only `pulumi up` can know.
    """
    resources = list(resources)
    machines = _of(MACHINE, MachineFacts, resources)
    sites = [(_urn(resource.parent), facts) for resource, facts in _of(SITE, SiteFacts, resources)]
    for resource, cluster in _of(CLUSTER, ClusterFacts, resources):
        yield Stack(
            urn=resource.urn,
            cluster=cluster,
            sites=tuple(facts for parent, facts in sites if parent == resource.urn),
            machines=tuple(facts for _, facts in machines if facts.wanted.cluster == cluster.wanted.name),
        )


def _of(kind: str, facts: type[F], resources: Iterable[PolicyResource]) -> list[tuple[PolicyResource, F]]:
    return [(resource, _facts(resource, facts)) for resource in resources if resource.resource_type == kind]


def _facts(resource: PolicyResource, facts: type[F]) -> F:
    try:
        return facts.of(_plain({"facts": resource.props["facts"]}))
    except UnknownValueError as error:
        error.message = f"not decidable, {error.message} ({resource.urn})"
        raise


def _plain(value: Any) -> Any:
    """Without the SDK's proxies, which raise on unknown values, and with whole numbers as such: JSON has floats."""
    if isinstance(value, Mapping):
        return {key: _plain(value[key]) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _urn(resource: PolicyResource | None) -> str:
    return resource.urn if resource else ""
