# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The certificates that an ssh-agent offers, and which of them a host is going to accept."""

from __future__ import annotations

import base64
import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .certificate import FOR_EVER, Certificate, parse_certificate
from .errors import TrustError

_LIST, _LISTED = b"\x0b", 12
# A certificate that ends within this many seconds is as good as none: the login would race it.
_MARGIN = 5
_ADVICE = "set SSH_AUTH_SOCK to an agent with a certificate, or configure slipway_ssh"


@dataclass(frozen=True)
class Offer:
    """A certificate in an agent. ``line`` is its OpenSSH line."""

    line: str
    certificate: Certificate


def offers(path: str) -> list[Offer]:
    """The certificates in the agent that listens on ``path``. Raises ``TrustError`` SLW-7306 for no agent."""
    return [Offer(line, parse_certificate(line)) for line in held(path) if "-cert-v01@" in line.split()[0]]


def held(path: str) -> list[str]:
    """OpenSSH lines of everything in the agent that listens on ``path``. Raises ``TrustError`` SLW-7306."""
    if not path:
        raise TrustError("SLW-7306", "there is no ssh-agent: SSH_AUTH_SOCK is not set", _ADVICE)
    try:
        blobs = _blobs(_ask(path, _LIST))
    except (OSError, ValueError) as exc:
        raise TrustError("SLW-7306", f"the ssh-agent at {path} does not answer: {exc}", _ADVICE) from exc
    found = []
    for blob in blobs:
        length = int.from_bytes(blob[:4], "big")
        kind = blob[4 : 4 + length].decode("ascii", "replace")
        found.append(f"{kind} {base64.b64encode(blob).decode()}")
    return found


def usable(
    offered: Sequence[Offer], *, authorities: Collection[str], principals: Collection[str], now: float
) -> list[Offer]:
    """The certificates that a host with these authorities (fingerprints) and principals accepts at ``now`` (epoch).

    Raises ``TrustError`` SLW-7306 that says what is wrong with each where there is none.
    """
    wrong = {offer.line: _wrong(offer.certificate, authorities, principals, now) for offer in offered}
    good = [offer for offer in offered if not wrong[offer.line]]
    if good:
        return good
    said = [f"{offer.certificate.describe()} {wrong[offer.line]}" for offer in offered]
    raise TrustError(
        "SLW-7306",
        "the ssh-agent has no certificate that this host would accept: " + ("; ".join(said) or "it has none at all"),
        _ADVICE,
    )


def _wrong(certificate: Certificate, authorities: Collection[str], principals: Collection[str], now: float) -> str:
    if certificate.for_hosts:
        return "is one for hosts"
    if certificate.authority not in authorities:
        return f"is not by a trusted authority ({', '.join(sorted(authorities)) or 'none'})"
    if not set(certificate.principals) & set(principals):
        return f"is for {', '.join(certificate.principals) or 'nobody'}, not for {', '.join(sorted(principals))}"
    if now < certificate.valid_after:
        return "is not valid yet: is a clock wrong?"
    if certificate.valid_before != FOR_EVER and now > certificate.valid_before - _MARGIN:
        return "has expired"
    return ""


def _ask(path: str, message: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as agent:
        # Long enough for an agent that first asks its authority.
        agent.settimeout(60)
        agent.connect(path)
        agent.sendall(len(message).to_bytes(4, "big") + message)
        return _read(agent, int.from_bytes(_read(agent, 4), "big"))


def _read(agent: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = agent.recv(size - len(found))
        if not part:
            raise ValueError("it closed the connection")
        found += part
    return found


def _blobs(answer: bytes) -> list[bytes]:
    if not answer or answer[0] != _LISTED:
        raise ValueError("it does not list its keys")
    count, rest, found = int.from_bytes(answer[1:5], "big"), answer[5:], []
    for _turn in range(count):
        blob, rest = _field(rest)
        _comment, rest = _field(rest)
        found.append(blob)
    return found


def _field(data: bytes) -> tuple[bytes, bytes]:
    size = int.from_bytes(data[:4], "big")
    if len(data) < 4 + size:
        raise ValueError("its answer is cut off")
    return data[4 : 4 + size], data[4 + size :]
