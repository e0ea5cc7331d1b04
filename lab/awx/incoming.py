# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is sent to create or change an object, held against its kind; what no field takes is left out silently."""

from __future__ import annotations

import json
from typing import Any

import yaml

from lab.awx.kinds import members
from lab.awx.refusal import RefusalError, invalid
from lab.awx.shape import Field, Kind
from lab.awx.store import Object, Store

TRUE = (True, 1, "true", "True", "1", "yes", "on")
FALSE = (False, 0, "false", "False", "0", "no", "off")
VARIABLES = ("variables", "extra_vars", "source_vars")


def clean(store: Store, kind: Kind, sent: Any, thing: Object | None, *, whole: bool) -> Object:
    """Values for the fields that were sent. ``thing``: the object to change, None for a new one. ``whole``: what is
    required must be there, as in POST and PUT.

    :raises RefusalError: with everything that is wrong about single fields.
    """
    if not isinstance(sent, dict):
        raise RefusalError(400, {"detail": "JSON parse error - not a JSON object"})
    values: Object = {}
    problems: dict[str, list[str]] = {}
    for name, field in kind.fields.items():
        if field.read_only or (field.write_once and thing is not None):
            continue
        if name not in sent:
            if whole and field.required:
                problems[name] = ["This field is required."]
            continue
        try:
            values[name] = _value(store, name, field, sent[name])
        except ValueError as error:
            problems[name] = [str(error)]
    if problems:
        raise RefusalError(400, dict(problems))
    return values


def _value(store: Store, name: str, field: Field, value: Any) -> Any:
    if value is None or (value == "" and field.type in ("id", "integer")):
        return _empty(field)
    match field.type:
        case "boolean":
            return _boolean(value)
        case "integer":
            return _integer(value)
        case "id":
            return _id(store, field, value)
        case "choice":
            if value in field.choices and not isinstance(value, bool):
                return value
            if str(value) in map(str, field.choices):
                return next(choice for choice in field.choices if str(choice) == str(value))
            raise ValueError(f'"{value}" is not a valid choice.')
        case "json":
            return value
        case _:
            return _text(name, field, value)


def _empty(field: Field) -> Any:
    if field.null:
        return None
    if field.type == "boolean":
        return False
    if field.required or not field.blank:
        raise ValueError(
            "This field may not be null." if field.type in ("id", "json") else "This field may not be blank."
        )
    if field.type == "string" or (field.type == "choice" and "" in field.choices):
        return ""
    raise ValueError("This field may not be null.")


def _boolean(value: Any) -> bool:
    for meaning, words in ((True, TRUE), (False, (*FALSE, ""))):
        if not isinstance(value, dict | list) and value in words:
            return meaning
    raise ValueError("Must be a valid boolean.")


def _integer(value: Any) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError
        return int(value)
    except (TypeError, ValueError):
        raise ValueError("A valid integer is required.") from None


def _id(store: Store, field: Field, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"Incorrect type. Expected pk value, received {type(value).__name__}.")
    try:
        number = int(value)
    except ValueError:
        raise ValueError(f"Incorrect type. Expected pk value, received {type(value).__name__}.") from None
    if store.find(field.to, number) is None:
        raise ValueError(f'Invalid pk "{number}" - object does not exist.')
    return number


def _text(name: str, field: Field, value: Any) -> str:
    if name in VARIABLES and isinstance(value, dict | list):
        value = json.dumps(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("Not a valid string.")
    said = str(value) if name in VARIABLES else str(value).strip()
    if not said and not field.blank:
        raise ValueError("This field may not be blank.")
    if len(said) > 512 and name == "name":
        raise ValueError("Ensure this field has no more than 512 characters.")
    if name in VARIABLES:
        variables(said)
    return said


def variables(value: Any) -> dict[str, Any]:
    """What a field of variables, JSON or YAML, says.

    :raises ValueError: when it is neither, or no map.
    """
    if isinstance(value, dict):
        return value
    try:
        content = yaml.safe_load(value) if value else {}
    except yaml.YAMLError as error:
        raise ValueError(f"Cannot parse as JSON (error: not JSON) or YAML (error: {error}).") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ValueError(f"Input type `{type(content).__name__}` is not a dictionary")
    return content


def check_unique(store: Store, kind: Kind, values: Object, thing: Object | None) -> None:
    """:raises RefusalError: when another object has the same name where names are unique."""
    wanted = {name: field.default for name, field in kind.fields.items()} | (thing or {}) | values
    for fields in kind.unique:
        key = {name: wanted[name] for name in fields}
        if not kind.soft and None in key.values():
            continue
        taken = [other for _kind, other in store.all(kind.name, **key) if thing is None or other["id"] != thing["id"]]
        if not taken:
            continue
        if kind.soft:
            raise invalid(__all__=f"{kind.soft} with this ({', '.join(fields)}) combination already exists.")
        labels = [name.replace("_", " ").capitalize() for name in fields]
        if len(labels) == 1:
            raise invalid(**{fields[0]: f"{kind.title} with this {labels[0]} already exists."})
        listed = f"{', '.join(labels[:-1])} and {labels[-1]}"
        raise invalid(__all__=f"{kind.title} with this {listed} already exists.")


def number_in(store: Store, name: str, value: Any) -> int:
    """The number of an object that a request names.

    :raises RefusalError: when there is none.
    """
    if not isinstance(value, int) or not any(store.find(kind.name, value) for kind in members(name)):
        raise invalid(id=f'Invalid pk "{value}" - object does not exist.')
    return value
