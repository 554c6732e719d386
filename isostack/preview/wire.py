"""How the Pulumi protocol marks secrets, unknown values and references among plain values, in messages and in JSON.

[documented] github.com/pulumi/pulumi v3.259.0: sdk/go/common/resource/sig/sig.go (signatures),
sdk/go/common/resource/plugin/rpc.go (the sentinel of an unknown value).
"""

from __future__ import annotations

from typing import Any, Final

from isostack.preview.model import UNKNOWN, Secret

UNKNOWN_VALUE: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
RESOURCE_REFERENCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"


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
