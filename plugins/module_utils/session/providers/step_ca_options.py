# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The options of the ``step_ca`` provider, and which secrets they ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..provider import Wanted
from . import checking as c

JWK = Wanted("jwk", ("SLIPWAY_STEP_JWK",), "jwk_fd", "jwk_file")
PASSWORD = Wanted("password", ("SLIPWAY_STEP_PASSWORD",), "password_fd")
TOKEN = Wanted("token", ("SLIPWAY_STEP_TOKEN",), "token_fd")


def _fingerprint(value: Any) -> str:
    ok = isinstance(value, str) and re.fullmatch(r"[0-9a-fA-F]{64}", value)
    return (
        "" if ok else "must be the SHA-256 of the root certificate, 64 hexadecimal digits: step certificate fingerprint"
    )


_RULES: dict[str, c.Rule] = {
    "address": c.address,
    "ca_file": c.path,
    "fingerprint": _fingerprint,
    "tls_server_name": c.text,
    "timeout": c.seconds,
    "method": c.one_of("jwk", "oidc"),
    "key_id": c.text,
}
_BY_METHOD: dict[str, dict[str, c.Rule]] = {
    "jwk": {"provisioner": c.label, "jwk_file": c.path, "jwk_fd": c.descriptor, "password_fd": c.descriptor},
    "oidc": {"token_file": c.path, "token_fd": c.descriptor},
}
_SECRETS = {
    "jwk": "set SLIPWAY_STEP_JWK, or jwk_fd, or jwk_file with an encrypted one",
    "password": "set SLIPWAY_STEP_PASSWORD, or password_fd",
    "password_file": "set SLIPWAY_STEP_PASSWORD, or password_fd",
    "token": "set SLIPWAY_STEP_TOKEN, or token_file or token_fd",
}


def method_of(options: Mapping[str, Any]) -> str:
    return str(options.get("method") or "jwk")


def check(options: Mapping[str, Any]) -> list[c.Problem]:
    """Every problem, without any I/O."""
    method = method_of(options)
    found = c.problems(options, _RULES | _BY_METHOD.get(method, {}), _SECRETS)
    if not options.get("address"):
        found.append(("address", "is missing: the address of step-ca"))
    elif str(options["address"]).startswith("http://"):
        found.append(("address", "must begin with https://: step-ca has no other"))
    if options.get("ca_file") and options.get("fingerprint"):
        found.append(("fingerprint", "is given beside ca_file: keep one of the two"))
    if method == "jwk" and not options.get("provisioner"):
        found.append(("provisioner", "is missing: the name of the JWK provisioner"))
    for first, second in (("jwk_file", "jwk_fd"), ("token_file", "token_fd")):
        if options.get(first) and options.get(second) not in (None, ""):
            found.append((second, f"is given beside {first}: keep one of the two"))
    return found


def secrets(options: Mapping[str, Any]) -> tuple[Wanted, ...]:
    if method_of(options) == "jwk":
        return (JWK, PASSWORD)
    return () if options.get("token_file") else (TOKEN,)
