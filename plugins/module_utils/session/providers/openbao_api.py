# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""OpenBao's and Vault's HTTP API: what both say about every request, whatever it asks for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import ProviderError
from .http import Answer, Http

INLINE_FAILED = "x-vault-inline-auth-failed"
_LONGEST = 300


class RefusedError(Exception):
    """The server refuses this request (400, 403, 404, 405); who asked makes an error of it that people understand.

    ``text`` is what the server said, without secrets. Never leaves the provider.
    """

    def __init__(self, answer: Answer, text: str) -> None:
        super().__init__(f"{answer.status} {text}")
        self.status = answer.status
        self.text = text
        self.inline = INLINE_FAILED in answer.headers

    @property
    def token_is_dead(self) -> bool:
        """Revoked, expired, used up or unknown: OpenBao says so in two words, and in more where a policy forbids.

        Vault names the token.
        """
        return self.status == 403 and (self.text == "permission denied" or "invalid token" in self.text)

    @property
    def knows_no_token(self) -> bool:
        """The server found no token in the request."""
        return self.token_is_dead or "missing client token" in self.text


class Api:
    """Requests in one namespace. ``name`` is the server in words, for messages."""

    def __init__(self, http: Http, namespace: str = "") -> None:
        self._http = http
        self.namespace = namespace
        self.name = http.name + (f", namespace {namespace}" if namespace else "")

    def inside(self, namespace: str) -> Api:
        return Api(self._http, namespace)

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        token: str = "",
        headers: Mapping[str, str] | None = None,
        hide: Iterable[str] = (),
    ) -> Answer:
        """A successful answer. ``hide`` are secrets of body and headers, besides the token.

        Raises ``RefusedError``, and ``ProviderError`` for what has nothing to do with this request.
        """
        sent = {"X-Vault-Request": "true", **(headers or {})}
        if token:
            sent["X-Vault-Token"] = token
        if self.namespace:
            sent["X-Vault-Namespace"] = self.namespace
        answer = self._http.send(method, f"v1/{path}", body=body, headers=sent)
        if answer.status < 300:
            return answer
        text = _said(answer, [token, *hide])
        if answer.status == 503:
            raise self._unready(text)
        if answer.status in (412, 429) or answer.status >= 500:
            what = "has too many requests" if answer.status == 429 else "has a fault"
            raise ProviderError(
                "SLW-7104", f"{self.name} {what}: {answer.status} {text}", "look at its log", passes=True
            )
        raise RefusedError(answer, text)

    def _unready(self, text: str) -> ProviderError:
        if "sealed" in text:
            return ProviderError(
                "SLW-7103", f"{self.name} is sealed and signs nothing", "unseal it: bao operator unseal", passes=True
            )
        return ProviderError("SLW-7103", f"{self.name} is not ready: {text}", "look at its log", passes=True)


def _said(answer: Answer, secrets: Iterable[str]) -> str:
    """The server's own words on one line."""
    errors = answer.json().get("errors")
    text = "; ".join(map(str, errors)) if isinstance(errors, list) and errors else "no reason given"
    for secret in filter(None, secrets):
        for form in (secret, json.dumps(secret)[1:-1]):
            text = text.replace(form, "***")
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:_LONGEST]
