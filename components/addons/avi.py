"""Load balancer nsx: the Avi Kubernetes Operator, which has VMware's Avi (once NSX Advanced) Load Balancer serve."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.addons import cilium
from components.addons.announcement import Bgp
from components.addons.placement import SHARED_NODES
from components.plan import Addon, Ref, Release
from components.spec import Spec


def addons(spec: Spec, target: Any, bgp: Bgp | None) -> Iterator[Addon]:
    """The controller and its networks are the stack's own config, under avi:."""
    release = Release(
        name="ako",
        namespace="avi-system",
        # [seen] techdocs.broadcom.com and public scripts, 2025-10; whether a later one is out is not known here.
        chart="oci://projects.packages.broadcom.com/ako/helm-charts/ako",
        version="2.1.1",
        repo="",
        values={
            # cniPlugin stays empty: Cilium with node networks given by Kubernetes [documented] the chart's values.
            "AKOSettings": {"clusterName": spec.name},
            "ControllerSettings": {
                "controllerHost": Ref("avi:controllerHost", secret=False),
                "controllerVersion": Ref("avi:controllerVersion", secret=False),
                "cloudName": Ref("avi:cloudName", secret=False),
            },
            "NetworkSettings": {
                "vipNetworkList": [
                    {"networkName": Ref("avi:vipNetwork", secret=False), "cidr": Ref("avi:vipCidr", secret=False)}
                ],
            },
            # Through the nodes' ports: Avi knows no route to pods inside a tunnel.
            "L7Settings": {"serviceType": "NodePort"},
            "avicredentials": {"username": Ref("avi:username"), "password": Ref("avi:password")},
            "tolerations": SHARED_NODES,
        },
    )
    yield Addon(
        name="load-balancer",
        serves=("services.loadBalancer",),
        objects=(release,),
        common=False,
        after=(cilium.NAME,),
    )
