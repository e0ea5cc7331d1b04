# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a question takes: its types, and answers as a survey gives them, which is text."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional, Union
from urllib.parse import urlsplit

from ..addons.names import did_you_mean
from ..nodes.problem import Problem

Answer = Union[str, int, bool, list[str]]
"""Of an answered question."""

_TEMPLATE = re.compile(r"\{[{%#]")
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")


@dataclass(frozen=True)
class Type:
    """``words`` end the sentence "the answer must be …". ``read`` takes an answer, and raises ``ValueError``."""

    words: str
    read: Callable[[object], Answer]


@dataclass(frozen=True)
class Question:
    """One value that a stack wants to know. ``default`` is None where there is none."""

    name: str
    question: str
    type: str
    default: Optional[Answer] = None
    choices: tuple[str, ...] = ()
    optional: bool = False

    @property
    def variable(self) -> str:
        """Under which a survey or the command line gives the answer."""
        return f"slipway_stack_{self.name}"

    @property
    def words(self) -> str:
        return f"one of {', '.join(self.choices)}" if self.choices else TYPES[self.type].words

    def read(self, value: object) -> Answer:
        """The answer in its type. Raises ``ValueError``."""
        if self.type != "choice":
            return TYPES[self.type].read(value)
        text = _text(value)
        if text not in self.choices:
            raise ValueError(did_you_mean(text, self.choices))
        return text


def answers(
    questions: Mapping[str, Question],
    values: Mapping[str, object],
    single: Mapping[str, object],
    others: Sequence[str] = (),
) -> tuple[dict[str, Optional[Answer]], list[Problem]]:
    """The answers to all questions, None for an optional one that has none, and all that is wrong.

    ``single`` are variables of their own, which win over ``values``; names among ``others``, which other stacks ask,
    are left out there, because one survey may serve several stacks.
    """
    found: dict[str, Optional[Answer]] = {}
    problems = [_unknown(name, questions) for name in values if name not in questions]
    problems += [_unknown(name, questions) for name in single if name not in questions and name not in others]
    given = {**values, **{name: value for name, value in single.items() if not _empty(value)}}
    for question in questions.values():
        value = given.get(question.name)
        if _empty(value):
            found[question.name] = question.default
            if question.default is None and not question.optional:
                said = f"{question.variable} has no answer: {question.question}"
                problems.append(Problem("SLW-8911", said, f"the answer must be {question.words}"))
            continue
        if _TEMPLATE.search(str(value)):
            said = f"{question.variable} holds a template: {value!r}"
            remedy = "give the value itself; templates can be written into the files afterwards"
            problems.append(Problem("SLW-8914", said, remedy))
            continue
        try:
            found[question.name] = question.read(value)
        except ValueError as exc:
            said = f"{question.variable} is {value!r}"
            remedy = f"the answer must be {question.words}" + (f"; {exc}" if str(exc) else "")
            problems.append(Problem("SLW-8912", said, remedy))
    return found, problems


def _unknown(name: str, questions: Mapping[str, Question]) -> Problem:
    remedy = did_you_mean(name, questions) or f"it asks for {', '.join(questions) or 'nothing'}"
    return Problem("SLW-8913", f"the stack asks for no {name}", remedy)


def _empty(value: object) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError
    text = str(value).strip()
    if not text.isprintable():
        raise ValueError("it must be one line")
    return text


def _number(value: object) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]{1,18}", str(value).strip()):
        raise ValueError
    return int(str(value))


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in (*_TRUE, *_FALSE):
        raise ValueError
    return word in _TRUE


def _list(value: object) -> list[str]:
    if isinstance(value, str):
        value = re.split(r"[,\n]", value)
    if not isinstance(value, (list, tuple)):
        raise ValueError
    return [text for text in map(_text, value) if text]


def _matching(pattern: str) -> Callable[[object], Answer]:
    def read(value: object) -> Answer:
        text = _text(value)
        if not re.fullmatch(pattern, text):
            raise ValueError
        return text

    return read


def _address(value: object) -> str:
    return str(ipaddress.ip_address(_text(value)))


def _network(value: object) -> str:
    text = _text(value)
    if "/" not in text:
        raise ValueError("it has no length, such as /18")
    return str(ipaddress.ip_network(text))


def _host(value: object) -> str:
    text = _text(value)
    host, colon, port = text.rpartition(":") if ":" in text else (text, "", "")
    if not _HOST.fullmatch(host) or (colon and not (port.isdigit() and 0 < int(port) < 65536)):
        raise ValueError
    return text


def _url(schemes: Sequence[str]) -> Callable[[object], Answer]:
    def read(value: object) -> Answer:
        text = _text(value).rstrip("/")
        parts = urlsplit(text)
        _host(parts.netloc)
        if parts.scheme not in schemes or parts.query or parts.fragment or " " in text:
            raise ValueError
        return text

    return read


TYPES: Mapping[str, Type] = {
    "text": Type("a text of one line", _text),
    "number": Type("a whole number", _number),
    "flag": Type("true or false", _flag),
    "choice": Type("one of the choices", _text),
    "list": Type("texts, separated by commas or on lines of their own", _list),
    "address": Type("an IP address", _address),
    "network": Type("a network such as 10.233.0.0/18", _network),
    "host": Type("a host name or address, with or without a port: registry.example.com:5000", _host),
    "url": Type("an address that begins with http:// or https://", _url(("http", "https"))),
    "repository": Type("an address that begins with https://, http:// or oci://", _url(("http", "https", "oci"))),
    "version": Type("a version such as 1.35.4, without a v", _matching(r"\d+\.\d+\.\d+")),
    "duration": Type("a time such as 12h, 7d or 4w", _matching(r"[1-9]\d*[hdwy]")),
    "size": Type("a size such as 20Gi", _matching(r"[1-9]\d*(Mi|Gi|Ti)")),
    "user": Type("the name of a user", _matching(r"[A-Za-z_][A-Za-z0-9._-]*")),
}
"""Every type by its name in ``stack.yml``."""


def check_default(question: Question) -> Optional[str]:
    """What is wrong with a question's own default, or None."""
    if question.default is None:
        return None
    try:
        read: Any = question.read(question.default)
    except ValueError:
        return f"its default {question.default!r} is not {question.words}"
    return None if read == question.default and type(read) is type(question.default) else f"its default is not {read!r}"
