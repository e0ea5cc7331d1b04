# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's templating as the engine's evaluator: native types on every ansible-core.

From 2.19 on, Ansible keeps the type of an expression by itself. 2.18 turns results into text and guesses their type
from it, so that ``"{{ '7' }}"`` would become a number: here it gets an environment that does not guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MappingView
from typing import Any

from ansible import template as ansible_template
from ansible.errors import AnsibleError, AnsibleUndefinedVariable
from ansible.template import Templar
from jinja2 import TemplateError as JinjaError
from jinja2 import Undefined
from jinja2 import UndefinedError as JinjaUndefinedError
from jinja2.nativetypes import NativeCodeGenerator
from jinja2.nodes import Impossible, TemplateData

from ansible_collections.slipway.cluster.plugins.module_utils.addons.evaluator import TemplateError, UndefinedError

from . import origin

OMIT = "__omit_place_holder__"
LONGEST = 300
"""Characters of an error message that are worth showing."""
RAISED_BY_FILTERS = (
    JinjaError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
)


class AnsibleEvaluator:
    """Evaluates with the templar of an action plugin: its variables, lookups, filters and tests."""

    def __init__(self, templar: Templar) -> None:
        self._base: Mapping[str, object] = templar.available_variables
        self._templar = templar.copy_with_new_env() if origin.TAGS else _native(templar)

    def evaluate(self, text: str, variables: Mapping[str, Any]) -> Any:
        """See the protocol. ``text`` must come from a trusted source: it is the manifest's own."""
        own = variables if origin.TAGS else {name: _resolved(value) for name, value in variables.items()}
        self._templar.available_variables = {**self._base, **own}
        try:
            result = _plain(self._templar.template(ansible_template.trust_as_template(text) if origin.TAGS else text))
        except (AnsibleUndefinedVariable, JinjaUndefinedError) as error:
            raise UndefinedError(str(error)) from error
        except (AnsibleError, *RAISED_BY_FILTERS) as error:
            raise TemplateError(_sentence(str(error))) from error
        if isinstance(result, str) and result.startswith(OMIT):
            raise TemplateError("'omit' has no meaning here; leave the key out with a condition")
        return result


def _sentence(message: str) -> str:
    """The innermost cause: 2.18 wraps a message once for each variable on the way."""
    inner = message.rsplit("original message: ", 1)[-1]
    if "recursi" in inner.lower():
        return "the variables that it uses refer to each other in a circle"
    return inner if len(inner) <= LONGEST else inner[:LONGEST] + "…"


def _plain(value: Any) -> Any:
    """The result without Ansible's own classes."""
    if origin.is_vaulted(value):
        return origin.decrypt(value)
    if isinstance(value, Mapping):
        return {key: _plain(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(child) for child in value]
    return str.__str__(value) if isinstance(value, str) else value


class _Resolved(dict[str, Any]):
    """Values that are evaluated already: 2.18 leaves alone what carries this mark."""

    __UNSAFE__ = True


def _resolved(value: Any) -> Any:
    return _Resolved(value) if isinstance(value, dict) else value


def _native(templar: Templar) -> Templar:
    """A copy of a 2.18 templar with our environment. Nested templates and lookups go through the copy as well."""
    copy = templar.copy_with_new_env(environment_class=_Environment)
    copy.jinja2_native = True
    environment = copy.environment
    environment.finalize = _finalize
    environment.globals = {
        **environment.globals,
        "lookup": copy._lookup,
        "query": copy._query_lookup,
        "q": copy._query_lookup,
    }
    return copy


def _finalize(value: Any) -> Any:
    """Undefined values are errors also inside maps and lists; generators become lists."""
    if isinstance(value, Iterator) or (isinstance(value, MappingView) and isinstance(value, Iterable)):
        value = list(value)
    _fail_on_undefined(value)
    return value


def _fail_on_undefined(value: Any) -> None:
    if isinstance(value, Mapping):
        for child in value.values():
            _fail_on_undefined(child)
    elif isinstance(value, (list, tuple)):
        for child in value:
            _fail_on_undefined(child)
    elif isinstance(value, Undefined):
        str(value)  # raises, with what is undefined


if not origin.TAGS:

    class _CodeGenerator(NativeCodeGenerator):
        """Keeps constants as they are: Jinja would fold ``{{ 7 }}`` into the text '7' at compile time."""

        def _output_child_to_const(self, node: Any, frame: Any, finalize: Any) -> Any:
            if isinstance(node, TemplateData):
                return super()._output_child_to_const(node, frame, finalize)
            raise Impossible

    class _Environment(ansible_template.AnsibleEnvironment):  # type: ignore[misc]
        code_generator_class = _CodeGenerator

        @staticmethod
        def concat(nodes: Iterable[Any]) -> Any:
            """One node keeps its type; several become text, None in it an empty one, as in 2.19 and later."""
            parts = [origin.decrypt(node) if origin.is_vaulted(node) else node for node in nodes]
            parts = [part for part in parts if part is not None]
            if len(parts) == 1:
                return parts[0]
            return "".join(map(str, parts)) if parts else None
