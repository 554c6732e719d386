"""The parts that stacks side by side are told in."""

from enum import StrEnum


class Part(StrEnum):
    FIELD = "field"
    KUBERNETES = "kubernetes"
    MACHINES = "machines"
    RAW = "raw"
