# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What OpenBao's refusals mean, and what to do about them."""

from __future__ import annotations

import re

from ..errors import ProviderError
from ..provider import Request
from .openbao_api import RefusedError

_TOO_LONG = re.compile(r"ttl is larger than maximum allowed (\d+)")
_NO_PRINCIPAL = re.compile(r"(.+) is not a valid value for valid_principals")


def signing(refused: RefusedError, server: str, mount: str, role: str, request: Request) -> ProviderError:
    """Why ``sign`` was refused."""
    where = f"role {role} of {mount} at {server}"
    text = refused.text
    if "namespace not found" in text:
        return ProviderError(
            "SLW-7123", f"{server} does not exist", "set namespace to one that does: bao namespace list"
        )
    if "no handler for route" in text:
        return ProviderError(
            "SLW-7123", f"nothing is mounted as {mount} at {server}", "set mount to the SSH engine: bao secrets list"
        )
    if "Unknown role" in text:
        return ProviderError("SLW-7123", f"there is no {where}", f"set role to one that exists: bao list {mount}/roles")
    if refused.status == 403:
        return ProviderError(
            "SLW-7120",
            f"the policy of this login does not allow signing by {where}",
            f'it needs: path "{mount}/sign/{role}" {{ capabilities = ["update"] }}',
        )
    if found := _NO_PRINCIPAL.search(text):
        return ProviderError(
            "SLW-7121",
            f"{where} does not sign for the principal {found[1]}",
            "add it to allowed_users of the role, or ask for another principal",
        )
    if "no principals specified" in text:
        return ProviderError("SLW-7121", f"{where} signs only for named principals", "name at least one principal")
    if found := _TOO_LONG.search(text):
        return ProviderError(
            "SLW-7122",
            f"{request.ttl} s is longer than {where} allows: {found[1]} s",
            f"ask for at most {found[1]} s, or raise max_ttl of the role",
        )
    if "cert_type" in text:
        return ProviderError(
            "SLW-7124",
            f"{where} signs no user certificates",
            "set allow_user_certificates of the role, or use the role that is meant for users",
        )
    if "key requirements" in text:
        return ProviderError(
            "SLW-7124",
            f"{where} does not sign this type of key: {text}",
            'allow it in the role: allowed_user_key_lengths = {"ed25519": 0}',
        )
    return ProviderError(
        "SLW-7124", f"{where} refuses to sign: {refused.status} {text}", f"compare with: bao read {mount}/roles/{role}"
    )


def login(refused: RefusedError, server: str, method: str, mount: str, role: str) -> ProviderError:
    """Why a login was refused."""
    as_whom = f" as {role}" if role else ""
    where = f"{server} refuses the login by {method}{as_whom} (auth/{mount})"
    text = refused.text
    if "namespace not found" in text:
        return ProviderError(
            "SLW-7123", f"{server} does not exist", "set namespace to one that does: bao namespace list"
        )
    if refused.token_is_dead:
        # The same words for a method that is not mounted, and for a Kubernetes identity that is not bound.
        advice = f"is auth/{mount} enabled there, and is the role bound to this identity? bao auth list"
    elif "invalid role or secret ID" in text:
        advice = "the secret-id is used up, expired or of another role: issue a new one"
    elif "audience" in text:
        advice = "get the token for an audience that bound_audiences of the role lists"
    elif "could not be found" in text or "invalid role name" in text:
        advice = f"set auth.role to one that exists: bao list auth/{mount}/role"
    elif "expired" in text:
        advice = "the token is too old: give a fresh one, or jwt_file, which is read again at every login"
    elif "signature" in text:
        advice = f"the token is not from the issuer that auth/{mount}/config names"
    else:
        advice = f"compare with: bao read auth/{mount}/role/{role or 'NAME'}"
    return ProviderError("SLW-7110", f"{where}: {text}", advice)
