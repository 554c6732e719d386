"""A policy pack that writes down the options of each resource, as the engine tells them: not all are in the state."""

from __future__ import annotations

import json
import os

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)


def record(args: ResourceValidationArgs, report: ReportViolation) -> None:
    options, timeouts = args.opts, args.opts.custom_timeouts
    line = {
        "urn": args.urn,
        "protect": options.protect,
        "deleteBeforeReplace": bool(options.delete_before_replace),
        "ignoreChanges": sorted(options.ignore_changes),
        "additionalSecretOutputs": sorted(options.additional_secret_outputs),
        "customTimeouts": [timeouts.create_seconds, timeouts.update_seconds, timeouts.delete_seconds],
    }
    with open(os.environ["RECORDED_OPTIONS"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


PolicyPack("recorder", [ResourceValidationPolicy("record", "options", record, EnforcementLevel.ADVISORY)])
