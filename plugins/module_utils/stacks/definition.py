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
    """Ends the reading of a stack; the text begins with the key."""


def read(name: str, content: object, files: Mapping[str, str]) -> Stack:
    """The stack in the content of a ``stack.yml``. Raises ``Wrong``."""
    told = _map(content, "stack.yml", _KEYS)
    questions = {key: _question(key, value) for key, value in _map(told.get("questions") or {}, "questions").items()}
    roles = {key: _range(value, f"roles.{key}") for key, value in _map(told.get("roles") or {}, "roles", ROLES).items()}
    layouts = tuple(_layout(value, at) for at, value in enumerate(_list(told.get("layouts"), "layouts")))
    if not layouts:
        raise Wrong("layouts: there is none; it says which roles hosts get")
    only_with = {str(key): str(value) for key, value in _map(told.get("only_with") or {}, "only_with").items()}
    for file, question in only_with.items():
        if file not in files:
            raise Wrong(f"only_with: there is no file {file}")
        if question not in questions:
            raise Wrong(f"only_with.{file}: there is no question {question}")
    return Stack(
        name,
        _text(told.get("title"), "title"),
        _text(told.get("description"), "description"),
        _range(told.get("hosts"), "hosts"),
        roles,
        layouts,
        tuple(_text(value, "includes") for value in _list(told.get("includes"), "includes")),
        questions,
        only_with,
        files,
    )


def _question(name: str, value: object) -> Question:
    where = f"questions.{name}"
    if not name.isidentifier() or name != name.lower() or name == "values":
        raise Wrong(f"{where}: the name must be one of lower-case letters, digits and _, and not 'values'")
    told = _map(value, where, _QUESTION_KEYS)
    kind = _text(told.get("type", "text"), f"{where}.type")
    if kind not in TYPES:
        raise Wrong(f"{where}.type: there is no type {kind!r}: {', '.join(TYPES)}{_or(did_you_mean(kind, TYPES))}")
    choices = tuple(_text(one, f"{where}.choices") for one in _list(told.get("choices"), f"{where}.choices"))
    if (kind == "choice") != bool(choices):
        raise Wrong(f"{where}.choices: they belong to a question of type choice, and to no other")
    optional = told.get("optional", False)
    if not isinstance(optional, bool):
        raise Wrong(f"{where}.optional: must be true or false")
    question = Question(
        name, _text(told.get("question"), f"{where}.question"), kind, told.get("default"), choices, optional
    )
    wrong = check_default(question)
    if wrong:
        raise Wrong(f"{where}.default: {wrong}")
    if optional and question.default is not None:
        raise Wrong(f"{where}.optional: a question with a default always has an answer")
    return question


def _layout(value: object, at: int) -> Layout:
    where = f"layouts[{at}]"
    told = _map(value, where, ("least", "first", "roles", "others"))
    least, roles = _number(told.get("least"), f"{where}.least"), _roles(told.get("roles"), f"{where}.roles")
    first = _number(told.get("first", least), f"{where}.first")
    return Layout(least, first, roles, _roles(told["others"], f"{where}.others") if "others" in told else roles)


def _roles(value: object, where: str) -> tuple[str, ...]:
    found = tuple(_text(one, where) for one in _list(value, where))
    unknown = next((one for one in found if one not in ROLES), None)
    if unknown is not None or not found:
        raise Wrong(f"{where}: must be a list of {', '.join(ROLES)}")
    return found


def _range(value: object, where: str) -> Range:
    told = _map(value, where, ("least", "most"))
    return Range(_number(told.get("least", 0), f"{where}.least"), _number(told.get("most", _MOST), f"{where}.most"))


def _number(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Wrong(f"{where}: must be a whole number, 0 or more")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Wrong(f"{where}: must be a text")
    return value.strip()


def _list(value: object, where: str) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Wrong(f"{where}: must be a list")
    return value


def _map(value: object, where: str, keys: Optional[Iterable[str]] = None) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise Wrong(f"{where}: must be a map")
    known = tuple(keys) if keys is not None else tuple(value)
    for key in value:
        if key not in known:
            raise Wrong(f"{where}: there is no key {key!r}{_or(did_you_mean(key, known))}")
    return value


def _or(advice: str) -> str:
    return f" ({advice})" if advice else ""
