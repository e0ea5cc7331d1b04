# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The life of a token: renewed at its half, replaced near its end, given back."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from ..errors import ProviderError
from .openbao_api import Api, RefusedError
from .openbao_auth import Source, Token, seconds

# The part of its life after which a token that cannot be renewed is replaced.
LATE = 0.9


class Tokens:
    """One token at a time from one source. Used by one thread at a time."""

    def __init__(self, api: Api, source: Source, now: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._source = source
        self._now = now
        self._token: Token | None = None
        self._since = 0.0

    def current(self) -> str:
        """A token that is good as far as its times tell. Raises ``ProviderError``."""
        token = self._token
        if token is None:
            return self.another()
        age = self._now() - self._since
        if token.renewable and age >= token.life / 2:
            return self._renewed(token, token.life - age)
        if self._source.repeatable and age >= token.life * LATE:
            newer = self.another()
            self._revoke(token)
            return newer
        return token.value

    def another(self) -> str:
        """A new token, because there is none or the current one was refused. Raises ``ProviderError``."""
        self._token = self._source.obtain()
        self._since = self._now()
        return self._token.value

    def close(self) -> None:
        """Give it back. Nobody waits for an authority that does not answer: the token ends by itself."""
        if self._token is not None:
            self._revoke(self._token)
            self._token = None

    def _renewed(self, token: Token, left: float) -> str:
        try:
            answer = self._api.send("POST", "auth/token/renew-self", {}, token=token.value)
        except RefusedError as refused:
            if refused.token_is_dead:
                return self.another()
            self._token = replace(token, renewable=False)
            return token.value
        except ProviderError:
            # It is good for its other half; what it is wanted for tells whether the server answers.
            return token.value
        life = seconds((answer.json().get("auth") or {}).get("lease_duration"))
        if life < left + 1:
            # Its longest life is reached: renewing again would bring nothing.
            self._token = replace(token, renewable=False)
        else:
            self._token = replace(token, life=life)
            self._since = self._now()
        return token.value

    def _revoke(self, token: Token) -> None:
        if token.ours and not token.batch:
            with suppress(RefusedError, ProviderError):
                self._api.send("POST", "auth/token/revoke-self", token=token.value)
