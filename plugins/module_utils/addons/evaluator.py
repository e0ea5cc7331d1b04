# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the engine needs from a template engine. Ansible's is in ``plugin_utils``, a plain Jinja one in the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Optional, Protocol

from .model import JSON
from .node import Node


class UndefinedError(Exception):
    """The text uses a name, attribute or item that does not exist."""


class TemplateError(Exception):
    """The text is a template that cannot be evaluated. The message may hold parts of values: handle with care."""


class Evaluator(Protocol):
    """Evaluates one text natively."""

    def evaluate(self, text: str, variables: Mapping[str, JSON]) -> JSON:
        """The value of ``text``; ``variables`` hide Ansible's own of the same name.

        A text that is one expression keeps the expression's type, strings included; mixed text gives a string.
        Raises ``UndefinedError`` and ``TemplateError``.
        """


@dataclass(frozen=True)
class Variable:
    """One Ansible variable as written: its name, and its untemplated value with positions."""

    name: str
    node: Node


Raw = Callable[[str], Optional[Variable]]
"""Looks up any Ansible variable, untemplated. None where there is none of that name."""
