# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What OPTIONS tells of an address: which fields it takes. An export is made of it."""

from __future__ import annotations

from typing import Any

from lab.awx.request import Answer
from lab.awx.shape import Kind


def fields(kind: Kind, *without: str) -> dict[str, Any]:
    """What may be sent to create one."""
    found: dict[str, Any] = {}
    for name, field in kind.fields.items():
        if field.read_only or name in without:
            continue
        found[name] = {"type": field.type, "required": field.required, "label": name.replace("_", " ").capitalize()}
        if field.choices:
            found[name]["choices"] = [[choice, choice] for choice in field.choices]
        if not field.required:
            found[name]["default"] = field.default
    return found


def listing(kind: Kind, *without: str, attach: bool = False) -> Answer:
    """Of a list. ``without``: the field that the list itself decides. ``attach``: objects that exist may be put in."""
    accepted = fields(kind, *without)
    if attach:
        accepted["id"] = {"type": "integer", "required": False, "label": "ID"}
    return _answer(kind.title, accepted if kind.writable or attach else None, kind.identity)


def posting(title: str, kind: Kind | None, *only: str) -> Answer:
    """Of an address that takes a POST with these fields of a kind, or with anything."""
    accepted = {name: field for name, field in fields(kind).items() if name in only} if kind else {}
    return _answer(title, accepted, "name")


def reading(title: str) -> Answer:
    return _answer(title, None, "name")


def _answer(title: str, accepted: dict[str, Any] | None, identity: str) -> Answer:
    actions: dict[str, Any] = {"GET": {}}
    if accepted is not None:
        actions["POST"] = accepted
    content = {"name": title, "actions": actions, "search_fields": ["description", identity], "max_page_size": 200}
    allowed = "GET, POST, HEAD, OPTIONS" if accepted is not None else "GET, HEAD, OPTIONS"
    return Answer(200, content, {"Allow": allowed})
