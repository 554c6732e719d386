"""How the Pulumi protocol marks secrets, unknown values and references among plain values.

[documented] github.com/pulumi/pulumi v3.259.0: sdk/go/common/resource/sig/sig.go (signatures),
sdk/go/common/resource/plugin/rpc.go (the sentinel of an unknown value).
"""

from __future__ import annotations

from typing import Final

UNKNOWN_VALUE: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
RESOURCE_REFERENCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
