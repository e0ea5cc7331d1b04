# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The shape of ``slipway_awx``, and of a question in an operation's survey, as JSON Schema."""

from __future__ import annotations

from typing import Any

from .credentials import KINDS

# As slipway_name: a label of RFC 1123.
_CLUSTER = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
_TIME = "^([01][0-9]|2[0-3]):[0-5][0-9]$"

_text: dict[str, Any] = {"type": "string", "minLength": 1}
_names: dict[str, Any] = {"type": "array", "items": _text}
_flag: dict[str, Any] = {"type": "boolean"}


def _map(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_schedule = _map(
    {
        "at": {"type": "string", "pattern": _TIME},
        "timezone": _text,
        "rrule": _text,
        "enabled": _flag,
    }
)
_cluster = _map(
    {
        "name": {"type": "string", "pattern": _CLUSTER, "maxLength": 40},
        "inventory": {"type": ["string", "object"], "minLength": 1},
        "folder": _text,
        "credentials": _names,
        "access_credentials": _names,
        "operations": _names,
        "variables": {"type": "object"},
        "schedule": {"oneOf": [_schedule, {"const": False}]},
        "notify": _names,
        "instance_groups": _names,
        "forks": {"type": "integer", "minimum": 1},
    },
    "name",
    "inventory",
)
SETTINGS = _map(
    {
        "organization": _text,
        "prefix": _text,
        "names": _map({"template": _text, "inventory": _text, "workflow": _text}),
        "project": _map(
            {
                "name": _text,
                "scm_url": _text,
                "scm_branch": _text,
                "scm_credential": _text,
                "local_path": _text,
                "playbooks": _text,
            }
        ),
        "execution_environment": {
            "oneOf": [
                _text,
                _map(
                    {
                        "name": _text,
                        "image": _text,
                        "pull": {"enum": ["always", "missing", "never"]},
                        "credential": _text,
                    },
                    "image",
                ),
            ]
        },
        "credentials": {
            "type": "array",
            "items": _map(
                {
                    "name": _text,
                    "kind": {"enum": list(KINDS)},
                    "inputs": {"type": "object", "additionalProperties": {"type": "string"}},
                },
                "name",
                "kind",
            ),
        },
        "notify": _names,
        "instance_groups": _names,
        "approval_timeout": {"type": "integer", "minimum": 0},
        "fleet": {
            "oneOf": [_flag, _map({"credentials": _names, "schedule": {"oneOf": [_schedule, {"const": False}]}})]
        },
        "new_cluster": _map({"controller_credential": _text, "credentials": _names}, "controller_credential"),
        "clusters": {"type": "array", "items": _cluster},
    },
    "organization",
    "project",
    "execution_environment",
    "clusters",
)

TYPES = ("text", "textarea", "integer", "float", "multiplechoice", "multiselect")
"""Of AWX's, all but ``password``: an answer would be readable in the job."""
OPERATION = _map(
    {
        "title": _text,
        "playbook": {"type": "string", "pattern": "^[a-z][a-z_]*$"},
        "description": _text,
        "survey": {
            "type": "array",
            "items": _map(
                {
                    "variable": {"type": "string", "pattern": "^slipway_[a-z_]+$"},
                    "question": _text,
                    "help": _text,
                    "type": {"enum": list(TYPES)},
                    "required": _flag,
                    "default": {"type": ["string", "number"]},
                    "choices": _names,
                    "min": {"type": "integer"},
                    "max": {"type": "integer"},
                },
                "variable",
                "question",
                "type",
            ),
        },
    },
    "title",
    "playbook",
    "description",
)
