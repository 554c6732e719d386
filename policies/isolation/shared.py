"""Evidence and a parameter that several rules of isolation have."""

from __future__ import annotations

from components.rules import Evidence, Param

KEV = Evidence(
    "measured",
    "counted in CISA's Known Exploited Vulnerabilities of 2025-08-25, github.com/cisagov/kev-data: in 3.808 years 8 "
    "Linux kernel privilege escalations (of CVE year 2021 and later) and 1 ESXi guest escape (3 CVEs); a lower bound",
)
EXPOSURE_DAYS = Param(
    name="exposureDays",
    default=30,
    minimum=1,
    maximum=3650,
    description="Days until a published fix runs on every node and host.",
    evidence=Evidence("assumption", "one patch round a month"),
)
