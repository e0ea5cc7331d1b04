# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The run's one key, and a certificate for it that is always fresh when somebody asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from .errors import ProviderError, SessionError
from .keys import Certificate, KeyFormatError, blob_of, line_of, load, public_blob
from .provider import Provider, Request, Signed

with suppress(ImportError):  # the launcher names what is missing
    from cryptography.hazmat.primitives.asymmetric import ed25519

MARGIN = 120.0
"""Seconds before its end at which a certificate is renewed; for short ones a share of their life."""
MARGIN_SHARE = 0.3
_LAST_MOMENT = 2.0
"""Seconds that a certificate must still have to be offered: a login takes one or two."""
_PAUSES = (0.2, 0.4, 0.8, 1.6, 3.0)
_SKEW = 60.0
"""Seconds between the clocks of controller and authority that are worth a word."""


@dataclass(frozen=True)
class Issued:
    """A certificate with its end on this machine's monotonic clock: changes of the wall clock do not matter."""

    certificate: Certificate
    renew_at: float
    ends_at: float


@dataclass
class Counts:
    """What is told at the end of a run."""

    requests: int = 0
    certificates: int = 0
    failures: int = 0
    signatures: int = 0
    refusals: int = 0


@dataclass
class _Failure:
    error: SessionError
    at: float = field(default_factory=time.monotonic)


class Identity:
    """Ed25519, in memory only. Many connections ask at once; one of them asks the authority."""

    def __init__(
        self,
        provider: Provider,
        principals: tuple[str, ...],
        ttl: int,
        *,
        patience: float,
        counts: Counts,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._provider = provider
        self._principals = principals
        self._ttl = ttl
        self._patience = patience
        self._counts = counts
        self._sleep = sleep
        self._key = ed25519.Ed25519PrivateKey.generate()
        self._blob = public_blob(self._key.public_key())
        self._lock = threading.Lock()
        self._issued: list[Issued] = []
        self._failed: _Failure | None = None
        self.skew = 0.0
        """Seconds by which the authority's clock is ahead of this machine's."""

    @property
    def last_error(self) -> SessionError | None:
        """Of the latest attempt; None when that went well."""
        return self._failed.error if self._failed else None

    @property
    def issued(self) -> Issued | None:
        """The newest certificate, whatever its age."""
        return self._issued[-1] if self._issued else None

    def certificate(self) -> Certificate:
        """One that has not ended and will not at once. Raises ``SessionError`` when there is none to be had."""
        asked = time.monotonic()
        with self._lock:
            newest = self.issued
            if newest and asked < newest.renew_at:
                return newest.certificate
            # Who waited while another asked shares what that came to.
            if self._failed is None or self._failed.at < asked:
                self._renew()
            newest = self.issued
            if newest and time.monotonic() < newest.ends_at - _LAST_MOMENT:
                return newest.certificate
            if self._failed is None:
                raise ProviderError("SLW-7151", "the authority's certificate had ended when it came")
            raise self._failed.error

    def sign(self, blob: bytes, data: bytes) -> bytes | None:
        """The raw signature of ``data`` for the holder of a certificate that we gave out; None for anything else."""
        now = time.monotonic()
        if not any(one.certificate.blob == blob and now < one.ends_at for one in list(self._issued)):
            return None
        self._counts.signatures += 1
        return self._key.sign(data)

    def _renew(self) -> None:
        deadline = time.monotonic() + self._patience
        for attempt in range(1_000_000):
            began, wall = time.monotonic(), time.time()
            self._counts.requests += 1
            try:
                signed = self._provider.sign(Request(line_of(self._blob), self._principals, self._ttl))
                self._issued = [*self._issued[-1:], self._accept(signed, began, wall)]
            except SessionError as exc:
                self._counts.failures += 1
                self._failed = _Failure(exc)
                pause = _PAUSES[min(attempt, len(_PAUSES) - 1)]
                passes = isinstance(exc, ProviderError) and exc.passes
                if not passes or time.monotonic() + pause > deadline:
                    return
                self._sleep(pause)
            else:
                self._counts.certificates += 1
                self._failed = None
                return

    def _accept(self, signed: Signed, began: float, wall: float) -> Issued:
        """Raises ``ProviderError`` for a certificate that is not what was asked for."""
        try:
            found = load(blob_of(signed.certificate))
        except KeyFormatError as exc:
            raise ProviderError("SLW-7152", f"the authority's answer is no certificate: {exc}") from exc
        if not isinstance(found, Certificate) or found.host or public_blob(found.key) != self._blob:
            raise ProviderError("SLW-7152", "the authority's answer is no user certificate for the key of this session")
        missing = [p for p in self._principals if p not in found.principals]
        if missing:
            raise ProviderError("SLW-7152", f"the authority left out the principals {', '.join(missing)}")
        clock = wall if signed.clock is None else signed.clock
        self.skew = clock - wall
        life = found.valid_before - clock
        margin = min(MARGIN, life * MARGIN_SHARE)
        return Issued(found, began + life - margin, began + life)

    @property
    def clock_warning(self) -> str:
        """A sentence when the clocks differ so much that hosts may refuse certificates; empty otherwise."""
        if abs(self.skew) < _SKEW:
            return ""
        way = "ahead of" if self.skew > 0 else "behind"
        return (
            f"the authority's clock is {abs(self.skew):.0f} s {way} this controller's: hosts that agree with the "
            "controller may refuse its certificates"
        )

    def describe(self) -> dict[str, Any]:
        """What the newest certificate says, for people; empty before the first."""
        newest = self.issued
        if newest is None:
            return {}
        certificate = newest.certificate
        return {
            "key_id": certificate.key_id,
            "serial": certificate.serial,
            "principals": list(certificate.principals),
            "valid_after": certificate.valid_after,
            "valid_before": certificate.valid_before,
            "remaining": round(newest.ends_at - time.monotonic(), 1),
        }
