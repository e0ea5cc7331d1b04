# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``.helmignore``: which files of a folder do not belong to the chart."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import RenderError
from .codes import BAD_CHART

_ALWAYS = "templates/.?*"


@dataclass(frozen=True)
class _Rule:
    matches: Callable[[str], bool]
    negated: bool
    folders_only: bool


class IgnoreRules:
    """The rules of one file, and the one that Helm adds itself. Paths are relative, with ``/``."""

    def __init__(self, text: str = "") -> None:
        lines = (line.strip() for line in [*text.removeprefix("\ufeff").splitlines(), _ALWAYS])
        self._rules = [_rule(line) for line in lines if line and not line.startswith("#")]

    def ignores(self, path: str, is_folder: bool) -> bool:
        for rule in self._rules:
            if rule.negated:
                # A negated rule ignores all that it does not match; that is Helm's way, not git's.
                if (rule.folders_only and not is_folder) or not rule.matches(path):
                    return True
            elif (is_folder or not rule.folders_only) and rule.matches(path):
                return True
        return False


def _rule(line: str) -> _Rule:
    negated, pattern = line.startswith("!"), line.removeprefix("!")
    folders_only, pattern = pattern.endswith("/"), pattern.removesuffix("/")
    anchored = "/" in pattern
    compiled = _glob(pattern.removeprefix("/"))

    def matches(path: str) -> bool:
        return compiled.fullmatch(path if anchored else path.rpartition("/")[2]) is not None

    return _Rule(matches, negated, folders_only)


def _glob(pattern: str) -> re.Pattern[str]:
    """Go's filepath.Match: ``*`` and ``?`` stop at ``/``, ``[^a]`` negates, a backslash quotes."""
    out, position = "", 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "[" and (end := pattern.find("]", position + 1)) > 0:
            body = pattern[position:end].replace("\\", "\\\\")
            out += f"[{body}]"
            position = end + 1
        elif char == "\\" and position < len(pattern):
            out += re.escape(pattern[position])
            position += 1
        else:
            out += re.escape(char)
    try:
        return re.compile(out)
    except re.error:
        raise RenderError(BAD_CHART, f".helmignore: {pattern} is no pattern") from None
