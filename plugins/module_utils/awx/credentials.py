# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Credential types that AWX is given: how a job gets at certificates for SSH.

They set variables of the environment that the session reads, and nothing else: AWX refuses names that begin with
``ANSIBLE_``, and templates with anything but plain Jinja.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Field:
    """An input of a credential. ``variable``: of the environment; empty for the CA, which becomes a file."""

    id: str
    label: str
    variable: str = ""
    required: bool = False
    secret: bool = False
    help: str = ""
    multiline: bool = False


@dataclass(frozen=True)
class Kind:
    """``once``: its secret can be used a single time."""

    title: str
    description: str
    fields: tuple[Field, ...]
    once: bool = False


_SERVER = (
    Field("address", "Address", "BAO_ADDR", required=True, help="https://bao.example.com:8200"),
    # Not "namespace": Jinja has a global of that name, which a field that was left empty would give way to.
    Field("bao_namespace", "Namespace", "BAO_NAMESPACE", help="Where the SSH engine is; empty for the outermost one"),
    Field("ca", "CA certificate", multiline=True, help="PEM, of the authority of the server's TLS certificate"),
)
KINDS: dict[str, Kind] = {
    "approle": Kind(
        "OpenBao by AppRole",
        "Jobs log in to OpenBao or Vault by an AppRole, and get certificates for SSH that live for minutes",
        (
            *_SERVER,
            Field("role_id", "Role ID", "SLIPWAY_ROLE_ID", required=True),
            Field("secret_id", "Secret ID", "SLIPWAY_SECRET_ID", required=True, secret=True),
        ),
    ),
    "service_account": Kind(
        "OpenBao by service account",
        "Jobs of a container group log in to OpenBao or Vault by the projected token of their pod's service account",
        (
            *_SERVER,
            Field("auth_role", "Role", "SLIPWAY_AUTH_ROLE", help="The role of the JWT method"),
            Field("auth_mount", "Mount", "SLIPWAY_AUTH_MOUNT", help="The path of the JWT method; empty for jwt"),
            Field("jwt_file", "Token file", "SLIPWAY_JWT_FILE", required=True, help="/var/run/secrets/slipway/token"),
        ),
    ),
    "token": Kind(
        "OpenBao by token",
        "Whoever may administer the authority: for access, which prepares it and certifies hosts",
        (*_SERVER, Field("token", "Token", "BAO_TOKEN", required=True, secret=True)),
    ),
    "wrapped_token": Kind(
        "OpenBao by wrapped token",
        "A pipeline writes a fresh wrapped token into the credential before each launch; not for schedules",
        (
            *_SERVER,
            Field("wrapped_token", "Wrapped token", "SLIPWAY_WRAPPED_TOKEN", required=True, secret=True),
            Field("role_id", "Role ID", "SLIPWAY_ROLE_ID", help="Where it is the secret ID of an AppRole"),
        ),
        once=True,
    ),
}


def inputs(kind: Kind) -> dict[str, Any]:
    """As AWX describes a credential type's inputs."""
    return {
        "fields": [_input(one) for one in kind.fields],
        "required": [one.id for one in kind.fields if one.required],
    }


def injectors(kind: Kind) -> dict[str, Any]:
    """As AWX describes what a credential type gives to a job."""
    variables = {one.variable: _if_given(one.id, f"{{{{ {one.id} }}}}") for one in kind.fields if one.variable}
    # One file is "filename"; a name of its own would be refused beside it.
    return {
        "file": {"template": "{{ ca | default('') }}"},
        "env": {**variables, "BAO_CACERT": _if_given("ca", "{{ tower.filename }}")},
    }


def _input(one: Field) -> dict[str, Any]:
    found: dict[str, Any] = {"id": one.id, "label": one.label, "type": "string"}
    if one.help:
        found["help_text"] = one.help
    if one.secret:
        found["secret"] = True
    if one.multiline:
        found["multiline"] = True
    return found


def _if_given(name: str, text: str) -> str:
    return f"{{% if {name} is defined and {name} %}}{text}{{% endif %}}"
