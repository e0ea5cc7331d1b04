# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The options of the ``openbao`` provider, and which secrets they ask for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..provider import Wanted
from . import checking as c

MOUNT = "ssh-user"
HOST_MOUNT = "ssh-host"
KUBERNETES_JWT = "/var/run/secrets/kubernetes.io/serviceaccount/token"
LOGINS = ("approle", "jwt", "kubernetes")
METHODS = ("token", "wrapped_token", *LOGINS, "inline")

# No secrets, but read in the same process and handed on in the same way; an option goes before.
SURROUNDINGS = (
    Wanted("address", ("BAO_ADDR", "VAULT_ADDR")),
    Wanted("ca_file", ("BAO_CACERT", "VAULT_CACERT")),
    Wanted("tls_server_name", ("BAO_TLS_SERVER_NAME", "VAULT_TLS_SERVER_NAME")),
    Wanted("namespace", ("BAO_NAMESPACE", "VAULT_NAMESPACE")),
)
PATHS = (
    "ca_file",
    "auth.token_file",
    "auth.wrapped_token_file",
    "auth.secret_id_file",
    "auth.jwt_file",
)
_TOKEN = Wanted("token", ("SLIPWAY_BAO_TOKEN", "BAO_TOKEN", "VAULT_TOKEN"), "auth.token_fd", "auth.token_file")
_WRAPPED = Wanted("wrapped_token", ("SLIPWAY_WRAPPED_TOKEN",), "auth.wrapped_token_fd", "auth.wrapped_token_file")
_SECRET_ID = Wanted("secret_id", ("SLIPWAY_SECRET_ID",), "auth.secret_id_fd", "auth.secret_id_file")
_ROLE_ID = Wanted("role_id", ("SLIPWAY_ROLE_ID",))
_JWT = Wanted("jwt", ("SLIPWAY_JWT",), "auth.jwt_fd")
_JWT_FILE = Wanted("jwt_file", ("SLIPWAY_JWT_FILE",))

_RULES: dict[str, c.Rule] = {
    "address": c.address,
    "ca_file": c.path,
    "tls_server_name": c.text,
    "namespace": c.text,
    "mount": c.text,
    "role": c.text,
    "host_mount": c.text,
    "timeout": c.seconds,
    "plain_http": c.flag,
    "auth": c.mapping,
}
_COMMON: dict[str, c.Rule] = {"method": c.one_of(*METHODS), "namespace": c.text}
_APPROLE: dict[str, c.Rule] = {
    "mount": c.text,
    "role_id": c.text,
    "secret_id_fd": c.descriptor,
    "secret_id_file": c.path,
}
_TOKEN_LOGIN: dict[str, c.Rule] = {"mount": c.text, "role": c.text, "jwt_fd": c.descriptor, "jwt_file": c.path}
_AUTH_RULES: dict[str, dict[str, c.Rule]] = {
    "token": {"token_fd": c.descriptor, "token_file": c.path},
    "wrapped_token": {
        "wrapped_token_fd": c.descriptor,
        "wrapped_token_file": c.path,
        "creation_path": c.text,
        "role_id": c.text,
    },
    "approle": _APPROLE,
    "jwt": _TOKEN_LOGIN,
    "kubernetes": _TOKEN_LOGIN,
}
_ELSEWHERE = {
    wanted.name: f"set {wanted.environment[0]}, or {wanted.fd_option}"
    + (f" or {wanted.file_option}" * bool(wanted.file_option))
    for wanted in (_TOKEN, _WRAPPED, _SECRET_ID, _JWT)
}
_SECRETS = _ELSEWHERE | {"password": "there is no login by password"}


_BY_ENVIRONMENT = {
    "SLIPWAY_WRAPPED_TOKEN": "wrapped_token",
    "SLIPWAY_SECRET_ID": "approle",
    "SLIPWAY_JWT": "jwt",
    "SLIPWAY_JWT_FILE": "jwt",
}
"""Where no method is written, the secret that is there says which: the same inventory serves people and AWX."""
_LOGIN_OPTIONS = {"mount": "SLIPWAY_AUTH_MOUNT", "role": "SLIPWAY_AUTH_ROLE"}


def settled(options: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The options with the method that the environment decides, and with mount and role of its login."""
    auth = options.get("auth")
    if auth is not None and (not isinstance(auth, Mapping) or c.given(auth)):
        return options
    method = next((method for name, method in _BY_ENVIRONMENT.items() if environment.get(name)), "")
    if not method:
        return options
    more = {key: environment.get(name, "") for key, name in _LOGIN_OPTIONS.items() if key in _AUTH_RULES[method]}
    return {**options, "auth": {"method": method, **{key: value for key, value in more.items() if value}}}


def auth_of(options: Mapping[str, Any]) -> dict[str, Any]:
    auth = options.get("auth")
    return c.given(auth) if isinstance(auth, Mapping) else {}


def login_of(auth: Mapping[str, Any]) -> str:
    """The method that really logs in: inline authentication carries another one's."""
    method = str(auth.get("method") or "token")
    return str(auth.get("login") or "jwt") if method == "inline" else method


def check(options: Mapping[str, Any]) -> list[c.Problem]:
    """Every problem, without any I/O."""
    rules = dict(_RULES)
    if c.truth(options.get("plain_http")):
        rules["address"] = lambda value: c.address(value, plain=True)
    found = c.problems(options, rules, _SECRETS)
    if not options.get("role"):
        found.append(("role", "is missing: the role of the SSH engine that signs"))
    if not options.get("address"):
        named = next((os.environ[name] for name in SURROUNDINGS[0].environment if os.environ.get(name)), "")
        if not named:
            found.append(("address", "is missing, and so is BAO_ADDR in the environment"))
        elif problem := rules["address"](named):
            found.append(("address", f"from the environment {problem}"))
    return found + _check_auth(auth_of(options))


def _check_auth(auth: Mapping[str, Any]) -> list[c.Problem]:
    method = str(auth.get("method") or "token")
    if method not in METHODS:
        return c.problems({"method": auth["method"]}, _COMMON, {}, "auth.")
    rules = _COMMON | _AUTH_RULES.get(login_of(auth), {})
    if method == "inline":
        rules["login"] = c.one_of(*LOGINS)
    found = c.problems(auth, rules, _SECRETS, "auth.")
    if login_of(auth) == "kubernetes" and not auth.get("role"):
        found.append(("auth.role", "is missing: the role of the Kubernetes method"))
    given = [key for key in auth if key.endswith(("_fd", "_file")) and key in rules]
    if len(given) > 1:
        found.append((f"auth.{given[1]}", f"is given beside auth.{given[0]}: keep one of the two"))
    return found


def secrets(options: Mapping[str, Any]) -> tuple[Wanted, ...]:
    """What is read for these options, from the environment or a file; the surroundings where no option is set."""
    auth = auth_of(options)
    login = login_of(auth)
    wanted = [surrounding for surrounding in SURROUNDINGS if not options.get(surrounding.name)]
    if login == "token":
        wanted.append(_TOKEN)
    elif login == "wrapped_token":
        wanted.append(_WRAPPED)
        wanted += [] if auth.get("role_id") else [_ROLE_ID]
    elif login == "approle":
        wanted.append(_SECRET_ID)
        wanted += [] if auth.get("role_id") else [_ROLE_ID]
    elif not auth.get("jwt_file"):
        wanted += [_JWT, _JWT_FILE]
    return tuple(wanted)
