"""What an `up` does to a cluster that is there. No component registers it: it is worked out of what is deployed."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from components.facts import Part

UPDATE: Final = "isostack:update"
"""Tag of a stack by which `isostack check` gives it to a pack, as JSON."""


class Update(Part):
    """The machines, keys and storage that an `up` takes away, beside what there is."""

    machines: dict[str, str] = Field(description="Machines that are there, with their pool or `control-plane`.")
    rebuilt: tuple[str, ...] = Field((), description="Of these, those that are deleted and made anew.")
    gone: tuple[str, ...] = Field((), description="Of these, those that are deleted.")
    keys: tuple[str, ...] = Field((), description="Keys and certificates of the cluster that it makes anew or deletes.")
    storage: tuple[str, ...] = Field((), description="Storage classes and backends that it deletes.")

    def lost(self, pool: str) -> list[str]:
        """Its machines that go, for a time or for good."""
        return [name for name, of in self.machines.items() if of == pool and name in {*self.rebuilt, *self.gone}]
