"""What a stack's config says of policies: their levels and numbers, and which findings are accepted, why, how long."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, Strict

from components.spec import Model


def _day(value: Any) -> Any:
    """A date without quotes is a point in time to Pulumi's YAML, and arrives as Go prints one
    [seen] pulumi v3.259.0: `9999-12-31 00:00:00 +0000 UTC`."""
    return value.removesuffix(" 00:00:00 +0000 UTC") if isinstance(value, str) else value


Day = Annotated[date, BeforeValidator(_day)]


class Waiver(Model):
    """A finding that is known and accepted, until a day."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    rule: str = Field(description="Id of the rule.", examples=["life-service-ended"])
    subject: str = Field(
        "*",
        description="Pattern of what is accepted: of the finding's field, or of every machine or resource that it "
        "names. * stands for any text.",
        examples=["shop-web-*"],
    )
    reason: str = Field("", description="Why it is accepted. A waiver without one waives nothing.")
    until: Day | None = Field(
        None,
        description="Last day on which it counts, in UTC. A waiver without one waives nothing.",
        examples=["2027-06-30"],
    )


class PolicySettings(Model):
    """How this stack is judged."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    levels: dict[str, Literal["advisory", "mandatory", "disabled"]] = Field(
        {}, description="By rule or pack: what a finding does. A rule's own level counts before its pack's."
    )
    params: dict[str, dict[str, Annotated[float, Strict()]]] = Field({}, description="By rule: its parameters.")
    waivers: tuple[Waiver, ...] = Field((), description="Findings that are accepted.")


AS_DECLARED = PolicySettings()
"""Every rule at its own level, with its own numbers, and nothing accepted."""
