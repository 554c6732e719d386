"""Measured use of CPU: matched with the spec's workloads, and what the models take of it."""

from __future__ import annotations

import numpy as np
import pytest

from components.spec import Workload
from isostack.assess.usage import (
    Usage,
    filled,
    matched,
    means,
    of_requests,
    peak_to_mean,
    per_replica,
    total_peak_to_mean,
    variation,
)

NAN = float("nan")


def work(name: str, replicas: int = 2, cpu: str = "500m") -> Workload:
    return Workload.model_validate(
        {"name": name, "pool": "web", "replicas": replicas, "requests": {"cpu": cpu, "memory": "1Gi"}}
    )


def usage(columns: dict[str, list[float]], step: float | None = 300) -> Usage:
    return Usage(tuple(columns), np.array(list(columns.values())).T, step, "x.csv")


@pytest.mark.parametrize(
    ("pod", "workload"),
    [
        ("checkout-59cc88794c-mzccv", "checkout"),  # Deployment
        ("checkout-c8d475877-t5vqk", "checkout"),
        ("checkout-0", "checkout"),  # StatefulSet
        ("checkout-x2x8q", "checkout"),  # DaemonSet, Job
        ("checkout-28234560-x2x8q", "checkout"),  # CronJob
        ("checkout-api-59cc88794c-mzccv", "checkout-api"),
        ("shop/checkout-59cc88794c-mzccv", "checkout"),
        ("checkout-redis-0", None),  # somebody else's
        ("checkout-redis-59cc88794c-mzccv", None),
        ("checkouts-59cc88794c-mzccv", None),
        ("coredns-66bff467f8-t7wvz", None),
        ("my-checkout-59cc88794c-mzccv", None),
    ],
)
def test_pods_belong_to_the_workload_whose_name_they_begin_with(pod: str, workload: str | None) -> None:
    works = [work("checkout"), work("checkout-api"), work("search")]
    found = matched(usage({pod: [1.0]}), works)
    assert found.pods == ({workload: (0,)} if workload else {})
    assert found.unmatched == (() if workload else (pod,))
    assert found.unmeasured == tuple(each.name for each in works if each.name != workload)
    assert found.totals == {}


def test_a_column_named_like_a_workload_is_all_of_it_unless_others_are_its_pods() -> None:
    works = [work("checkout"), work("search")]
    found = matched(usage({"checkout": [1.0], "search-0": [1.0], "search": [1.0], "other/checkout": [1.0]}), works)
    assert found.totals == {"checkout": 0}
    assert found.pods == {"search": (1, 2)}
    assert found.unmatched == ("other/checkout",)


def test_pods_of_other_namespaces_are_not_counted_where_it_is_said_which_one() -> None:
    measured = usage({"live/checkout-0": [1.0], "test/checkout-0": [1.0], "checkout-1": [1.0]})
    assert matched(measured, [work("checkout")]).pods == {"checkout": (0, 1, 2)}
    only = matched(measured, [work("checkout")], {"checkout": "live"})
    assert (only.pods, only.unmatched) == ({"checkout": (0, 2)}, ("test/checkout-0",))


def test_a_replica_uses_the_mean_of_those_that_are_there() -> None:
    works = [work("search", replicas=4), work("idle"), work("checkout")]
    measured = usage({"checkout-0": [1.0, 3.0, NAN], "search": [4.0, 8.0, 8.0], "checkout-1": [3.0, NAN, NAN]})
    each = per_replica(measured, matched(measured, works), works)
    assert each.names == ("search", "checkout")
    assert (each.step, each.source) == (300, "x.csv")
    np.testing.assert_array_equal(each.samples, [[1.0, 2.0], [2.0, 3.0], [2.0, NAN]])
    assert means(each).tolist() == [pytest.approx(5 / 3), 2.5]
    assert peak_to_mean(each).tolist() == [pytest.approx(1.2), pytest.approx(1.2)]
    assert of_requests(each, works).tolist() == [pytest.approx(10 / 3), 5]
    assert filled(each)[2].tolist() == [2.0, 0.0]


def test_no_workload_measured_leaves_no_column() -> None:
    measured = usage({"other": [1.0, 2.0]})
    each = per_replica(measured, matched(measured, [work("a")]), [work("a")])
    assert (each.names, each.samples.shape) == ((), (2, 0))
    assert (total_peak_to_mean(each), variation(means(each))) == (1, 0)


def test_the_peak_of_all_is_lower_than_that_of_each() -> None:
    apart = usage({"a": [2.0, 0.0], "b": [0.0, 2.0]})
    assert peak_to_mean(apart).tolist() == [2, 2]
    assert total_peak_to_mean(apart) == 1
    assert peak_to_mean(usage({"a": [0.0, 0.0]})).tolist() == [1]


def test_variation_by_hand() -> None:
    assert variation([1, 1, 4]) == pytest.approx(0.5**0.5)
    assert variation([2, 2]) == variation([]) == variation([0, 0]) == 0


def test_what_was_measured_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        usage({"a": [1.0]}).samples[0, 0] = 2
