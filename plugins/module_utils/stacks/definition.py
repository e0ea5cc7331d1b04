# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What ``stack.yml`` says: how many hosts, which roles they get, what is asked, which files depend on an answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ..addons.names import did_you_mean
from .answers import TYPES, Question, check_default
from .lines import KeyPath

ROLES: Mapping[str, str] = {"control_plane": "kube_control_plane", "etcd": "etcd", "worker": "kube_node"}
"""The roles of hosts, and the group of Kubespray that each is."""

_KEYS = ("title", "description", "hosts", "roles", "layouts", "includes", "questions", "only_with")
_QUESTION_KEYS = ("question", "type", "default", "choices", "optional")
_MOST = 1000


@dataclass(frozen=True)
class Range:
    """How many there may be, both ends included."""

    least: int = 0
    most: int = _MOST

    def __contains__(self, number: int) -> bool:
        return self.least <= number <= self.most

    def __str__(self) -> str:
        if self.least == self.most:
            return str(self.least)
        return f"{self.least} or more" if self.most == _MOST else f"{self.least} to {self.most}"


@dataclass(frozen=True)
class Layout:
    """The roles of hosts that say none of their own, where there are ``least`` hosts or more: those of the ``first``
    ones, and of all ``others``."""

    least: int
    first: int
    roles: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(frozen=True)
class Stack:
    """``only_with`` maps files to the question without whose answer they are left out, ``files`` paths to texts."""

    name: str
    title: str
    description: str
    hosts: Range
    roles: Mapping[str, Range]
    layouts: tuple[Layout, ...]
    includes: tuple[str, ...] = ()
    questions: Mapping[str, Question] = field(default_factory=dict)
    only_with: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def layout(self, number: int) -> Layout:
        """For so many hosts; for fewer than any layout wants, that of the fewest."""
        fitting = [layout for layout in self.layouts if layout.least <= number]
        return max(fitting, key=lambda one: one.least) if fitting else min(self.layouts, key=lambda one: one.least)


class Wrong(Exception):  # noqa: N818 - what is wrong with a stack, in words
    """Ends the reading of a stack. ``path`` leads to it in ``stack.yml``; None: the text says where it is."""

    def __init__(self, text: str, path: Optional[KeyPath] = None) -> None:
        super().__init__(text)
        self.path = path


def _wrong(where: KeyPath, text: str, key: Optional[str] = None) -> Wrong:
    """``key``: it is this one of the map at ``where``."""
    shown = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in where).removeprefix(".")
    return Wrong(f"{shown}: {text}" if shown else text, where if key is None else (*where, key))


def read(name: str, content: object, files: Mapping[str, str]) -> Stack:
    """The stack in the content of a ``stack.yml``. Raises ``Wrong``."""
    told = _map(content, (), _KEYS)
    questions = {key: _question(key, value) for key, value in _map(told.get("questions") or {}, ("questions",)).items()}
    every = _map(told.get("roles") or {}, ("roles",), ROLES)
    roles = {key: _range(value, ("roles", key)) for key, value in every.items()}
    layouts = tuple(_layout(value, at) for at, value in enumerate(_list(told.get("layouts"), ("layouts",))))
    if not layouts:
        raise _wrong(("layouts",), "there is none; it says which roles hosts get")
    only_with = {str(key): str(value) for key, value in _map(told.get("only_with") or {}, ("only_with",)).items()}
    for file, question in only_with.items():
        if file not in files:
            raise _wrong(("only_with",), f"there is no file {file}", file)
        if question not in questions:
            raise _wrong(("only_with", file), f"there is no question {question}")
    return Stack(
        name,
        _text(told.get("title"), ("title",)),
        _text(told.get("description"), ("description",)),
        _range(told.get("hosts"), ("hosts",)),
        roles,
        layouts,
        _texts(told.get("includes"), ("includes",)),
        questions,
        only_with,
        files,
    )


def _question(name: str, value: object) -> Question:
    where = ("questions", name)
    if not name.isidentifier() or name != name.lower() or name == "values":
        raise _wrong(where, "the name must be one of lower-case letters, digits and _, and not 'values'")
    told = _map(value, where, _QUESTION_KEYS)
    kind = _text(told.get("type", "text"), (*where, "type"))
    if kind not in TYPES:
        said = f"there is no type {kind!r}: {', '.join(TYPES)}{_or(did_you_mean(kind, TYPES))}"
        raise _wrong((*where, "type"), said)
    choices = _texts(told.get("choices"), (*where, "choices"))
    if (kind == "choice") != bool(choices):
        raise _wrong((*where, "choices"), "they belong to a question of type choice, and to no other")
    optional = told.get("optional", False)
    if not isinstance(optional, bool):
        raise _wrong((*where, "optional"), "must be true or false")
    asked = _text(told.get("question"), (*where, "question"))
    question = Question(name, asked, kind, told.get("default"), choices, optional)
    wrong = check_default(question)
    if wrong:
        raise _wrong((*where, "default"), wrong)
    if optional and question.default is not None:
        raise _wrong((*where, "optional"), "a question with a default always has an answer")
    return question


def _layout(value: object, at: int) -> Layout:
    where = ("layouts", at)
    told = _map(value, where, ("least", "first", "roles", "others"))
    least, roles = _number(told.get("least"), (*where, "least")), _roles(told.get("roles"), (*where, "roles"))
    first = _number(told.get("first", least), (*where, "first"))
    return Layout(least, first, roles, _roles(told["others"], (*where, "others")) if "others" in told else roles)


def _roles(value: object, where: KeyPath) -> tuple[str, ...]:
    found = _texts(value, where)
    unknown = next((one for one in found if one not in ROLES), None)
    if unknown is not None or not found:
        raise _wrong(where, f"must be a list of {', '.join(ROLES)}")
    return found


def _range(value: object, where: KeyPath) -> Range:
    told = _map(value, where, ("least", "most"))
    return Range(_number(told.get("least", 0), (*where, "least")), _number(told.get("most", _MOST), (*where, "most")))


def _number(value: object, where: KeyPath) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _wrong(where, "must be a whole number, 0 or more")
    return value


def _texts(value: object, where: KeyPath) -> tuple[str, ...]:
    return tuple(_text(one, (*where, at)) for at, one in enumerate(_list(value, where)))


def _text(value: object, where: KeyPath) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _wrong(where, "must be a text")
    return value.strip()


def _list(value: object, where: KeyPath) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _wrong(where, "must be a list")
    return value


def _map(value: object, where: KeyPath, keys: Optional[Iterable[str]] = None) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise _wrong(where, "must be a map")
    known = tuple(keys) if keys is not None else tuple(value)
    for key in value:
        if key not in known:
            raise _wrong(where, f"there is no key {key!r}{_or(did_you_mean(key, known))}", key)
    return value


def _or(advice: str) -> str:
    return f" ({advice})" if advice else ""
