"""The Pulumi program of every stack: load its plan, create the cluster, export what it is."""

from pathlib import Path

import pulumi

from components.cluster import Cluster
from components.load import load
from components.problems import InvalidInput

config, folder = pulumi.Config("isostack"), Path("stacks")
try:
    stack_file = folder / f"Pulumi.{pulumi.get_stack()}.yaml"
    policies = config.get_object("policies")
    plan = load(folder, config.require("spec"), config.require_object("target"), stack_file, policies).plan()
except InvalidInput as error:
    raise pulumi.RunError(f"\n{error}") from error
for key, value in Cluster(plan).outputs().items():
    pulumi.export(key, value)
