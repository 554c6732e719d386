"""What the charts of the project take: facts in tests/charts, a check of values against them, and what makes them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from components.plan import Ref, Release, Template
from tests.addons import ALL

FOLDER = Path(__file__).parent / "charts"
_SCALARS = {"string": str, "bool": bool, "int": int, "number": float}
_NODE_AFFINITY: dict[str, Any] = {
    "preferredDuringSchedulingIgnoredDuringExecution": "open",
    "requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [
            {"matchExpressions": [{"key": "string", "operator": "string", "values": ["string"]}], "matchFields": "open"}
        ]
    },
}
_KUBERNETES: dict[str, Any] = {
    "tolerations": [
        {"key": "string", "operator": "string", "value": "string", "effect": "string", "tolerationSeconds": "int"}
    ],
    "nodeAffinity": _NODE_AFFINITY,
    "affinity": {"nodeAffinity": "nodeAffinity", "podAffinity": "open", "podAntiAffinity": "open"},
    "nodeSelector": "open",
    "resources": "open",
}
"""Values of these names mean what pods have under them [documented]
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/"""
_OPEN = ("annotations", "labels")
"""So end the names of maps whose keys are the user's own."""


@dataclass(frozen=True)
class Chart:
    """One chart, as it is pinned.

    A tree says what values may be: a map of its keys; a list with the tree of its items; or the name of a type, or of
    several with | between. `open` is a map or list with anything in it, `map` and `list` are some that nobody has
    looked into, `ignored` is what the chart lists and never reads, or what defaults of its own always cover. The key *
    stands for any other.
    """

    chart: str
    repository: str
    version: str
    source: list[str]
    """Of the chart as pinned, and of what `read` says beyond it."""
    grade: str
    values: Mapping[str, Any]
    """From the files values.yaml of the chart and of its subcharts, where the project's values go."""
    kubernetes: str = ""
    """kubeVersion of Chart.yaml; empty: it says nothing."""
    read: Mapping[str, Any] = field(default_factory=dict)
    """What templates, schemas and programs read beyond `values`, or more exactly."""
    needs: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    """Values that are read only where a switch is on: path, switch, and whether it is on by default."""

    def faults(self, values: Mapping[str, Any]) -> Iterator[str]:
        yield from _faults(values, _merged(self.values, self.read), "")
        for path, switches in self.needs.items():
            for switch, default in switches.items():
                if _at(values, path) is not None and not _on(_at(values, switch), default):
                    yield f"{path}: ignored while {switch} is off"


def name_of(release: Release) -> str:
    """The chart's name; the reference of one in an OCI registry ends with it."""
    return release.chart.rsplit("/", 1)[-1]


@cache
def charts() -> dict[str, Chart]:
    """All facts, by the names of their files."""
    return {path.stem: Chart(**json.loads(path.read_text("utf-8"))) for path in sorted(FOLDER.glob("*.json"))}


def _merged(values: Any, read: Any) -> Any:
    if isinstance(values, Mapping) and isinstance(read, Mapping):
        return {**values, **{key: _merged(values.get(key), tree) for key, tree in read.items()}}
    if isinstance(values, list) and isinstance(read, list):
        return [_merged(values[0], read[0])]
    return read


def _faults(value: Any, tree: Any, path: str) -> Iterator[str]:
    if isinstance(value, tuple):
        value = list(value)
    if isinstance(tree, Mapping) and isinstance(value, Mapping):
        for key, item in value.items():
            inner = f"{path}.{key}".removeprefix(".")
            if key in tree or "*" in tree:
                yield from _faults(item, tree.get(key, tree.get("*")), inner)
            else:
                yield f"{inner}: no such key; there are {', '.join(sorted(tree))}"
    elif isinstance(tree, list) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults(item, tree[0], f"{path}[{index}]")
    elif isinstance(tree, str) and tree in _KUBERNETES:
        yield from _faults(value, _KUBERNETES[tree], path)
    elif tree in ("map", "list") and isinstance(value, Mapping | list) and value:
        yield f"{path}: the facts stop here, and nobody knows whether the chart reads {value!r}"
    elif not (isinstance(tree, str) and any(_is(value, name) for name in tree.split("|"))):
        wanted = tree if isinstance(tree, str) else "map" if isinstance(tree, Mapping) else "list"
        yield f"{path}: {wanted} in the facts, here {value!r}"


def _is(value: Any, name: str) -> bool:
    if isinstance(value, Ref | Template):
        return name == "string"
    if name in _SCALARS:
        return type(value) is _SCALARS[name]
    return isinstance(value, Mapping | list) and name in {"open", "map", "list"}


def _at(values: Any, path: str) -> Any:
    for key in path.split("."):
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def _on(value: Any, default: bool) -> bool:
    return default if value is None else bool(value)


def reduced(values: Any, used: Any, name: str = "") -> Any:
    """The tree of a values.yaml as far as `used` goes down, with all keys that stand beside."""
    if name in _KUBERNETES:
        return name
    if isinstance(values, Mapping):
        if isinstance(used, Mapping) and used and values:
            return {str(key): reduced(item, used.get(key), str(key)) for key, item in values.items()}
        return "open" if name.lower().endswith(_OPEN) else "map"
    if isinstance(values, list):
        if isinstance(used, list) and used and values:
            return [reduced(together(values), together(used))]
        return "list"
    return next((word for word, kind in _SCALARS.items() if type(values) is kind), "any")


def together(values: Sequence[Any]) -> Any:
    """All that some values hold, in one."""
    maps = [value for value in values if isinstance(value, Mapping)]
    if maps:
        keys = dict.fromkeys(key for value in maps for key in value)
        return {key: together([value[key] for value in maps if key in value]) for key in keys}
    lists = [item for value in values if isinstance(value, list | tuple) for item in value]
    return lists or (values[0] if values else None)


def values_of(folder: Path) -> dict[str, Any]:
    """The values of an unpacked chart, with those of its subcharts under their names."""
    inner = {child.parent.name: values_of(child.parent) for child in sorted(folder.glob("charts/*/values.yaml"))}
    own = yaml.safe_load((folder / "values.yaml").read_text("utf-8")) or {}
    found: dict[str, Any] = together([own, inner])
    return found


def main(chart: str, folder: Path) -> None:
    """Writes a chart's facts anew, from the chart unpacked in `folder`. What was written by hand stays."""
    found = [r for addon in ALL for r in addon.objects if isinstance(r, Release) and name_of(r) == chart]
    if not found:
        sys.exit(f"the project installs no chart {chart}")
    if not (folder / "values.yaml").is_file():
        sys.exit(f"{folder} holds no values.yaml: is it a chart, unpacked?")
    path = FOLDER / f"{chart}.json"
    place = {"chart": chart, "repository": found[0].repo or found[0].chart.rsplit("/", 1)[0]}
    old = json.loads(path.read_text("utf-8")) if path.exists() else {"source": [], "grade": "seen", "values": {}}
    values = reduced(values_of(folder), together([release.values for release in found]))
    facts = {**place, **old, **place, "version": found[0].version, "values": values}
    path.write_text(json.dumps(facts, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
