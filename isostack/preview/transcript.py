"""What a program says while it runs: its log lines, and everything that is written to stdout and stderr."""

from __future__ import annotations

import os
import sys
import tempfile

from isostack.preview.model import Message, Severity

_READ_SIZE = 2**16


class Transcript:
    """Messages in the order in which they were said.

    File descriptors 1 and 2 lead to a file, so nothing that a program, a library or a process they start prints can
    reach the terminal or a result that is written to stdout.
    """

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._offset = 0
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  open until the process ends
        for stream, descriptor in ((sys.stdout, 1), (sys.stderr, 2)):
            stream.flush()
            os.dup2(self._file.fileno(), descriptor)
        sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)

    def log(self, severity: Severity, text: str, urn: str | None) -> None:
        self._take_printed()
        self._messages.append(Message(severity, text, urn))

    def messages(self) -> tuple[Message, ...]:
        self._take_printed()
        return tuple(self._messages)

    def _take_printed(self) -> None:
        """What was printed since the last call becomes one message a line, as the language host does."""
        sys.stdout.flush()
        sys.stderr.flush()
        printed = b""
        # pread: the file's position belongs to the writers.
        while part := os.pread(self._file.fileno(), _READ_SIZE, self._offset):
            printed += part
            self._offset += len(part)
        lines = printed.decode("utf-8", "backslashreplace").splitlines()
        self._messages.extend(Message("info", line) for line in lines if line.strip())
