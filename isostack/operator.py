"""Stacks as objects of the Pulumi Kubernetes Operator, which then runs `pulumi up` for each in a cluster.

Fields and rules: operator v2.9.0, CRD stacks.pulumi.com/v1 [seen] deploy/crds/pulumi.com_stacks.yaml and
operator/internal/controller/pulumi/stack_controller.go of https://github.com/pulumi/pulumi-kubernetes-operator.
A Program object holds YAML alone, so ours comes from git.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from components import settings
from components.problems import InvalidInput, Problem
from components.source import load_yaml
from isostack.inputs import Planned

OPERATOR: Final = "2.9.0"
LONGEST_NAME: Final = 42
"""Of a Stack object [seen] the CRD's rule: size(self.metadata.name) <= 42."""
IMAGE: Final = "pulumi/pulumi:3.259.0-nonroot"
"""What a workspace runs in: the version of the CLI that our tests run. The form of the tag [seen] examples/git-source
/stack.yaml; the operator's own default, `latest-nonroot`, moves [seen] docs/migration.md."""
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Where:
    """What the user knows and a stack file does not: where the project lies, and where states are kept."""

    repo: str
    branch: str
    namespace: str
    directory: str = ""
    """Of Pulumi.yaml in the repository; empty: its root."""
    backend: str = ""
    """URL of the states; empty: Pulumi Cloud."""
    organisation: str = ""
    git_secret: str = ""
    """Secret with `accessToken`, for a private repository."""
    image: str = IMAGE
    environment: tuple[str, ...] = ()
    """Further variables that the Secret of each stack holds, such as those of the backend."""


def objects(planned: Sequence[Planned], where: Where) -> list[dict[str, Any]]:
    """A service account that may ask the API server who calls it, and a Stack, for each stack.

    No value of a secret is in them: they refer to the Secret `NAME-credentials`; see `wanted`. Raises InvalidInput
    where a stack's name cannot be that of an object.
    """
    if faults := list(_faults(planned)):
        raise InvalidInput(faults)
    return [thing for each in planned for thing in (*_account(each.stack.name, where), _stack(each, where))]


def wanted(planned: Planned, where: Where) -> list[str]:
    """The keys that the Secret of a stack must have, sorted."""
    return sorted([*_variables(planned, where), *map(_key, _secrets(planned))])


def missing(planned: Planned) -> Iterator[Problem]:
    """Config that is no secret and that the stack file, which the operator reads from git, lacks."""
    stack = planned.stack
    for ref in settings.of_plan(planned.plan):
        if not ref.secret and ref.name not in stack.config and ref.name not in stack.secret_keys:
            yield Problem(
                f"{ref.name} is missing, which the operator can take from this file alone",
                f"pulumi config set --stack {stack.name} {ref.name} VALUE, and commit",
                file=str(stack.path),
            )


def secret_of(stack: str) -> str:
    return f"{stack}-credentials"


def _faults(planned: Sequence[Planned]) -> Iterator[Problem]:
    for name, path in ((each.stack.name, each.stack.path) for each in planned):
        if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
            what = f"the stack {name!r} cannot be the name of a Stack object"
            right = f"at most {LONGEST_NAME} small letters, digits and dashes"
            yield Problem(what, right, file=str(path))


def _account(name: str, where: Where) -> Iterator[dict[str, Any]]:
    """What the pod of a workspace runs as, with the least role that it needs [seen] docs/migration.md."""
    metadata = {"name": name, "namespace": where.namespace}
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    role = "system:auth-delegator"
    yield {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"{where.namespace}:{name}:{role}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", **metadata}],
    }


def _stack(planned: Planned, where: Where) -> dict[str, Any]:
    name = planned.stack.name
    spec: dict[str, Any] = {
        "stack": f"{where.organisation}/{name}" if where.organisation else name,
        "projectRepo": where.repo,
        "branch": where.branch,
        "shallow": True,
        "serviceAccountName": name,
        # A deleted object must not take a cluster with it.
        "destroyOnFinalize": False,
        "workspaceTemplate": {"spec": {"image": where.image}},
        "envRefs": {variable: _ref(secret_of(name), variable) for variable in _variables(planned, where)},
        "secretsRef": {key: _ref(secret_of(name), _key(key)) for key in _secrets(planned)},
    }
    spec |= {"repoDir": where.directory} if where.directory else {}
    spec |= {"backend": where.backend} if where.backend else {}
    if where.git_secret:
        spec["gitAuth"] = {"accessToken": _ref(where.git_secret, "accessToken")}
    return {
        "apiVersion": "pulumi.com/v1",
        "kind": "Stack",
        "metadata": {"name": name, "namespace": where.namespace},
        "spec": {key: value for key, value in spec.items() if value != {}},
    }


def _secrets(planned: Planned) -> list[str]:
    """Keys of secret config that do not stand, encrypted, in the stack file."""
    return [
        ref.name
        for ref in settings.of_plan(planned.plan)
        if ref.secret and ref.name not in planned.stack.secret_keys and ref.name not in planned.stack.config
    ]


def _variables(planned: Planned, where: Where) -> list[str]:
    """Environment variables that are secret: to reach the states, and to decrypt them."""
    document = load_yaml(Path(planned.stack.path)).data
    # Outside of Pulumi Cloud a passphrase encrypts, unless a provider does
    # [documented] https://www.pulumi.com/docs/iac/concepts/secrets/
    passphrase = "encryptionsalt" in document or (where.backend and "secretsprovider" not in document)
    found = [*([] if where.backend else ["PULUMI_ACCESS_TOKEN"]), *(["PULUMI_CONFIG_PASSPHRASE"] if passphrase else [])]
    return list(dict.fromkeys([*found, *where.environment]))


def _ref(secret: str, key: str) -> dict[str, Any]:
    return {"type": "Secret", "secret": {"name": secret, "key": key}}


def _key(config_key: str) -> str:
    """A key of the config as one of a Secret, which may have no colon."""
    return config_key.replace(":", ".")
