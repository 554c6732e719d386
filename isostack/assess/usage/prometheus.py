"""Answers of Prometheus' HTTP API, as curl saves them: /api/v1/query_range (a matrix) and /api/v1/query (a vector).

[documented] https://prometheus.io/docs/prometheus/latest/querying/api/: status, data.resultType, data.result; a series
has `metric`, its labels, and `values` or `value`, of times in seconds and numbers as texts.

Series are of pods (label pod), else of workloads (workload, deployment, statefulset, daemonset). The containers of a
pod are added up. Where the kubelet's total of a pod, which has no label container, stands beside them, it is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from components.problems import FieldPath
from isostack.assess.usage.model import Usage
from isostack.assess.usage.series import MAX_CORES, NO_CORES, Axis, Faults, without_empty

QUERY = 'sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{container!=""}[5m]))'
_NAMES = ("pod", "pod_name", "workload", "deployment", "statefulset", "daemonset")
_CONTAINERS = ("container", "container_name")
_PARTS = frozenset((*_CONTAINERS, "cpu"))
"""Labels over which series of one pod are added up."""
_AT: FieldPath = ("data", "result")

Series = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
"""Times in seconds and values in cores."""


def read(text: str, source: str, faults: Faults) -> Usage:
    """Raises InvalidInput with what is wrong."""
    found: dict[str, dict[tuple[tuple[str, str], ...], Series]] = {}
    first: dict[tuple[str, tuple[tuple[str, str], ...]], Mapping[str, str]] = {}
    for i, labels, series in _series(_result(text, faults), faults):
        if not (name := _name(labels)):
            known = ", ".join(labels) or "none"
            faults.tell(
                "the series says neither pod nor workload", f"its labels: {known}; query {QUERY}", path=(*_AT, i)
            )
            continue
        part = tuple(sorted((key, value) for key, value in labels.items() if key in _PARTS))
        if part in found.setdefault(name, {}):
            differ = sorted(key for key in labels if labels[key] != first[name, part].get(key)) or ["nothing"]
            what = f"a second series of {name}, which differs in {', '.join(differ)}"
            faults.tell(what, f"add them up in the query: {QUERY}", path=(*_AT, i))
            continue
        found[name][part], first[name, part] = series, labels
    faults.end()
    parts = {name: _containers(each) for name, each in found.items()}
    axis = Axis(np.concatenate([times for each in parts.values() for times, _ in each]), len(parts), faults)
    samples = np.full((axis.length, len(parts)), np.nan)
    for column, each in enumerate(parts.values()):
        for times, values in each:
            rows = axis.rows(times)
            before = samples[rows, column]
            added = np.where(np.isnan(values), before, np.nan_to_num(before) + values)
            samples[rows, column] = added
    names, samples = without_empty(tuple(parts), samples, faults)
    return Usage(names, samples, axis.step, source)


def _result(text: str, faults: Faults) -> list[Any]:
    data = _parsed(text, faults)
    if not isinstance(data, dict) or "status" not in data:
        what = "is JSON, but no answer of Prometheus"
        faults.refuse(what, "save what /api/v1/query_range answers: status, data.resultType and data.result")
    if data["status"] != "success":
        faults.refuse(f"Prometheus answered with an error: {str(data.get('error') or data['status'])[:200]}")
    inner = data.get("data")
    kind, result = (inner.get("resultType"), inner.get("result")) if isinstance(inner, dict) else (None, None)
    if kind not in ("matrix", "vector") or not isinstance(result, list):
        what = f"a result of type {str(kind)[:40]!r} has no series"
        faults.refuse(what, f"a matrix or a vector is wanted: query {QUERY}", path=("data",))
    if not result:
        faults.refuse("has no series: the query matched nothing", f"query {QUERY}", path=_AT)
    return result


def _parsed(text: str, faults: Faults) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        faults.refuse("not valid JSON: it is nested too deep")
    except json.JSONDecodeError as error:
        ends = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        right = "the file ends too early: was the command that wrote it interrupted?" if ends else ""
        faults.refuse(f"not valid JSON: {error.msg[0].lower()}{error.msg[1:]}", right, error.lineno, error.colno)
    except ValueError as error:  # a number of more digits than Python reads
        faults.refuse(f"not valid JSON: {error}")


def _series(result: list[Any], faults: Faults) -> Iterator[tuple[int, dict[str, str], Series]]:
    """Place, labels, times and values of each series. One that is not sound is told, and comes without values."""
    empty = np.empty(0)
    for i, each in enumerate(result):
        labels = each.get("metric") if isinstance(each, dict) else None
        if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
            faults.tell("is no series: it has no labels under metric", path=(*_AT, i))
            continue
        called = labels.pop("__name__", "")
        if called.endswith("_total"):
            what = f"{called} counts seconds, it is no number of cores"
            faults.refuse(what, f"query {QUERY}", path=(*_AT, i))
        values = [each["value"]] if "value" in each else each.get("values")
        if not isinstance(values, list):
            faults.tell("has no values: a histogram is no number of cores", f"query {QUERY}", path=(*_AT, i))
            continue
        pairs = _pairs(values)
        if isinstance(pairs, int):
            field = "value" if "value" in each else "values"
            where = (*_AT, i, field) if field == "value" else (*_AT, i, field, pairs)
            faults.tell(f"{str(values[pairs])[:60]} is no time with a number of cores", NO_CORES, path=where)
            yield i, labels, (empty, empty)
        else:
            yield i, labels, pairs


def _pairs(values: list[Any]) -> Series | int:
    """Times and values, NaN where the query had none; the first that is neither."""
    try:
        table = np.array([(float(time), float(value)) for time, value in values]).reshape(-1, 2)
    except (TypeError, ValueError):
        return next(i for i, each in enumerate(values) if not _is_pair(each))
    wrong = ~np.isfinite(table[:, 0]) | (table[:, 1] < 0) | (table[:, 1] > MAX_CORES)
    return int(np.flatnonzero(wrong)[0]) if wrong.any() else (table[:, 0], table[:, 1])


def _is_pair(each: Any) -> bool:
    try:
        time, value = each
        float(time), float(value)
    except (TypeError, ValueError):
        return False
    return True


def _name(labels: Mapping[str, str]) -> str:
    name = next((labels[label] for label in _NAMES if labels.get(label)), "")
    namespace = labels.get("namespace", "")
    return f"{namespace}/{name}" if name and namespace else name


def _containers(parts: Mapping[tuple[tuple[str, str], ...], Series]) -> list[Series]:
    """Without the total of the pod, where its containers are there."""
    own = [series for part, series in parts.items() if any(key in _CONTAINERS and value for key, value in part)]
    return own or list(parts.values())
