# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Findings: what is wrong with the user's input, where it stands, and what to do.

A finding is data. Functions that check collect all of them; the shell raises or prints them at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Union

KeyPath = tuple[Union[str, int], ...]


class Level(StrEnum):
    """ERROR stops the run before anything is touched; HINT is advice."""

    ERROR = "error"
    HINT = "hint"


@dataclass(frozen=True, order=True, slots=True)
class Position:
    """Where a value was written. ``line`` and ``column`` count from 1; 0 means unknown.

    ``source`` is a file, or a description such as ``extra variables`` for values that have no file.
    """

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.source
        return f"{self.source}:{self.line}:{self.column}" if self.column else f"{self.source}:{self.line}"


NOWHERE = Position("(no source)")


def format_path(path: KeyPath) -> str:
    """``("a", 0, "b.c")`` as ``a[0]['b.c']``: the way users write it in Jinja."""
    out = ""
    for key in path:
        if isinstance(key, int):
            out += f"[{key}]"
        elif key.replace("_", "").replace("-", "").isalnum():
            out += f".{key}" if out else key
        else:
            out += f"[{key!r}]"
    return out


@dataclass(frozen=True)
class Finding:
    """One thing to tell the user.

    ``code`` is stable and has a page under ``docs/errors``; ``path`` starts with the variable's name;
    ``advice`` says what to do, the nearest correct name included.
    """

    code: str
    message: str
    path: KeyPath = ()
    position: Position = NOWHERE
    level: Level = Level.ERROR
    advice: str = ""

    def __str__(self) -> str:
        where = f"{self.position}: " if self.position != NOWHERE else ""
        key = f"{format_path(self.path)}: " if self.path else ""
        advice = f" ({self.advice})" if self.advice else ""
        return f"{where}{self.code} {key}{self.message}{advice}"

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        return (self.position.source, self.position.line, self.position.column, self.code, format_path(self.path))

    def as_dict(self) -> dict[str, object]:
        """JSON form, as it stands in reports and task results."""
        return {
            "code": self.code,
            "level": self.level.value,
            "message": self.message,
            "path": format_path(self.path),
            "source": self.position.source,
            "line": self.position.line,
            "column": self.position.column,
            "advice": self.advice,
        }


def errors(findings: Iterable[Finding]) -> list[Finding]:
    return sorted((f for f in findings if f.level is Level.ERROR), key=lambda f: f.sort_key)


def hints(findings: Iterable[Finding]) -> list[Finding]:
    return sorted((f for f in findings if f.level is Level.HINT), key=lambda f: f.sort_key)


@dataclass
class Positions:
    """Positions by key path. A path without its own position has that of its nearest parent."""

    by_path: dict[KeyPath, Position] = field(default_factory=dict)

    def of(self, path: KeyPath) -> Position:
        for end in range(len(path), -1, -1):
            found = self.by_path.get(path[:end])
            if found is not None:
                return found
        return NOWHERE
