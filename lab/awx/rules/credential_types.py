# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Credential types: their inputs, and the templates that put these into a job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jinja2
import jinja2.exceptions
import jinja2.sandbox
import jsonschema

from lab.awx.refusal import RefusalError, invalid
from lab.awx.store import Object, Store

NAME = "^[a-zA-Z_]+[a-zA-Z0-9_]*$"
INPUTS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "required": {"type": "array", "items": {"type": "string"}},
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["id", "label"],
                "properties": {
                    "id": {"type": "string", "pattern": NAME},
                    "label": {"type": "string"},
                    "help_text": {"type": "string"},
                    "type": {"enum": ["string", "boolean"]},
                    "format": {"enum": ["ssh_private_key", "url"]},
                    "choices": {"type": "array", "minItems": 1, "items": {"type": "string"}, "uniqueItems": True},
                    "multiline": {"type": "boolean"},
                    "secret": {"type": "boolean"},
                    "ask_at_runtime": {"type": "boolean"},
                    "default": {},
                },
            },
        },
    },
}
VARIABLE = {"anyOf": [{"type": "string"}, {"type": "array"}, {"$ref": "#/properties/extra_vars"}]}
INJECTORS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "file": {
            "type": "object",
            "additionalProperties": False,
            "patternProperties": {r"^template(\.[a-zA-Z_]+[a-zA-Z0-9_]*)?$": {"type": "string"}},
        },
        "env": {
            "type": "object",
            "additionalProperties": False,
            # The terminal that a job gets takes nothing but ASCII from its environment.
            "patternProperties": {NAME: {"type": "string", "pattern": "^[\x00-\x7f]*$"}},
        },
        "extra_vars": {
            "type": "object",
            "additionalProperties": False,
            "patternProperties": {r"^[a-zA-Z_\{\}]+[a-zA-Z0-9_\{\}]*$": VARIABLE},
        },
    },
}
BLOCKED = frozenset(
    [
        "VIRTUAL_ENV",
        "PATH",
        "PYTHONPATH",
        "JOB_ID",
        "INVENTORY_ID",
        "INVENTORY_SOURCE_ID",
        "INVENTORY_UPDATE_ID",
        "AD_HOC_COMMAND_ID",
        "REST_API_URL",
        "REST_API_TOKEN",
        "MAX_EVENT_RES",
        "CALLBACK_QUEUE",
        "CALLBACK_CONNECTION",
        "CACHE",
        "JOB_CALLBACK_DEBUG",
        "INVENTORY_HOSTVARS",
        "AWX_HOST",
        "PROJECT_REVISION",
        "SUPERVISOR_CONFIG_PATH",
    ]
)
TEXT_ONLY = ("choices", "multiline", "format", "secret")


def check(store: Store, values: Object, thing: Object | None) -> None:
    """:raises RefusalError: for a type that AWX would not take."""
    if thing is not None and thing["managed"]:
        raise RefusalError(403, {"detail": "Modifications not allowed for managed credential types"})
    kind = values.get("kind", "cloud")
    if kind not in ("cloud", "net"):
        raise invalid(kind=f"Must be 'cloud' or 'net', not {kind}")
    whole: Object = {"inputs": {}, "injectors": {}} | (thing or {}) | values
    inputs, injectors = whole["inputs"], whole["injectors"]
    _check_schema("inputs", INPUTS, inputs)
    _check_fields(inputs.get("fields", []))
    used = thing is not None and store.one("credentials", credential_type=thing["id"]) is not None
    if thing is not None and used and inputs != thing["inputs"]:
        raise RefusalError(
            403, {"detail": "Modifications to inputs are not allowed for credential types that are in use"}
        )
    _check_schema("injectors", INJECTORS, injectors)
    for name in injectors.get("env", {}):
        _check_environment(name)
    _check_templates(inputs, injectors)


def check_removal(store: Store, thing: Object) -> None:
    """:raises RefusalError: when it is AWX's own, or somebody's credential is of this type."""
    if thing["managed"]:
        raise RefusalError(403, {"detail": "Deletion not allowed for managed credential types"})
    if store.one("credentials", credential_type=thing["id"]) is not None:
        raise RefusalError(403, {"detail": "Credential types that are in use cannot be deleted"})


def _check_schema(field: str, schema: dict[str, Any], value: Any) -> None:
    problems = []
    for error in jsonschema.Draft4Validator(schema).iter_errors(value):
        where = list(error.path)
        if error.validator == "type":
            expected = "dict" if error.validator_value == "object" else error.validator_value
            given = type(error.instance).__name__
            place = f" in relative path {where}" if where else ""
            problems.append(f"{given} provided{place}, expected {expected}")
        elif error.validator == "additionalProperties":
            problems.append(f"Schema validation error in relative path {where} ({error.message})")
        elif error.validator == "pattern" and where[-1:] == ["id"]:
            problems.append(f"{error.instance} is an invalid variable name")
        else:
            problems.append(error.message)
    if problems:
        raise invalid(**{field: problems})


def _check_fields(fields: list[Object]) -> None:
    seen = set()
    for field in fields:
        if field.get("ask_at_runtime"):
            raise invalid(inputs="'ask_at_runtime' is not supported for custom credentials.")
        name = field["id"]
        if name == "tower":
            raise invalid(inputs='"tower" is a reserved field name')
        if name in seen:
            raise invalid(inputs=f"field IDs must be unique ({name})")
        seen.add(name)
        kind = field.setdefault("type", "string")
        if "default" in field and type(field["default"]) is not {"string": str, "boolean": bool}[kind]:
            raise invalid(inputs=f"{field['default']} is not a {kind}")
        for key in TEXT_ONLY:
            if key in field and kind != "string":
                raise invalid(inputs=f"{key} not allowed for {kind} type ({name})")


def _check_environment(name: str) -> None:
    if name.startswith("ANSIBLE_"):
        raise invalid(
            injectors=f"Environment variable {name} may affect Ansible configuration so its use is not allowed in "
            "credentials."
        )
    if name in BLOCKED:
        raise invalid(injectors=f"Environment variable {name} is not allowed to be used in credentials.")


class _Unset:
    def __str__(self) -> str:
        raise jinja2.UndefinedError("Must define unnamed file injector in order to reference `tower.filename`.")


class _Tower:
    """What templates know as ``tower``."""

    def __init__(self, files: list[str]) -> None:
        self.filename: Any = _Unset()
        if files == ["template"]:
            self.filename = "EXAMPLE_FILENAME"
        for name in files:
            if name != "template":
                setattr(self.filename, name.partition(".")[2], "EXAMPLE_FILENAME")

    def __str__(self) -> str:
        raise jinja2.UndefinedError("Cannot directly reference reserved `tower` namespace container.")


def _check_templates(inputs: Object, injectors: Object) -> None:
    files = list(injectors.get("file", {}))
    if "template" in files and len(files) > 1:
        raise invalid(injectors="Must use multi-file syntax when injecting multiple files")
    known: dict[str, Any] = {field["id"]: "EXAMPLE" for field in inputs.get("fields", [])}
    known["tower"] = _Tower(files)
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
    for part, key, template in _templates(injectors):
        try:
            environment.from_string(template).render(known)
        except jinja2.UndefinedError as error:
            raise invalid(injectors=f"{key} uses an undefined field ({error})") from None
        except jinja2.exceptions.SecurityError as error:
            raise invalid(injectors=f"Encountered unsafe code execution: {error}") from None
        except jinja2.TemplateSyntaxError as error:
            raise invalid(injectors=f"Syntax error rendering template for {key} inside of {part} ({error})") from None


def _templates(injectors: Object) -> Iterator[tuple[str, str, str]]:
    for part in ("env", "file"):
        for key, template in injectors.get(part, {}).items():
            yield part, key, template
    for key, template in _variables("", injectors.get("extra_vars", {})):
        yield "extra_vars", key, template


def _variables(key: str, node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield "a key", name
            yield from _variables(f"{key}.{name}" if key else name, value)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _variables(f"{key}[{index}]", value)
    else:
        # A number or a boolean inside of a list is no template, and AWX stumbles over it.
        if not isinstance(node, str):
            raise invalid(injectors=f"{type(node).__name__} provided in {key}, expected string")
        yield key, node
