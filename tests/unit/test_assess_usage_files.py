"""Files of measured use of CPU: each format, each fault in its place, and no file that breaks the reader."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.problems import InvalidInput
from isostack.assess.usage import Usage, prometheus, read_usage, reading

NAN = float("nan")
QUERY = prometheus.QUERY

TOP = """\
NAMESPACE     NAME                        CPU(cores)   MEMORY(bytes)
shop          checkout-59cc88794c-mzccv   250m         180Mi
kube-system   coredns-66bff467f8-t7wvz    3m           12Mi
"""
CONTAINERS = """\
POD                         NAME    CPU(cores)   MEMORY(bytes)
checkout-59cc88794c-mzccv   app     250m         180Mi
checkout-59cc88794c-mzccv   proxy   50m          20Mi
search-0                    app     1500m        900Mi
                                    ________     ________
                                    1800m        1100Mi
"""


def read(folder: Path, text: str | bytes, name: str = "usage") -> Usage:
    """What is read of a file of this text, read as its name alone tells."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_usage(str(path))


def faults(folder: Path, text: str | bytes) -> list[str]:
    with pytest.raises(InvalidInput) as error:
        read(folder, text)
    return [str(problem).replace(f"{folder}/usage", "FILE") for problem in error.value.problems]


def matrix(*rows: tuple[dict[str, str], list[Any]]) -> str:
    """What /api/v1/query_range answers."""
    result = [{"metric": labels, "values": values} for labels, values in rows]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})


def shown(usage: Usage) -> dict[str, list[float]]:
    return dict(zip(usage.names, usage.samples.T.tolist(), strict=True))


# ---- kubectl top pods


def test_kubectl_top_is_one_instant(tmp_path: Path) -> None:
    usage = read(tmp_path, TOP)
    assert shown(usage) == {"shop/checkout-59cc88794c-mzccv": [0.25], "kube-system/coredns-66bff467f8-t7wvz": [0.003]}
    assert usage.step is None
    assert usage.source == f"{tmp_path}/usage"
    swap = TOP.replace("(bytes)\n", "(bytes)   SWAP(bytes)\n").replace("Mi\n", "Mi   0Mi\n")
    assert shown(read(tmp_path, swap)) == shown(usage)


def test_containers_are_added_up_and_the_sum_of_all_is_no_pod(tmp_path: Path) -> None:
    assert shown(read(tmp_path, CONTAINERS)) == {"checkout-59cc88794c-mzccv": [0.3], "search-0": [1.5]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            TOP.replace("250m", "<unknown>").replace("   12Mi", ""),
            [
                "FILE:2:43: '<unknown>' is no amount of CPU; kubectl writes millicores: 250m",
                "FILE:3:1: 3 cells where the header has 4; kubectl top pods > FILE",
            ],
        ),
        (
            TOP + TOP.splitlines()[1],
            ["FILE:4:1: shop/checkout-59cc88794c-mzccv stands twice; the output of one call is wanted"],
        ),
        (TOP.splitlines()[0], ["FILE: has a header and no pod; kubectl top pods -A"]),
        (
            TOP.split("\n", 1)[1],
            ["FILE: has no header: which column is which is not known; kubectl top pods, without --no-headers"],
        ),
        (
            "NAME    CPU(cores)   CPU(%)   MEMORY(bytes)   MEMORY(%)\nn1   1000m   10%   1024Mi   10%\n",
            ["FILE:1:1: is of nodes, and that of pods is wanted; kubectl top pods -A"],
        ),
        (
            "error: Metrics API not available\n",
            [
                "FILE: kubectl failed: error: Metrics API not available; "
                "kubectl top needs a metrics API, such as metrics-server"
            ],
        ),
        (
            "CPU(cores) NAME\n1m a\n",
            ["FILE:1:1: is no header of kubectl top pods; NAMESPACE POD NAME CPU(cores) MEMORY(bytes)"],
        ),
    ],
)
def test_what_is_wrong_with_the_output_of_kubectl(tmp_path: Path, text: str, told: list[str]) -> None:
    assert faults(tmp_path, text) == told


# ---- Prometheus


def test_a_range_query_is_samples_over_time(tmp_path: Path) -> None:
    usage = read(
        tmp_path,
        matrix(
            ({"namespace": "shop", "pod": "a-0"}, [[1435781430.781, "0.5"], [1435781445.781, "1"]]),
            ({"namespace": "shop", "pod": "b-0"}, [[1435781445.781, "NaN"], [1435781475.781, "0.25"]]),
        ),
    )
    assert usage.names == ("shop/a-0", "shop/b-0")
    np.testing.assert_array_equal(usage.samples, [[0.5, NAN], [1, NAN], [NAN, NAN], [NAN, 0.25]])
    assert usage.step == pytest.approx(15)


def test_an_instant_query_is_one_instant(tmp_path: Path) -> None:
    result = [{"metric": {"workload": "checkout"}, "value": [1435781451.781, "2.5"]}]
    usage = read(tmp_path, json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}))
    assert (shown(usage), usage.step) == ({"checkout": [2.5]}, None)


def test_containers_of_a_pod_are_added_up_without_the_kubelets_total(tmp_path: Path) -> None:
    pod = {"pod": "a-0"}
    text = matrix(
        (pod, [[0, "9"], [60, "9"]]),
        ({**pod, "container": "app"}, [[0, "1"], [60, "2"]]),
        ({**pod, "container": "proxy"}, [[60, "0.5"]]),
        ({"pod": "b-0"}, [[0, "3"], [60, "4"]]),
    )
    assert shown(read(tmp_path, text)) == {"a-0": [1, 2.5], "b-0": [3, 4]}


def test_a_series_without_a_value_is_not_there(tmp_path: Path) -> None:
    text = matrix(({"pod": "a"}, [[0, "NaN"]]), ({"pod": "b"}, [[0, "1"]]), ({"pod": "c"}, []))
    assert shown(read(tmp_path, text)) == {"b": [1]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '{"status": "error", "errorType": "bad_data", "error": "parse error"}',
            ["FILE: Prometheus answered with an error: parse error"],
        ),
        (
            '{"status": "success", "data": {"resultType": "scalar", "result": [0, "1"]}}',
            [f"FILE: data: a result of type 'scalar' has no series; a matrix or a vector is wanted: query {QUERY}"],
        ),
        (matrix(), [f"FILE: data.result: has no series: the query matched nothing; query {QUERY}"]),
        (
            "[]",
            [
                "FILE: is JSON, but no answer of Prometheus; save what /api/v1/query_range answers: status, "
                "data.resultType and data.result"
            ],
        ),
        (
            '{"status": "success", "data": {"resul',
            [
                "FILE:1:32: not valid JSON: unterminated string starting at; the file ends too early: was the command "
                "that wrote it interrupted?"
            ],
        ),
        ("[" * 100_000, ["FILE: not valid JSON: it is nested too deep"]),
        (f"[{'1' * 5000}]", None),
        (
            matrix(({"__name__": "container_cpu_usage_seconds_total", "pod": "a"}, [[0, "1"]])),
            [
                "FILE: data.result[0]: container_cpu_usage_seconds_total counts seconds, it is no number of cores; "
                f"query {QUERY}"
            ],
        ),
        (
            matrix(
                ({"instance": "h1"}, [[0, "1"]]),
                ({"pod": "a"}, [[0, "1"], [60, "-1"]]),
                ({"pod": "b"}, [[0, "1"], [60]]),
                ({"pod": "c"}, [[0, "2000"]]),
                ({"pod": "d", "instance": "h1"}, [[0, "1"]]),
                ({"pod": "d", "instance": "h2"}, [[60, "1"]]),
            ),
            [
                f"FILE: data.result[0]: the series says neither pod nor workload; its labels: instance; query {QUERY}",
                "FILE: data.result[1].values[1]: [60, '-1'] is no time with a number of cores; "
                "values are cores, for example 0.25",
                "FILE: data.result[2].values[1]: [60] is no time with a number of cores; "
                "values are cores, for example 0.25",
                "FILE: data.result[3].values[0]: [0, '2000'] is no time with a number of cores; "
                "values are cores, for example 0.25",
                "FILE: data.result[5]: a second series of d, which differs in instance; "
                f"add them up in the query: {QUERY}",
            ],
        ),
        (
            matrix(({"pod": "a"}, [[0, "1"], [60, "1"], [120, "1"], [150, "1"], [210, "1"]])),
            [
                "FILE: samples are 60 s apart, but not those of 1970-01-01T00:02:00Z and the next, which are 30 s "
                "apart; take samples at even times; gaps may be"
            ],
        ),
        (
            matrix(({"pod": "a"}, [[0, "1"], [1, "1"], [2, "1"], [1e9, "1"]])),
            [
                "FILE: 1,000,000,001 samples of 1 columns are too many: at most 33,554,432 values are taken; "
                "a longer step, or a shorter time"
            ],
        ),
        (
            matrix(({"pod": "a"}, [[0, "NaN"]])),
            ["FILE: there is no value in it; values are cores, for example 0.25"],
        ),
    ],
)
def test_what_is_wrong_with_an_answer_of_prometheus(tmp_path: Path, text: str, told: list[str] | None) -> None:
    found = faults(tmp_path, text)
    assert found == told or (told is None and found[0].startswith("FILE: not valid JSON: "))


# ---- CSV


@pytest.mark.parametrize(
    "text",
    [
        "time,checkout,search-0\n2026-11-24T13:00:00Z,0.5,250m\n2026-11-24T13:05:00Z,,1\n2026-11-24T13:15:00Z,2,NaN\n",
        "Timestamp,checkout,search-0\r\n1795525200,0.5,0.25\r\n1795526100,2,\r\n\r\n1795525500,,1\r\n",
        "time,workload,cores\n1795525200,checkout,0.5\n1795525200,search-0,0.25\n1795526100,checkout,2\n"
        "2026-11-24T14:05:00+01:00,search-0,1\n",
        '\ufefftime,"checkout",search-0\n2026-11-24 13:00,0.5,.25\n2026-11-24 13:05,,1\n2026-11-24 13:15,"2",\n',
    ],
)
def test_csv_is_wide_or_long(tmp_path: Path, text: str) -> None:
    usage = read(tmp_path, text)
    assert usage.names == ("checkout", "search-0")
    np.testing.assert_array_equal(usage.samples, [[0.5, 0.25], [NAN, 1], [NAN, NAN], [2, NAN]])
    assert usage.step == 300


def test_samples_may_come_a_little_late(tmp_path: Path) -> None:
    usage = read(tmp_path, "time,a\n0,1\n62,1\n119,1\n182,1\n")
    assert len(usage.samples) == 4
    assert usage.step == pytest.approx(182 / 3)
    assert read(tmp_path, "time,a\n7,1\n").step is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "time,a,b\n0,1,x\n60,-1,2\nnoon,1,2\n1795525200000,1,2\n1,2\n",
            [
                "FILE:2:5: 'x' is no amount of CPU of a workload; values are cores, for example 0.25",
                "FILE:3:4: '-1' is no amount of CPU of a workload; values are cores, for example 0.25",
                "FILE:4:1: 'noon' is no time; ISO 8601, for example 2026-11-24T13:05:00Z, or Unix seconds",
                "FILE:5:1: '1795525200000' is no time; Unix time is wanted in seconds, not in milliseconds",
                "FILE:6:1: 2 cells where the header has 3; keep the commas of empty cells, and quote cells that hold "
                "one",
            ],
        ),
        (
            'time,"a, b",c\n0,"1",inf\n',
            ["FILE:2:7: 'inf' is no amount of CPU of a workload; values are cores, for example 0.25"],
        ),
        (
            "time,a,a,\n0,1,2,3\n",
            [
                "FILE:1:8: column 'a' stands twice; name each column after its workload or pod",
                "FILE:1:10: a column without a name; name each column after its workload or pod",
            ],
        ),
        ("time,a\n0,1\n60,2\n0,3\n", ["FILE:4:1: a second row for the same moment; keep one"]),
        (
            "time,pod,cpu\n0,a,1\n0,b,1\n60,,1\n0,a,2\n",
            ["FILE:4:4: a sample of nobody; name its workload or pod"],
        ),
        ("time,pod,cpu\n0,a,1\n0,b,1\n0,a,2\n", ["FILE:4:1: a second sample of 'a' for the same moment; keep one"]),
        ("time,pod,cpu\n0,a\n", ["FILE:2:1: 2 cells where the header has 3; time,workload,cores"]),
        ("time;a\n0;1\n", ["FILE:1:1: the cells are apart by semicolons; save the file with commas"]),
        ("time\ta\n0\t1\n", ["FILE:1:1: the cells are apart by tabs; save the file with commas"]),
        (
            "a,b\n0,1\n",
            [
                "FILE:1:1: the first column is 'a', not time; "
                "the first line is time,<workload>,<workload>,... or time,workload,cores"
            ],
        ),
        ("time,a\n", ["FILE:1:1: has a header and no sample; add a row for each moment"]),
        ("time,pod,cpu\n", ["FILE:1:1: has a header and no sample; add a row for each moment and workload"]),
        ("time,\n0,1\n", ["FILE:1:6: a column without a name; name each column after its workload or pod"]),
        ('time,a\n0,"1\n', ["FILE:2:1: not valid CSV: unexpected end of data; look at the quotes of this row"]),
        ("time,a\n0,\n", ["FILE: there is no value in it; values are cores, for example 0.25"]),
    ],
)
def test_what_is_wrong_with_a_csv(tmp_path: Path, text: str, told: list[str]) -> None:
    assert faults(tmp_path, text) == told


def test_a_header_that_is_too_long_is_not_gone_through(tmp_path: Path) -> None:
    assert faults(tmp_path, "time" + ",a" * 150_000) == ["FILE:1:1: has 150,001 columns; at most 150,000 are taken"]


# ---- Files of any kind


def test_ten_faults_are_told_and_no_more(tmp_path: Path) -> None:
    assert len(faults(tmp_path, "time,a\n" + "x,y\n" * 1000)) == 10


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "FILE: is empty; if the command that wrote it failed, its standard error says why"),
        (b" \n", "FILE: is empty; if the command that wrote it failed, its standard error says why"),
        (b"\x7fELF\0\0", f"FILE: is a binary file; {reading._KNOWN}"),
        (b"\xff\xfet\0i\0", "FILE: is UTF-16, as some shells write what `>` gets; write it as UTF-8"),
        (b"time,a\n0,\xe9\n", "FILE:2:3: not UTF-8: byte 0xe9 at offset 9; save the file as UTF-8"),
        (b"hello\n", f"FILE: is of no known format: it begins with 'hello'; {reading._KNOWN}"),
        (b"x" * 90, f"FILE: is of no known format: it begins with '{'x' * 37}...'; {reading._KNOWN}"),
    ],
)
def test_what_is_none_of_these(tmp_path: Path, raw: bytes, told: str) -> None:
    assert faults(tmp_path, raw) == [told]


def test_what_is_no_file_and_what_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(file: str) -> str:
        with pytest.raises(InvalidInput) as error:
            read_usage(file)
        return str(error.value)

    os.mkfifo(tmp_path / "pipe")
    assert told(str(tmp_path / "none")) == f"{tmp_path}/none: no such file; {reading._KNOWN}"
    assert told(str(tmp_path)) == f"{tmp_path}: is a directory; name a file, or - for the standard input"
    assert told(str(tmp_path / "pipe")).endswith("is not a regular file; name a file, or - for the standard input")
    assert told("a\0b").endswith("is not a file name")
    monkeypatch.setattr(reading, "MAX_BYTES", 2**20)
    (tmp_path / "large").write_bytes(b"x" * (2**20 + 1))
    assert told(str(tmp_path / "large")) == (
        f"{tmp_path}/large: has more than 1 MiB; a longer step, a shorter time, or sums by workload"
    )


def test_the_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "top").write_text(TOP)
    with (tmp_path / "top").open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        usage = read_usage("-")
    assert (len(usage.names), usage.source) == (2, "standard input")
