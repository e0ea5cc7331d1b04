# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which server is at the other end: what ssh proves to its agent, and whether we believe that host."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .errors import SessionError
from .keys import Certificate, KeyFormatError, fingerprint, load, verify
from .wire import Reader, WireError

ENFORCE, WARN, OFF = "enforce", "warn", "off"
MODES = (ENFORCE, WARN, OFF)


@dataclass(frozen=True)
class Bound:
    """A connection to the agent that belongs to one SSH session (``session-bind@openssh.com``, OpenSSH ≥ 8.9)."""

    session: bytes = field(repr=False)
    host_key: bytes = field(repr=False)
    forwarded: bool


def read_binding(payload: bytes) -> Bound:
    """Raises ``WireError`` or ``KeyFormatError`` when it is malformed, or the server did not sign this session."""
    reader = Reader(payload)
    host_key, session, signature, forwarded = reader.string(), reader.string(), reader.string(), reader.boolean()
    reader.end()
    if not session:
        raise WireError("session without an identifier")
    known = load(host_key)
    verify(known.key if isinstance(known, Certificate) else known, signature, session)
    return Bound(session, host_key, forwarded)


class HostPolicy:
    """Whether a server's key was certified by an authority for hosts. ``authorities`` is asked once it is needed, so
    that a run which contacts no host asks nobody."""

    def __init__(
        self, mode: str, authorities: Callable[[], tuple[bytes, ...]], clock: Callable[[], float] = time.time
    ) -> None:
        self.mode = mode
        self.authorities = authorities
        self._clock = clock

    def objection(self, bound: Bound | None) -> SessionError | None:
        """Why this server is not believed; None where it is, or where nobody asked for a look."""
        if self.mode == OFF:
            return None
        if bound is None:
            return SessionError(
                "SLW-7203",
                "the ssh client does not say which host it talks to",
                "OpenSSH 8.9 or later is needed on the controller to check hosts",
            )
        shown = fingerprint(bound.host_key)
        try:
            known = load(bound.host_key)
            trusted = self.authorities()
        except KeyFormatError as exc:
            return SessionError("SLW-7201", f"host key {shown} cannot be read: {exc}")
        except SessionError as exc:
            return SessionError("SLW-7202", f"nobody can say who certifies hosts: {exc}")
        if not isinstance(known, Certificate):
            return SessionError("SLW-7201", f"host key {shown} has no certificate", _ADVICE)
        if not known.host or known.authority not in trusted:
            by = fingerprint(known.authority)
            return SessionError(
                "SLW-7201", f"host key {shown} is certified by {by}, which is no host CA of ours", _ADVICE
            )
        now = self._clock()
        if not known.valid_after <= now < known.valid_before:
            return SessionError("SLW-7201", f"host certificate {known.key_id} is outside its validity", _ADVICE)
        return None


_ADVICE = "slipway.cluster.access gives hosts certificates; slipway_ssh.host_check decides what happens without"
