"""Files of measured use of CPU that somebody spoilt: each is told, or read as what it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.problems import InvalidInput, Problem
from isostack.assess.usage import Usage, series
from tests.unit.test_assess_usage_files import CONTAINERS, TOP, matrix, read

SOUND = (
    TOP,
    CONTAINERS,
    matrix(({"pod": "a", "container": "x"}, [[0, "1"], [60, "2"]]), ({"pod": "b"}, [[0, "1"], [120, "NaN"]])),
    "time,a,b\n0,1,2\n60,,3\n",
    "time,workload,cores\n0,a,1\n60,b,2\n",
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_spoilt_file_is_told_or_read_and_nothing_else(tmp_path: Path, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(SOUND)).encode()
    for _ in range(data.draw(st.integers(1, 3))):
        at, end = sorted(data.draw(st.integers(0, len(text))) for _ in range(2))
        piece = st.sampled_from([b"", b"0", b"-", b"e9", b'"', b",", b"\n", b"[", b"}", b"null", b" ", b"\xff", b"m"])
        text = text[:at] + data.draw(piece | st.binary(max_size=3)) + text[min(end, at + 8) :]
    usage: Usage | None = None
    told: tuple[Problem, ...] = ()
    try:
        usage = read(tmp_path, text)
    except InvalidInput as error:
        told = error.problems
    assert len(told) <= 10
    assert all(problem.what and problem.file for problem in told)
    if usage is not None:
        assert usage.samples.shape[1] == len(usage.names) == len(set(usage.names)) > 0
        there = usage.samples[~np.isnan(usage.samples)]
        assert len(there)
        assert (there >= 0).all()
        assert (usage.step is None) == (len(usage.samples) == 1)
        assert usage.step is None or usage.step > 0


def test_limits_are_as_they_are_described() -> None:
    assert series.MAX_CELLS * 8 == 256 * 2**20
    assert series.MAX_CELLS / 2 > 5000 * 2880
