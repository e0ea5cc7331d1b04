# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Values of another type than Kubespray's own default, and those that mean the opposite of what they look like.

A survey, and ``-e name=value``, hand over nothing but text: ``false`` as a text is true.
"""

from __future__ import annotations

import re

from ..nodes.problem import Problem, Severity
from .kinds import ANY, guess

_NO = frozenset({"false", "no", "off", "n", "f", "0", ""})
_YES = frozenset({"true", "yes", "on", "y", "t", "1"})
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_SAID = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "list": "a list",
    "dict": "a map",
}


def problem_of_value(name: str, value: object, wanted: str, *, literal: bool = False) -> Problem | None:
    """What is wrong with ``value`` for a variable whose default has the type ``wanted`` (``kinds.guess``).

    Templates are not judged: they may become anything. Neither is null, which often means "not set".
    """
    if value is None or (isinstance(value, str) and not literal and ("{{" in value or "{%" in value)):
        return None
    if isinstance(value, float) and name.endswith("_version"):
        said = f"{name} is the number {value}: YAML reads 1.30 as 1.3"
        return Problem("SLW-8108", said, f"put it in quotes: {name}: '1.30'")
    if wanted == "bool" and isinstance(value, str):
        return _text_for_boolean(name, value)
    given = guess(value)
    if wanted in (ANY, given) or given == ANY or _fits(value, wanted):
        return None
    return Problem(
        "SLW-8106",
        f"{name} is {_SAID[given]}, and Kubespray's default is {_SAID[wanted]}",
        "write it as Kubespray's documentation shows it",
        severity=Severity.WARNING,
    )


def _text_for_boolean(name: str, value: str) -> Problem:
    said = value.strip().lower()
    if said in _NO:
        message = f"{name} is the text {value!r}, and a text that is not empty counts as true"
    elif said in _YES:
        message = f"{name} is the text {value!r} where Kubespray wants true"
    else:
        message = f"{name} is the text {value!r} where Kubespray wants true or false"
    meant = "false" if said in _NO else "true" if said in _YES else "false"
    remedy = f"write {name}: {meant} without quotes; as an extra variable, -e '{{\"{name}\": {meant}}}'"
    return Problem("SLW-8109", message, remedy)


def _fits(value: object, wanted: str) -> bool:
    """Numbers and texts stand for each other where the text is a number, and 0 and 1 for a boolean."""
    if wanted in ("int", "float"):
        return isinstance(value, (int, float)) or (isinstance(value, str) and bool(_NUMBER.fullmatch(value.strip())))
    if wanted == "str":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return wanted == "bool" and value in (0, 1)
