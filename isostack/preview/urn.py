"""URNs and aliases by the rules of the Pulumi engine.

[documented] github.com/pulumi/pulumi v3.259.0: sdk/go/common/resource/urn/urn.go, sdk/go/common/resource/alias.go,
pkg/resource/deploy/step_generator.go (collapseAliasToUrn, inheritedChildAlias, generateAliases).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

ROOT_STACK_TYPE: Final = "pulumi:pulumi:Stack"
_SCHEME: Final = "urn:pulumi:"
_PROVIDER: Final = "pulumi:providers:"


@dataclass(frozen=True, slots=True)
class AliasSpec:
    """An alias as a program gives it: a whole URN, or the parts that were different. Empty means: as now."""

    urn: str = ""
    name: str = ""
    type: str = ""
    stack: str = ""
    project: str = ""
    parent: str = ""
    no_parent: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes up the URN of one resource. `parent` is a URN, empty for none."""

    stack: str
    project: str
    type: str
    name: str
    parent: str = ""

    @property
    def urn(self) -> str:
        # The root stack gives no prefix: what it directly holds reads as if it had no parent.
        parent_type = qualified_type(self.parent) if self.parent else ""
        return new_urn(self.stack, self.project, parent_type, self.type, self.name)


def qualified_type(urn: str) -> str:
    """The type with those of its parents before it: `a:b:C$d:e:F`."""
    return urn.split("::", 3)[2]


def name_of(urn: str) -> str:
    return urn.split("::", 3)[3]


def parts_of(urn: str) -> tuple[str, str, str, str]:
    """Stack, project, type and name. Raises ValueError where the text is no URN."""
    match urn.split("::", 3):
        case [head, project, types, name] if head.startswith(_SCHEME) and project and name:
            type_ = types.rpartition("$")[2]
            if type_.count(":") == 2:
                return head.removeprefix(_SCHEME), project, type_, name
    raise ValueError(urn)


def is_provider(urn: str) -> bool:
    return parts_of(urn)[2].startswith(_PROVIDER)


def is_default_provider(urn: str) -> bool:
    """Whether the engine makes it by itself, for resources that name no provider [documented]
    github.com/pulumi/pulumi v3.259.0, pkg/resource/deploy/source_eval.go (defaultProviders)."""
    return is_provider(urn) and name_of(urn).startswith("default")


def new_urn(stack: str, project: str, parent_type: str, type_: str, name: str) -> str:
    prefix = f"{parent_type}$" if parent_type not in ("", ROOT_STACK_TYPE) else ""
    return f"{_SCHEME}{stack}::{project}::{prefix}{type_}::{name}"


def alias_urns(new: Identity, aliases: Iterable[AliasSpec], parent_aliases: Iterable[str]) -> tuple[str, ...]:
    """Every URN under which an earlier state may hold the resource.

    The engine looks at the state and hands down only the alias its parent was found under. A preview has no state, so
    all aliases of the parent are handed down: each is a place where the engine would look.
    """
    own = [collapse_alias(new, alias) for alias in aliases]
    inherited = [
        _inherited(new, name, type_, parent_alias)
        for parent_alias in parent_aliases
        for name, type_ in [(new.name, new.type), *((name_of(urn), _type_of(urn)) for urn in own)]
    ]
    return tuple(dict.fromkeys(own + inherited))


def collapse_alias(new: Identity, alias: AliasSpec) -> str:
    """The URN that an alias stands for."""
    if alias.urn:
        return alias.urn
    parent = alias.parent or new.parent
    if alias.no_parent or (parent and qualified_type(parent) == ROOT_STACK_TYPE):
        parent = ""
    stack, project = alias.stack or new.stack, alias.project or new.project
    # An old parent brings its own stack and project: CreateURN continues its URN.
    prefix = f"{parent.rsplit('::', 1)[0]}$" if parent else f"urn:pulumi:{stack}::{project}::"
    return f"{prefix}{alias.type or new.type}::{alias.name or new.name}"


def _inherited(new: Identity, name: str, type_: str, parent_alias: str) -> str:
    """A child whose name begins with its parent's is taken to have been renamed with it."""
    parent_name = name_of(new.parent)
    if name.startswith(parent_name):
        name = name_of(parent_alias) + name[len(parent_name) :]
    return new_urn(new.stack, new.project, qualified_type(parent_alias), type_, name)


def _type_of(urn: str) -> str:
    return qualified_type(urn).rsplit("$", 1)[-1]
