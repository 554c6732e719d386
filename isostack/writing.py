"""Files that are written whole or not at all: whoever reads one finds all of the new text or all of the old."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import TextIO

from components.problems import InvalidInput, Problem
from isostack.interrupts import interrupts_held


@contextmanager
def replacing(path: Path, newline: str = "\n") -> Iterator[TextIO]:
    """A text file that takes the place of `path` at the end, with its permissions; a link stays one. Raises OSError."""
    path = path.resolve()
    new = path.with_name(f".{path.name[:200]}.{token_hex(4)}")
    with interrupts_held(), _created(new, path, newline) as file:
        try:
            if path.exists():
                os.chmod(new, stat.S_IMODE(path.stat().st_mode))
            yield file
            file.flush()
            os.replace(new, path)
        except BaseException:
            os.unlink(new)
            raise


def _created(new: Path, path: Path, newline: str) -> TextIO:
    try:
        return open(new, "x", encoding="utf-8", newline=newline)
    except OSError as error:
        error.filename = str(path)  # whoever reads of it knows no other name
        raise


def check_writable(path: Path) -> None:
    """Before long work for it: raises InvalidInput where a file plainly cannot be written."""
    if path.is_dir():
        raise InvalidInput([Problem("it is a folder", "name a file", file=str(path))])
    folder = path.resolve().parent
    if not folder.is_dir():
        raise InvalidInput([Problem(f"there is no folder {folder.name}", "make it first", file=str(path))])
    if not os.access(path if path.exists() and not path.is_file() else folder, os.W_OK):
        raise InvalidInput([Problem("permission denied", "name a file in a folder of your own", file=str(path))])


def write(path: Path, text: str) -> None:
    """Write a result into a file, whole or not at all; into a pipe or a device as far as it takes it. Raises
    InvalidInput that names the file."""
    check_writable(path)
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, "utf-8")
            return
        with replacing(path) as file:
            file.write(text)
    except OSError as error:
        what = f"cannot be written: {(error.strerror or str(error)).lower()}"
        raise InvalidInput([Problem(what, file=str(path))]) from error
