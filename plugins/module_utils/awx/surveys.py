# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The questions of an operation, and when its schedule asks them, in AWX's words."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from .settings import Survey

Item = dict[str, Any]

DRIFT = {"slipway_fail_on": ["drift"]}
"""What nightly jobs answer: one that finds drift fails, and AWX notifies."""

_NIGHT = range(60, 300)
"""Minutes after midnight in which nightly jobs begin."""


def survey(operation: Survey) -> Item:
    """In AWX's words. A required question has no default: AWX shows it in the form, and no launch gets it."""
    return {"name": "", "description": "", "spec": [_question(one) for one in operation.questions]}


def _question(given: Mapping[str, Any]) -> Item:
    kind, required = given["type"], bool(given.get("required"))
    found: Item = {
        "question_name": given["question"],
        "question_description": given.get("help", ""),
        "required": required,
        "type": kind,
        "variable": given["variable"],
        "default": given.get("default", ""),
        "choices": list(given.get("choices") or ()),
    }
    if kind in ("text", "textarea"):
        found |= {"min": 1 if required else 0, "max": 4096}
    elif kind in ("integer", "float"):
        found |= {"min": given.get("min"), "max": given.get("max")}
    return found


def rrule(wanted: Mapping[str, Any], name: str) -> str:
    """Each night; where no time is written, one that differs between clusters, so that not all begin at once."""
    if wanted.get("rrule"):
        return str(wanted["rrule"])
    minutes = _NIGHT[zlib.crc32(name.encode()) % len(_NIGHT)]
    at = str(wanted.get("at") or f"{minutes // 60:02}:{minutes % 60:02}")
    zone = str(wanted.get("timezone") or "UTC")
    start = f"20240101T{at.replace(':', '')}00"
    begin = f"DTSTART:{start}Z" if zone == "UTC" else f"DTSTART;TZID={zone}:{start}"
    return f"{begin} RRULE:FREQ=DAILY;INTERVAL=1"
