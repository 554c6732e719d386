"""Models for the tests of decoding, and the messages that decoding into them gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)
from pydantic.alias_generators import to_camel

from components.decode import decode, elsewhere
from components.problems import Fault, InvalidInput, Problem
from components.source import parse_yaml

Name = Annotated[str, Field(pattern=r"^[a-z]+$", description="A short name. More.", examples=["web"])]


def be_even(value: int) -> int:
    if value % 2:
        raise Fault(f"{value} is odd", "choose an even number")
    return value


def be_short(value: str) -> str:
    if len(value) > 5:
        raise ValueError("too many letters; at most 5")
    return value


def megabytes(value: object) -> int:
    digits = str(value).removesuffix("M")
    if not digits.isdecimal():
        raise Fault(f"{value!r} is not a size", "for example 16M")
    return int(digits)


def be_readable(path: str) -> str:
    with elsewhere():
        if path.startswith("bad"):
            raise InvalidInput([Problem("no such rack", "name one", ("rack",), path, line, 1) for line in (9, 4)])
    return path


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class Size(Model):
    cpus: int = Field(ge=1, le=64, examples=[4])
    memory: Annotated[int, BeforeValidator(megabytes), PlainSerializer(lambda m: f"{m}M", return_type=str)] = Field(
        16, ge=8
    )


class Pool(Model):
    name: Name
    nodes: int = Field(3, description="Number of nodes.", ge=1, examples=[3])
    size: Size | None = None
    labels: dict[Name, Name] = {}
    zones: tuple[Name, ...] = ()


class Local(Model):
    kind: Literal["local"]
    folder: str = Field("/data", min_length=2, max_length=8)
    kin: str = ""


class Remote(Model):
    kind: Literal["remote"]
    url: str = Field(pattern="^https://")
    mode: Literal["local", "fast"] = "fast"


Store = Annotated[Local | Remote, Field(discriminator="kind")]


class Config(Model):
    version: str = Field("1.0", description="Version.", pattern=r"^\d+\.\d+$", examples=["1.36"])
    pools: list[Pool] = Field([], max_length=3)
    store: Store = Local(kind="local")
    stores: list[Store] = []
    replicas: int | Literal["auto"] = 1
    size: Size | Name = "web"
    ratio: float = Field(0.5, gt=0, lt=1)
    even: Annotated[int, AfterValidator(be_even)] = 2
    short: Annotated[str, AfterValidator(be_short)] = "x"
    step: int = Field(5, multiple_of=5)
    colour: Colour = Colour.RED
    fast_mode: bool = False
    inventory: Annotated[str, AfterValidator(be_readable)] = "good.csv"
    spares: Annotated[str, AfterValidator(be_readable)] = "good.csv"
    low: int = 1
    high: int = 9

    @model_validator(mode="after")
    def _order(self) -> Config:
        if self.low > self.high:
            raise Fault("low is above high", "swap them")
        return self


def messages(
    text: str, model: type[BaseModel] = Config, semantic: Callable[[Any], Iterator[Problem]] | None = None
) -> list[str]:
    document = parse_yaml(text, "f.yaml")
    with pytest.raises(InvalidInput) as caught:
        decode(model, document.data, document=document, semantic=semantic)
    return [str(problem) for problem in caught.value.problems]


def semantic(config: Config) -> Iterator[Problem]:
    names = [pool.name for pool in config.pools]
    for i, pool in enumerate(config.pools):
        if pool.name in names[:i]:
            yield Problem(f"{pool.name!r} stands twice", "", ("pools", i, "name"))
        if pool.nodes > 5:
            yield Problem(f"{pool.nodes} nodes are many", "at most 5", ("pools", i, "nodes"))
        for j, zone in enumerate(pool.zones):
            if zone not in names:
                yield Problem(f"no pool {zone!r}", f"pools: {', '.join(names)}", ("pools", i, "zones", j))
