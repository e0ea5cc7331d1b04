# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Notification templates: what each way of telling needs. None of them sends anything here."""

from __future__ import annotations

from typing import Any

from lab.awx.refusal import RefusalError, invalid
from lab.awx.store import Object

HIDDEN = "$encrypted$"
# A parameter's type, and its default where it has one.
PARAMETERS: dict[str, dict[str, tuple[Any, ...]]] = {
    "email": {
        "host": ("string",),
        "port": ("int",),
        "username": ("string",),
        "password": ("password",),
        "use_tls": ("bool",),
        "use_ssl": ("bool",),
        "sender": ("string",),
        "recipients": ("list",),
        "timeout": ("int", 30),
    },
    "webhook": {
        "url": ("string",),
        "http_method": ("string", "POST"),
        "disable_ssl_verification": ("bool", False),
        "username": ("string", ""),
        "password": ("password", ""),
        "headers": ("object",),
    },
    "slack": {"token": ("password",), "channels": ("list",)},
    "mattermost": {"mattermost_url": ("string",), "mattermost_no_verify_ssl": ("bool",)},
    "rocketchat": {"rocketchat_url": ("string",), "rocketchat_no_verify_ssl": ("bool",)},
}
TYPES: dict[str, type] = {"string": str, "password": str, "int": int, "bool": bool, "list": list, "object": dict}


def check(values: Object, thing: Object | None) -> None:
    """:raises RefusalError: with all that is wrong with its parameters."""
    if "notification_configuration" not in values:
        if thing is None:
            raise invalid(notification_configuration="This field is required.")
        return
    sent = values["notification_configuration"]
    before = thing["notification_configuration"] if thing else {}
    known = PARAMETERS.get(values.get("notification_type") or (thing or {})["notification_type"], {})
    missing, problems = [], []
    for name, (kind, *default) in known.items():
        if name not in sent and default:
            sent[name] = default[0]
        elif name not in sent:
            missing.append(name)
            continue
        value = sent[name]
        if type(value) is not TYPES[kind]:
            problems.append(f"Configuration field '{name}' incorrect type, expected {kind}.")
        elif kind == "list" and not value:
            problems.append(f"No values specified for field '{name}'")
        elif name == "http_method" and str(value).lower() not in ("put", "post"):
            problems.append("HTTP method must be either 'POST' or 'PUT'.")
        if kind == "password" and value == HIDDEN and name in before:
            sent[name] = before[name]
    if missing:
        problems.append(f"Missing required fields for Notification Configuration: {missing}.")
    if problems:
        raise RefusalError(400, {"__all__": problems})


def hidden(thing: Object) -> Object:
    """The parameters as they are shown."""
    known = PARAMETERS.get(thing["notification_type"], {})
    return {
        name: HIDDEN if value and known.get(name, ("",))[0] == "password" else value
        for name, value in thing["notification_configuration"].items()
    }
