"""Reads measured use of CPU from a file: what `kubectl top pods` prints, what Prometheus answers, or a CSV.

Which of them it is, is told by what is in it.
"""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from components.problems import InvalidInput
from isostack.assess.usage import prometheus, table
from isostack.assess.usage.model import Usage
from isostack.assess.usage.series import MAX_CORES, Faults

STDIN: Final = "-"
MAX_BYTES: Final = 2**27
"""128 MiB: 500 pods for 10 days every 5 minutes, as Prometheus writes them, are 45."""
_KNOWN = "known are the output of `kubectl top pods`, an answer of Prometheus (/api/v1/query_range), and CSV"
_NAMESPACE, _POD, _NAME, _CPU = "NAMESPACE", "POD", "NAME", "CPU(cores)"
_TOP_ROW = re.compile(r"\S+(\s+\S+){0,2}\s+[0-9]+m\s+[0-9]+Mi(\s|$)")
_MILLICORES = re.compile(r"([0-9]{1,12})m")


def read_usage(file: str) -> Usage:
    """What is in the file, or in the standard input for `-`. Raises InvalidInput with what is wrong with it, ten faults
    at most."""
    name = "standard input" if file == STDIN else file
    faults = Faults()
    try:
        text = _text(file, faults)
        usage = _reader(text, faults)(text, name, faults)
        faults.end()
        return usage
    except InvalidInput as error:
        raise InvalidInput([replace(problem, file=name) for problem in error.problems]) from None


def _text(file: str, faults: Faults) -> str:
    raw = _raw(file, faults)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        faults.refuse("is UTF-16, as some shells write what `>` gets", "write it as UTF-8")
    if b"\0" in raw:
        faults.refuse("is a binary file", _KNOWN)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace").split("\n")
        what = f"not UTF-8: byte 0x{raw[error.start]:02x} at offset {error.start}"
        faults.refuse(what, "save the file as UTF-8", len(before), len(before[-1]) + 1)
    if not text.strip():
        faults.refuse("is empty", "if the command that wrote it failed, its standard error says why")
    return text


def _raw(file: str, faults: Faults) -> bytes:
    try:
        if file == STDIN:
            raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            path = Path(file)
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode):
                # Reading a pipe or a device may never end.
                kind = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
                faults.refuse(f"is {kind}", "name a file, or - for the standard input")
            with path.open("rb") as stream:
                raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        faults.refuse("no such file", _KNOWN)
    except OSError as error:
        faults.refuse(f"cannot be read: {(error.strerror or type(error).__name__).lower()}")
    except ValueError:
        faults.refuse("is not a file name")
    if len(raw) > MAX_BYTES:
        faults.refuse(f"has more than {MAX_BYTES >> 20} MiB", "a longer step, a shorter time, or sums by workload")
    return raw


def _reader(text: str, faults: Faults) -> Callable[[str, str, Faults], Usage]:
    first = next(line for line in text.splitlines() if line.strip())
    if text.lstrip().startswith(("{", "[")):
        return prometheus.read
    if _CPU in first.split():
        return _top
    if first.startswith(("error:", "Error from server")):
        faults.refuse(f"kubectl failed: {first[:200]}", "kubectl top needs a metrics API, such as metrics-server")
    if _TOP_ROW.match(first):
        faults.refuse("has no header: which column is which is not known", "kubectl top pods, without --no-headers")
    if not any(mark in first for mark in ",;\t"):
        shown = first.strip() if len(first.strip()) <= 40 else first.strip()[:37] + "..."
        faults.refuse(f"is of no known format: it begins with {shown!r}", _KNOWN)
    return table.read


def _top(text: str, source: str, faults: Faults) -> Usage:
    """`kubectl top pods`, with -A, --containers and --sum as may be.

    [seen] k8s.io/kubectl pkg/metricsutil/metrics_printer.go: NAMESPACE and POD come before NAME where they are asked
    for, CPU is whole millicores, and --sum follows a line of underscores.
    """
    header: list[str] = []
    columns: list[str] = []
    pods: dict[str, float] = {}
    seen: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        cells = line.split()
        if not cells:
            continue
        if not header:
            header = cells
            if any(cell in ("CPU(%)", "CPU%") for cell in header):
                faults.refuse("is of nodes, and that of pods is wanted", "kubectl top pods -A", number)
            columns = [cell for cell in header if cell in (_NAMESPACE, _POD, _NAME)]
            if _NAME not in columns or header[: len(columns) + 1] != [*columns, _CPU]:
                faults.refuse("is no header of kubectl top pods", "NAMESPACE POD NAME CPU(cores) MEMORY(bytes)", number)
            continue
        if set(cells[0]) == {"_"}:
            break
        if len(cells) != len(header):
            faults.tell(f"{len(cells)} cells where the header has {len(header)}", "kubectl top pods > FILE", number)
            continue
        row = dict(zip(header, cells, strict=True))
        match = _MILLICORES.fullmatch(row[_CPU])
        if match is None or int(match[1]) > MAX_CORES * 1000:
            at = [found.start() + 1 for found in re.finditer(r"\S+", line)][len(columns)]
            faults.tell(f"{row[_CPU][:40]!r} is no amount of CPU", "kubectl writes millicores: 250m", number, at)
            continue
        pod = "/".join(row[key] for key in (_NAMESPACE, _POD if _POD in row else _NAME) if key in row)
        each = f"{pod}/{row[_NAME]}"
        if each in seen:
            faults.tell(f"{pod} stands twice", "the output of one call is wanted", number)
        seen.add(each)
        pods[pod] = pods.get(pod, 0.0) + int(match[1]) / 1000
    faults.end()
    if not pods:
        faults.refuse("has a header and no pod", "kubectl top pods -A")
    return Usage(tuple(pods), np.array([list(pods.values())]), None, source)
