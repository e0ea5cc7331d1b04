# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Texts that hold nothing but plain references such as ``{{ slipway_values.domain }}``: nine in ten of a manifest's.

They are evaluated here. The result is that of the template engine, without its half millisecond for each text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from .finding import KeyPath
from .model import JSON

PLAIN = re.compile(r"\{\{ ?(slipway_values(?:\.[A-Za-z_][A-Za-z0-9_]*)+) ?\}\}")
METHODS = frozenset(dir(dict)) | frozenset(dir(str)) | frozenset(dir(list))
"""Jinja prefers these to keys of the same name."""


class _Missing:
    """Marks the lack of a result; None is one."""


MISSING: Final = _Missing()


@lru_cache(maxsize=65536)
def parts(text: str) -> tuple[str | KeyPath, ...]:
    """Literal texts and paths below slipway_values, in turn; empty when ``text`` needs the template engine."""
    found: list[str | KeyPath] = []
    end = 0
    for match in PLAIN.finditer(text):
        found.extend((text[end : match.start()], tuple(match.group(1).split(".")[1:])))
        end = match.end()
    found.append(text[end:])
    if not found[1:] or "\r" in text or text.endswith("\n") or text.startswith("#jinja2:"):
        return ()
    for part in found:
        if isinstance(part, str):
            if "{{" in part or "{%" in part or "{#" in part or part.endswith("{"):
                return ()
        elif not METHODS.isdisjoint(part):
            return ()
    return tuple(part for part in found if part)


def evaluate(text: str, shared: JSON) -> JSON | _Missing:
    """The value of ``text``, or ``MISSING`` when only the template engine can tell."""
    values: list[JSON] = []
    found = parts(text)
    for part in found:
        value: JSON = part
        if not isinstance(part, str):
            value = shared
            for key in part:
                if not isinstance(value, Mapping) or key not in value:
                    return MISSING
                value = value[key]
        values.append(value)
    if not found:
        return MISSING
    values = [value for value in values if value is not None]
    if len(values) > 1:
        return "".join(map(str, values))
    return values[0] if values else None
