"""What the Pulumi protocol's marks among plain values stand for: secrets, unknown values, references."""

from __future__ import annotations

from typing import Any

from components.signatures import RESOURCE_REFERENCE, SECRET, SIGNATURE
from isostack.preview.model import UNKNOWN, Secret


def unmarked(entries: dict[str, Any]) -> Any:
    """The mapping, or what its signature says it stands for. Its values have been through here already.

    An asset or archive is left as its one entry (path, text, uri or assets), a reference to a resource as urn and id.
    """
    signature = entries.pop(SIGNATURE, None)
    if signature == SECRET:
        inner = entries["value"]
        return inner if isinstance(inner, Secret) else Secret(inner)
    if signature == RESOURCE_REFERENCE and entries.get("id") == "":
        entries["id"] = UNKNOWN
    return entries
