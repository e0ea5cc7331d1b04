# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Digests of what the user set and Kubespray reads: enough to see that something changed, and what, and no more."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TEMPLATE = re.compile(r"\{\{|\{%")
_DIGITS = 12
_DIGITS_OF_SECRETS = 5
"""So few that a digest tells a change, and cannot confirm a guess: the record is no Secret."""


def relevant(values: Mapping[str, object], known: Callable[[str], bool]) -> set[str]:
    """Of the names that the user set, those that Kubespray reads, and those that their templates mention in turn.

    ``known`` says whether Kubespray has a variable of this name. A name that stands in a template by chance only
    brings in a variable too many: then Kubespray runs once more than it had to, never once less.
    """
    found = {name for name in values if known(name)}
    new = set(found)
    while new:
        mentioned = {word for name in new for text in _templates(values[name]) for word in _WORD.findall(text)}
        new = (mentioned & values.keys()) - found
        found |= new
    return found


def digest(value: object, *, secret: bool = False) -> str:
    """Of an untemplated value. ``secret``: it is plain text that nobody is to know."""
    text = json.dumps(value, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[: _DIGITS_OF_SECRETS if secret else _DIGITS]


def _templates(value: object) -> Iterable[str]:
    if isinstance(value, str):
        if _TEMPLATE.search(value):
            yield value
    elif isinstance(value, Mapping):
        for child in value.values():
            yield from _templates(child)
    elif isinstance(value, (list, tuple)):
        for child in value:
            yield from _templates(child)
