"""The base of dataclasses whose JSON has a schema: names in camelCase, descriptions from the docstrings."""

from __future__ import annotations

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel


class Documented:
    """A docstring below each field says what it holds."""

    __slots__ = ()
    __pydantic_config__ = ConfigDict(alias_generator=to_camel, use_attribute_docstrings=True)
