# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A token of a ServiceAccount by TokenRequest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import AccessError
from .transport import Api

SHORTEST = 600
"""Seconds: the API server refuses less."""


@dataclass(frozen=True)
class Token:
    """``expires`` is what the API server says, as an ISO time: it may have given less than was asked for."""

    text: str = field(repr=False)
    expires: str


def request_token(
    api: Api,
    *,
    namespace: str,
    account: str,
    seconds: int,
    audiences: Sequence[str] = (),
    bound: Mapping[str, str] | None = None,
) -> Token:
    """Ask for a token of ``seconds``. ``bound``: apiVersion, kind, name and uid of an object that it ends with.
    Raises ``AccessError`` SLW-7407, and what the API server answers."""
    if seconds < SHORTEST:
        raise AccessError("SLW-7407", f"a token of {seconds} s was asked for, {SHORTEST} s is the least")
    spec: dict[str, object] = {"expirationSeconds": seconds, "audiences": list(audiences)}
    if bound:
        spec["boundObjectRef"] = dict(bound)
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    answer = api.call("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token", body)
    status = answer.get("status") or {}
    return Token(str(status["token"]), str(status["expirationTimestamp"]))
