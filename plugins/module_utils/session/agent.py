# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One connection to the agent: what is asked, and the few things that are answered.

List, sign, session-bind, lock and unlock, and our own questions. Nothing can be added, removed or taken out.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

from . import wire
from .errors import SessionError
from .hosts import ENFORCE, Bound, HostPolicy, read_binding
from .identity import Counts, Identity
from .keys import KeyFormatError
from .wire import Reader, WireError, packet, string

BIND = b"session-bind@openssh.com"
STATUS = b"status@slipway.cluster"
CERTIFY = b"certify@slipway.cluster"

_CERTIFICATE_TYPE = b"ssh-ed25519-cert-v01@openssh.com"
_METHODS = (b"publickey", b"publickey-hostbound-v00@openssh.com")
_REMEMBERED = 50
_FAILURE = packet(wire.FAILURE)


class Agent:
    """What all connections share."""

    def __init__(
        self,
        identity: Identity,
        hosts: HostPolicy,
        counts: Counts,
        about: Callable[[], dict[str, Any]],
        publish: Callable[[tuple[bytes, ...]], None] = lambda authorities: None,
    ) -> None:
        self.identity = identity
        self.hosts = hosts
        self.counts = counts
        self._about = about
        self._publish = publish
        self._guard = threading.Lock()
        self._publishing = threading.Lock()
        self._salt = os.urandom(16)
        self._locked: bytes | None = None
        self._objections: dict[str, SessionError] = {}

    @property
    def locked(self) -> bool:
        return self._locked is not None

    def certify(self) -> None:
        """Be ready for the first connection: a certificate, and what ssh has to know of hosts. Raises
        ``SessionError``. Many ask at once, and it is written down by one at a time."""
        self.identity.certificate()
        if self.hosts.mode == ENFORCE:
            authorities = self.hosts.authorities()
            try:
                with self._publishing:
                    self._publish(authorities)
            except OSError as exc:
                raise SessionError(
                    "SLW-7012", f"the session's agent cannot write down who certifies hosts: {exc}"
                ) from exc

    def lock(self, passphrase: bytes) -> bool:
        with self._guard:
            if self._locked is not None:
                return False
            self._locked = self._hash(passphrase)
            return True

    def unlock(self, passphrase: bytes) -> bool:
        with self._guard:
            if self._locked is None or not hmac.compare_digest(self._locked, self._hash(passphrase)):
                return False
            self._locked = None
            return True

    def object_to(self, objection: SessionError) -> None:
        with self._guard:
            if len(self._objections) < _REMEMBERED:
                self._objections[objection.message] = objection

    def status(self) -> dict[str, Any]:
        """Everything that may be told: no key, no token."""
        with self._guard:
            objections = [one.as_dict() for one in self._objections.values()]
        error = self.identity.last_error
        return {
            **self._about(),
            "certificate": self.identity.describe(),
            "error": error.as_dict() if error else None,
            "hosts_not_certified": objections,
            "clock": self.identity.clock_warning,
            **vars(self.counts),
        }

    def _hash(self, passphrase: bytes) -> bytes:
        return hashlib.scrypt(passphrase, salt=self._salt, n=2**12, r=8, p=1)


class Conversation:
    """The messages of one connection, in order."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._bound: Bound | None = None
        self._spoiled = False

    def answer(self, message: bytes) -> bytes:
        """The answer to one message (without its length), as a whole packet. Never raises for what it is given."""
        try:
            reader = Reader(message)
            kind = reader.byte()
            if kind == wire.REQUEST_IDENTITIES:
                reader.end()
                return self._list()
            if kind == wire.SIGN_REQUEST:
                return self._sign(reader)
            if kind == wire.EXTENSION:
                return self._extension(reader)
            if kind in (wire.LOCK, wire.UNLOCK):
                passphrase = reader.string()
                reader.end()
                done = self._agent.lock(passphrase) if kind == wire.LOCK else self._agent.unlock(passphrase)
                return packet(wire.SUCCESS) if done else _FAILURE
        except (WireError, KeyFormatError):
            return _FAILURE
        return _FAILURE

    def _list(self) -> bytes:
        nothing = packet(wire.IDENTITIES_ANSWER, wire.uint32(0))
        if self._agent.locked or self._forwarded():
            return nothing
        try:
            certificate = self._agent.identity.certificate()
        except SessionError:
            return nothing
        # ssh prints this name when the agent refuses to sign: so the reason reaches the message of that host.
        objection = self._objection() if self._bound else None
        comment = str(objection) if objection else certificate.key_id
        return packet(wire.IDENTITIES_ANSWER, wire.uint32(1), string(certificate.blob), string(comment))

    def _objection(self) -> SessionError | None:
        """What stands against signing for this server. Remembered for the report, whatever the mode."""
        objection = self._agent.hosts.objection(self._bound)
        if objection is not None:
            self._agent.object_to(objection)
        return objection if self._agent.hosts.mode == ENFORCE else None

    def _forwarded(self) -> bool:
        """A remote host asks through a forwarded agent, or a connection was used for more than one session."""
        return self._spoiled or (self._bound is not None and self._bound.forwarded)

    def _sign(self, reader: Reader) -> bytes:
        blob, data, flags = reader.string(), reader.string(), reader.uint32()
        reader.end()
        if flags or self._agent.locked or self._forwarded() or not _is_login(data, blob, self._bound):
            self._agent.counts.refusals += 1
            return _FAILURE
        if self._objection() is not None:
            self._agent.counts.refusals += 1
            return _FAILURE
        signature = self._agent.identity.sign(blob, data)
        if signature is None:
            self._agent.counts.refusals += 1
            return _FAILURE
        return packet(wire.SIGN_RESPONSE, string(string(b"ssh-ed25519") + string(signature)))

    def _extension(self, reader: Reader) -> bytes:
        name = reader.string()
        if name == BIND:
            return self._bind(reader.take_rest())
        if name == STATUS:
            reader.end()
            return _told(self._agent.status())
        if name == CERTIFY:
            reader.end()
            try:
                self._agent.certify()
            except SessionError as exc:
                return _told({"error": exc.as_dict()})
            return _told({"error": None})
        return _FAILURE

    def _bind(self, payload: bytes) -> bytes:
        try:
            bound = read_binding(payload)
        except (WireError, KeyFormatError):
            # From here on nobody knows what this connection belongs to.
            self._spoiled = True
            return _FAILURE
        if self._bound is not None and self._bound != bound:
            self._spoiled = True
            return _FAILURE
        self._bound = bound
        return packet(wire.SUCCESS)


def _told(content: dict[str, Any]) -> bytes:
    return packet(wire.SUCCESS, string(json.dumps(content)))


def _is_login(data: bytes, blob: bytes, bound: Bound | None) -> bool:
    """Whether ``data`` is a login by ``blob`` (RFC 4252 §7, OpenSSH's PROTOCOL §3.1 for ``hostbound``),
    for the session of this connection where that is known, and nothing beside."""
    reader = Reader(data)
    session = reader.string()
    kind = reader.byte()
    reader.string()  # the user: what may be logged in as is for the principals to say
    service, method = reader.string(), reader.string()
    signed, algorithm, key = reader.boolean(), reader.string(), reader.string()
    host_key = reader.string() if method == _METHODS[1] else None
    reader.end()
    expected: Iterable[bool] = (
        bool(session),
        kind == wire.USERAUTH_REQUEST,
        service == b"ssh-connection",
        method in _METHODS,
        signed,
        algorithm == _CERTIFICATE_TYPE,
        key == blob,
        bound is None or bound.session == session,
        host_key is None or bound is None or bound.host_key == host_key,
    )
    return all(expected)
