"""What the parent gives a child process, and how a preview fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from isostack.preview.model import Message


@dataclass(frozen=True, slots=True)
class Job:
    """One stack to preview: plain data, so that a child imports nothing of the project before its program does."""

    root: str
    project: str
    stack: str
    config: Mapping[str, str]
    secret_keys: frozenset[str]
    environment: Mapping[str, str]


class PreviewFailed(Exception):
    """The program of one stack did not come to its end. `text` is for the user: a traceback of the program's own
    frames, or one sentence; `messages` is what the program had said until then."""

    def __init__(self, stack: str, text: str, messages: tuple[Message, ...] = ()) -> None:
        super().__init__(stack, text, messages)
        self.stack, self.text, self.messages = stack, text, messages

    def __str__(self) -> str:
        return f"preview of stack {self.stack} failed: {self.text}"


class PreviewsFailed(Exception):
    """Several stacks failed; `failures` holds (stack, error) in the order in which the stacks were given."""

    def __init__(self, failures: Sequence[tuple[str, Exception]]) -> None:
        super().__init__(tuple(failures))
        self.failures = tuple(failures)

    def __str__(self) -> str:
        return "\n\n".join(
            str(error) if isinstance(error, PreviewFailed) else f"preview of stack {stack} failed: {error}"
            for stack, error in self.failures
        )
