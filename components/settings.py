"""The keys of a stack's Pulumi config: which ones the program reads, and which of them must be encrypted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from components import targets
from components.plan import Plan, Ref, Release, Template
from components.problems import FieldPath, Problem
from components.source import Document
from components.wording import did_you_mean

NAMESPACE: Final = "isostack"
SPEC: Final = Ref(f"{NAMESPACE}:spec", secret=False)
TARGET: Final = Ref(f"{NAMESPACE}:target", secret=False)
POLICIES: Final = Ref(f"{NAMESPACE}:policies", secret=False)


def of_plan(plan: Plan) -> tuple[Ref, ...]:
    """All keys that a stack of this plan needs, its providers included."""
    things = [thing for addon in plan.addons for thing in addon.objects]
    values = [thing.values if isinstance(thing, Release) else thing.body for thing in things]
    named = (ref for ref in _refs(values) if ref.is_config)
    return tuple(dict.fromkeys((SPEC, TARGET, *plan.target.settings, *named)))


def beside_target(plan: Plan) -> tuple[Ref, ...]:
    """Those keys that say neither what is asked nor what the target is."""
    return tuple(ref for ref in of_plan(plan) if ref not in (SPEC, TARGET))


def _refs(value: Any) -> Iterator[Ref]:
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, Template):
        yield from value.refs.values()
    elif isinstance(value, dict):
        yield from _refs(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _refs(item)


def place(document: Document, key: str) -> FieldPath:
    """Where a key of the config stands in a stack file; `namespace:config:name` is Pulumi's old form."""
    old = key.replace(":", ":config:", 1)
    return "config", old if old in _config(document) else key


def unknown_keys(document: Document, kind: str | None) -> Iterator[Problem]:
    """Keys of our own namespace that a stack of this target kind does not read: misspelt ones would be silent."""
    kinds = [kind] if kind in targets.kinds() else targets.kinds()
    settings = (SPEC, TARGET, POLICIES, *(ref for each in kinds for ref in targets.config(str(each)).settings))
    known = dict.fromkeys(ref.name for ref in settings if ref.name.startswith(f"{NAMESPACE}:"))
    present = {key: key.replace(":config:", ":", 1) for key in _config(document)}
    for key, full in present.items():
        if full.startswith(f"{NAMESPACE}:") and full not in known:
            near = did_you_mean(full, [name for name in known if name not in present.values()])
            right = f"did you mean {near!r}?" if near else f"keys of {NAMESPACE}: {', '.join(known)}"
            line, column = document.locate(("config", key), key=True)
            yield Problem(f"unknown key {key!r}", right, ("config", key), document.path, line, column)


def in_clear(document: Document, settings: tuple[Ref, ...]) -> Iterator[Problem]:
    """Credentials that stand in the stack file as anybody can read them."""
    for ref in settings:
        path = place(document, ref.name)
        if ref.secret and isinstance(_config(document).get(path[-1]), str):
            what = "a credential in clear text"
            right = f"change it, it may have been read, and: pulumi config set --secret {ref.name}"
            yield Problem(what, right, path, document.path, *document.locate(path, key=True))


def _config(document: Document) -> dict[Any, Any]:
    config = document.data.get("config")
    return config if isinstance(config, dict) else {}
