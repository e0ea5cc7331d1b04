# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a kind of object is: its fields, whom it refers to, and what hangs on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Field:
    """``type`` as OPTIONS names it. ``to``: the list of what an id stands for. ``null``: may be null; otherwise null is
    taken for empty. ``cascade``: the object goes with what it refers to, instead of letting go of it."""

    type: str = "string"
    default: Any = ""
    required: bool = False
    null: bool = False
    blank: bool = True
    to: str = ""
    cascade: bool = False
    choices: tuple[Any, ...] = ()
    read_only: bool = False
    write_once: bool = False
    write_only: bool = False


@dataclass(frozen=True)
class Kind:
    """One list of the API. ``links``: its associations, each with the list that its members come from. ``children``:
    lists of what refers to it, each with the field that does. ``actions``: what else is below one of its objects.
    ``sequence``: what it shares its numbers with. ``soft``: how a name that is taken is reported."""

    name: str
    type: str
    title: str
    fields: Mapping[str, Field]
    unique: tuple[tuple[str, ...], ...] = ()
    soft: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    children: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    actions: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    sequence: str = ""
    writable: bool = True

    @property
    def identity(self) -> str:
        return next((name for name in ("name", "username", "identifier") if name in self.fields), "id")


def text(default: str | None = "", **more: Any) -> Field:
    return Field(default=default, null=default is None, **more)


def needed(**more: Any) -> Field:
    return Field(required=True, blank=False, **more)


def flag(default: bool | None = False, **more: Any) -> Field:
    return Field("boolean", default, null=default is None, **more)


def number(default: int | None = 0, **more: Any) -> Field:
    return Field("integer", default, null=default is None, **more)


def choice(*values: Any, default: Any = "", **more: Any) -> Field:
    return Field("choice", default, choices=values, null=default is None, blank="" in values, **more)


def data(default: Any = None, **more: Any) -> Field:
    return Field("json", {} if default is None else default, **more)


def ref(to: str, **more: Any) -> Field:
    return Field("id", None, to=to, null=not more.get("required", False), **more)


def shown(kind: str = "string", default: Any = None, **more: Any) -> Field:
    return Field(kind, default, null=True, read_only=True, **more)


def needed_ref(to: str, **more: Any) -> Field:
    return ref(to, required=True, **more)
