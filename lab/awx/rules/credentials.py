# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Credentials: inputs as their type says, secrets kept and never shown."""

from __future__ import annotations

import copy
import urllib.parse
from typing import Any

import jsonschema

from lab.awx.refusal import RefusalError, invalid
from lab.awx.shape import Kind
from lab.awx.store import Object, Store

HIDDEN = "$encrypted$"
OWNERS = ("user", "team", "organization")
# What a job may be given.
ASSIGNABLE = ("ssh", "vault", "cloud", "net", "kubernetes")


def secrets(store: Store, thing: Object) -> set[str]:
    """Names of the inputs that are secret."""
    fields = store.get("credential_types", thing["credential_type"])["inputs"].get("fields", [])
    return {field["id"] for field in fields if field.get("secret")}


def hidden(store: Store, thing: Object) -> Object:
    """The inputs as they are shown."""
    secret = secrets(store, thing)
    return {name: HIDDEN if name in secret and value else value for name, value in thing["inputs"].items()}


def check(store: Store, values: Object, thing: Object | None) -> None:
    """:raises RefusalError: for a credential that AWX would not take."""
    if thing is None:
        _check_owner(values)
        if values.get("team"):
            values["organization"] = store.get("teams", values["team"])["organization"]
    elif thing["managed"]:
        raise RefusalError(403, {"detail": "Modifications not allowed for managed credentials"})
    whole = (thing or {"inputs": {}}) | values
    kind = store.get("credential_types", whole["credential_type"])
    inputs = copy.deepcopy(whole["inputs"])
    if not isinstance(inputs, dict):
        raise invalid(inputs=f"{type(inputs).__name__} provided, expected dict")
    _check_inputs(kind, inputs, thing)
    secret = secrets(store, whole)
    for name, value in inputs.items():
        if value == HIDDEN and name in secret:
            if thing is None:
                raise invalid(inputs=f"{HIDDEN} is a reserved keyword, and cannot be used for {name}.")
            inputs[name] = thing["inputs"].get(name, "")
    values["inputs"] = inputs
    values |= {"kind": kind["namespace"] or kind["kind"], "cloud": kind["kind"] == "cloud"}
    values["kubernetes"] = kind["kind"] == "kubernetes"


def _check_owner(values: Object) -> None:
    given = [name for name in OWNERS if values.get(name)]
    if not given:
        raise invalid(detail="Missing 'user', 'team', or 'organization'.")
    if len(given) > 1:
        listed = ", ".join(sorted(given))
        raise invalid(
            detail=f"Only one of 'user', 'team', or 'organization' should be provided, received {listed} fields."
        )


def _check_inputs(kind: Object, inputs: dict[str, Any], thing: Object | None) -> None:
    fields = kind["inputs"].get("fields", [])
    properties = {
        field["id"]: {"type": field["type"]} | ({"enum": field["choices"]} if field.get("choices") else {})
        for field in fields
    }
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    problems: dict[str, list[str]] = {}
    for error in jsonschema.Draft4Validator(schema).iter_errors(inputs):
        if not error.path:
            raise invalid(inputs=error.message)
        if inputs[error.path[0]] != HIDDEN:
            problems[str(error.path[0])] = [error.message]
    for field in fields:
        name = field["id"]
        value = inputs.get(name)
        if value and value != HIDDEN and name not in problems:
            problem = _format(field.get("format", ""), value)
            if problem:
                problems[name] = [problem]
    if problems:
        raise RefusalError(400, {"inputs": problems})


def _format(form: str, value: Any) -> str:
    if form == "ssh_private_key":
        lines = value.strip().splitlines()
        whole = lines[0].startswith("-----BEGIN ") and lines[-1].startswith("-----END ") and len(lines) > 2
        return "" if whole else "Invalid certificate or key: no private key"
    if form == "url":
        parts = urllib.parse.urlsplit(value)
        if not parts.scheme:
            return "Invalid URL: Missing url scheme (http, https, etc.)"
        return "" if parts.netloc else f"Invalid URL: {value}"
    return ""


def check_assignment(store: Store, kind: Kind, number: int, member: Object) -> None:
    """:raises RefusalError: when a template cannot have this credential beside those that it has."""
    of = store.get("credential_types", member["credential_type"])
    if kind.name not in ("job_templates", "schedules", "workflow_job_template_nodes"):
        return
    present = [store.get("credentials", other) for other in store.linked(kind, number, "credentials")]
    if unique(store, member) in [unique(store, other) for other in present]:
        raise RefusalError(400, {"error": f"Cannot assign multiple {of['name']} credentials."})
    if of["kind"] not in ASSIGNABLE:
        raise RefusalError(400, {"error": f"Cannot assign a Credential of kind `{of['kind']}`."})


def unique(store: Store, thing: Object) -> str:
    """What only one of a job's credentials may be: of a type, or of a vault's identity."""
    kind = store.get("credential_types", thing["credential_type"])
    name = thing["inputs"].get("vault_id") if kind["kind"] == "vault" else None
    return f"{kind['id']}_{name}" if name else str(kind["id"])
