"""Cost: hosts, power, licences and hours of work over years. Every price comes from the caller.

Units: a currency of the caller's, years, hours, watts. Numbers may be numpy arrays of them. Validity: linear power, no
discounting; storage and network are equal on both sides [assumption].
"""

from __future__ import annotations

HOURS = 8766
"""Of a year, leap years in."""
CORES_PER_CPU, CORES_PER_ORDER = 16, 72
"""Least cores that VMware counts for a CPU, and for an order, as resellers report it [vendor] redresscompliance.com,
June 2026; not read on Broadcom's own page."""
THREADS_PER_CORE = 2


def host_cost(threads: float, gib: float, host: float, thread: float, per_gib: float) -> float:
    """Of a host with so many threads and so much memory: prices of the rest, of a thread, of a GiB [assumption]."""
    return host + threads * thread + gib * per_gib


def power_cost(hosts: float, watts: float, pue: float, kwh: float, years: float) -> float:
    """Of so many hosts: 600 W, PUE 1.58, 0.12 a kWh, 3 years: 2992 each."""
    return hosts * watts / 1000 * pue * HOURS * kwh * years


def licensed_cores(hosts: float, threads: float, cpus: int = 1) -> float:
    """Cores that are paid for, of hosts with so many threads on so many CPUs each: at least 16 a CPU and 72 in all. Two
    hosts of 32 threads: 72."""
    cores = hosts * max(threads / THREADS_PER_CORE, CORES_PER_CPU * cpus)
    return cores + (CORES_PER_ORDER - cores) * (cores < CORES_PER_ORDER)


def work_cost(hours: float, rate: float, years: float) -> float:
    """Of so many hours a year."""
    return hours * rate * years
