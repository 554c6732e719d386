"""Metrics of nodes and pods: Prometheus with the node exporter."""

from __future__ import annotations

from collections.abc import Iterator

from components.addons import cilium
from components.addons.placement import ANY_NODE, SHARED_NODES
from components.plan import Addon, Release
from components.spec import Spec
from components.target import TargetConfig

NAME = "kube-prometheus-stack"
RETENTION = "8GB"
"""The oldest metrics go when this is full [engineers' choice]: they lie on the node's disk and must not fill it."""


def addons(spec: Spec, target: TargetConfig) -> Iterator[Addon]:
    if not spec.monitoring.node_metrics:
        return
    release = Release(
        name=NAME,
        namespace="monitoring",
        chart=NAME,
        # [documented] github.com/prometheus-community/helm-charts, 2026-08-22; node exporter 1.12.1
        version="88.5.3",
        repo="https://prometheus-community.github.io/helm-charts",
        values={
            "kubeProxy": {"enabled": False},  # there is none
            # Dashboards and receivers of alerts are the reader's own.
            "grafana": {"enabled": False},
            "alertmanager": {"enabled": False},
            "prometheus": {"prometheusSpec": {"tolerations": SHARED_NODES, "retentionSize": RETENTION}},
            "prometheusOperator": {
                "tolerations": SHARED_NODES,
                "admissionWebhooks": {"patch": {"tolerations": SHARED_NODES}},
            },
            "kube-state-metrics": {"tolerations": SHARED_NODES},
            "nodeExporter": {"enabled": True},
            "prometheus-node-exporter": {"tolerations": ANY_NODE},
        },
    )
    yield Addon(name="monitoring", serves=("monitoring.nodeMetrics",), objects=(release,), after=(cilium.NAME,))
