# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What of a value is not as a JSON Schema has it, in sentences with places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Union

from ..addons.names import nearest
from ..nodes.problem import Problem
from . import schema

with suppress(ImportError):  # reported by the shell; import checks of single files may not have it
    from jsonschema import Draft202012Validator

KeyPath = tuple[Union[str, int], ...]
Places = Callable[[KeyPath], str]
"""Where the value of a key path was written; empty where nobody knows."""


def shape(value: object, wanted: Mapping[str, Any], name: str, code: str, places: Places) -> list[Problem]:
    """What of ``value`` is not as the JSON Schema ``wanted`` has it, in sentences."""
    found = [
        (path, Problem(code, f"{name}{key_path(path)}: {text}", remedy, places(path)))
        for error in _leaves(Draft202012Validator(wanted).iter_errors(value))
        for path in [tuple(error.absolute_path)]
        for text, remedy in _sentences(error)
    ]
    # Each missing key is an error of its own, and all say the same.
    return list(dict.fromkeys(problem for _path, problem in sorted(found, key=lambda one: list(map(str, one[0])))))


def key_path(path: KeyPath) -> str:
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path)


def _leaves(errors: Iterator[Any]) -> Iterator[Any]:
    """Of alternatives the errors of the one that has the right type."""
    for error in errors:
        if error.validator != "oneOf":
            yield error
            continue
        fitting = [one for one in error.context if one.validator not in ("type", "const")]
        yield from fitting or [error]


def _sentences(error: Any) -> Iterator[tuple[str, str]]:
    rule, limit = error.validator, error.validator_value
    if rule == "additionalProperties":
        known = error.schema.get("properties", {})
        for key in error.instance:
            if key not in known:
                yield f"{key!r} is not known", one_of(str(key), known)
    elif rule == "required":
        missing = [key for key in limit if key not in error.instance]
        yield f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing", ""
    elif rule == "type":
        words = {
            "string": "text",
            "object": "a map",
            "array": "a list",
            "integer": "a whole number",
            "boolean": "true or false",
        }
        wanted = [limit] if isinstance(limit, str) else limit
        yield f"{' or '.join(words.get(one, one) for one in wanted)} is wanted", ""
    elif rule == "enum":
        yield f"{error.instance!r} is none of {', '.join(map(str, limit))}", ""
    elif rule in ("minLength", "minItems"):
        yield "is empty", ""
    else:
        yield f"{error.instance!r} is not allowed here", _hint(rule, limit)


def _hint(rule: str, limit: object) -> str:
    hints = {
        schema._CLUSTER: "lower case letters, digits and -, as slipway_name",
        schema._TIME: "write a time as 02:30",
    }
    return hints.get(str(limit), f"{rule}: {limit}" if rule in ("minimum", "maximum", "maxLength") else "")


def one_of(name: str, known: Iterable[str]) -> str:
    """Advice for a name that is not known."""
    near = nearest(name, known)
    return f"did you mean {near}?" if near else f"there are: {', '.join(known)}"
