# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What one visit to a host came to: who let us in by what, what the host showed, or why it refused.

``log`` is ssh's own (its ``-E`` at level DEBUG1): there no banner and no bastion can put words into ssh's mouth.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .certificate import parse_certificate, parse_key
from .errors import TrustError

CERTIFICATE, KEY, OTHER = "certificate", "key", "other"
"""What let us in: ``other`` is a password, a ticket, or something that nobody names."""

IN = "in"
NOT_ACCEPTED, KEY_ONLY, NOT_CERTIFIED, UNREACHABLE, FAILED = (
    "not accepted", "plain key only", "host not certified", "unreachable", "failed",
)  # fmt: skip

_LONGEST = 300
_USER = re.compile(r"^user ([\w.@$-]+)$", re.ASCII | re.MULTILINE)
_LOGIN = re.compile(r"^debug1: Authenticating to .* as '(.*)'$", re.MULTILINE)
_HOST_KEY = re.compile(r"^debug1: Server host (?:key|certificate): \S+ (SHA256:[\w+/]+)(.*)$", re.ASCII | re.MULTILINE)
# Between the serial and the authority stands the host's own text: the last that looks like an authority is one.
_HOST_CA = re.compile(r', serial \d+ ID ".*" CA \S+ (SHA256:[\w+/]+) valid ', re.ASCII)
_ACCEPTS = re.compile(
    r"^debug1: Server accepts key: .* (\S+) (SHA256:[\w+/]+)(?: explicit| agent| token)*$", re.ASCII | re.MULTILINE
)
_OBJECTION = re.compile(r"SLW-72\d\d [^\"\n]*")
_LET_IN = re.compile(r"^Authenticated to .* using \"", re.MULTILINE)
_REACHED = "debug1: Remote protocol version"
_DENIED = ": Permission denied ("


@dataclass(frozen=True)
class Visit:
    """``state`` is one of this module's words. ``login``: whom we asked to be; ``user``: who we were there.

    ``key`` (of what let us in), ``authority``, ``host_key`` and ``host_ca`` are fingerprints; empty: not known, or for
    ``host_ca`` not certified. ``sworn``: sshd itself said what it let us in by; otherwise ssh did."""

    state: str
    login: str = ""
    user: str = ""
    method: str = ""
    key: str = ""
    serial: str = ""
    key_id: str = ""
    authority: str = ""
    sworn: bool = False
    host_key: str = ""
    host_ca: str = ""
    reason: str = ""


def read(status: int, said: str, log: str, errors: str, offered: Sequence[str] = ()) -> Visit:
    """A visit by what it left. ``status``: ssh's; ``said``: the host's output (its ``$SSH_USER_AUTH``, ``user NAME``);
    ``errors``: the rest of standard error; ``offered``: OpenSSH lines of the certificates in the agent."""
    log = "\n".join(line.rstrip() for line in log.splitlines())
    login = _LOGIN.search(log)
    shown = _HOST_KEY.search(log)
    certified = _HOST_CA.match(shown[2]) if shown else None
    about: dict[str, Any] = {
        "login": login[1] if login else "",
        "host_key": shown[1] if shown else "",
        "host_ca": certified[1] if certified else "",
    }
    # A command that the host forces upon us may end as it likes.
    if status and not _LET_IN.search(log):
        state, reason = _refusal(log, errors)
        return Visit(state, reason=reason, **about)
    user = _USER.findall(said)
    by_sshd, by_ssh = _sworn(said), _seen(log, offered)
    return Visit(IN, user=user[-1] if user else "", sworn=bool(by_sshd), **about, **(by_sshd or by_ssh))


def accepted_key(log: str) -> str:
    """Fingerprint of the first key that the server would have taken; empty for none."""
    found = _ACCEPTS.search("\n".join(line.rstrip() for line in log.splitlines()))
    return found[2] if found else ""


def one_line(text: str) -> str:
    """The last words of somebody else's text: nothing that steers a terminal, and not for ever."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "".join(c if c.isprintable() else "?" for c in " ".join(lines[-2:]))[-_LONGEST:]


def _sworn(said: str) -> dict[str, Any]:
    """What sshd wrote into the session's ``$SSH_USER_AUTH``; nothing where it did not, or it cannot be read."""
    for line in said.splitlines():
        method, _space, key = line.partition(" ")
        if method != "publickey":
            continue
        try:
            return _of_line(key)
        except TrustError:
            return {}
    return {}


def _of_line(line: str) -> dict[str, Any]:
    key = parse_key(line)
    if not key.is_certificate:
        return {"method": KEY, "key": key.fingerprint}
    found = parse_certificate(line)
    return {
        "method": CERTIFICATE,
        "key": found.key,
        "serial": str(found.serial),
        "key_id": one_line(found.key_id),
        "authority": found.authority,
    }


def _seen(log: str, offered: Sequence[str]) -> dict[str, Any]:
    """By ssh's own word, for hosts whose sshd says nothing (``ExposeAuthInfo``)."""
    found = _ACCEPTS.findall(log)
    if not found:
        return {"method": OTHER}
    kind, fingerprint = found[-1]
    if "-CERT" not in kind:
        return {"method": KEY, "key": fingerprint}
    for line in offered:
        one = _of_line(line)
        if one["key"] == fingerprint:
            return one
    return {"method": CERTIFICATE, "key": fingerprint}


def _refusal(log: str, errors: str) -> tuple[str, str]:
    """State and reason. A host that did not even say what it speaks was not reached."""
    words = one_line("\n".join(line for line in log.splitlines() if not line.startswith("debug1: ")))
    objection = _OBJECTION.search(log)
    if objection:
        return NOT_CERTIFIED, one_line(objection[0])
    if "Host key verification failed" in log:
        return NOT_CERTIFIED, words
    if _DENIED in log:
        return NOT_ACCEPTED, words
    if _REACHED not in log:
        # What a bastion had to say comes with it.
        return UNREACHABLE, words or one_line(errors) or "ssh gave no reason"
    return FAILED, words or one_line(errors) or "ssh gave no reason"
