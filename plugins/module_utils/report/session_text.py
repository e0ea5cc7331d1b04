# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What an SSH session tells people: one reason beside a host, one line at the end of a run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_UNKNOWN_HOST = (
    "SLW-7201 ssh does not believe this host: its key has no valid certificate for the name in the inventory by a host "
    "CA of ours (slipway.cluster.access gives hosts certificates; slipway_ssh.host_check decides what happens without)"
)

_PROXY_ENDED = "UNKNOWN port 65535"
"""What ssh says of a ProxyCommand that has ended, whose own words it drops where it keeps connections open."""


def reason_lines(status: Mapping[str, Any], message: str) -> list[str]:
    """Why a login failed, as far as the session knows; nothing where ``message``, which is ssh's, is of another kind.

    A host that is refused by the session itself needs no line: the reason is in ssh's message."""
    if "Host key verification failed" in message and status.get("host_check") == "enforce":
        return [_UNKNOWN_HOST]
    if _PROXY_ENDED in message:
        return [f"on the way to this host: {_error(one)}" for one in _reasons(status)]
    if "Permission denied" not in message or "SLW-72" in message:
        return []
    if "gone" in status:
        return [str(status["gone"])]
    lines = [_error(status["error"])] if status.get("error") else []
    if status.get("clock"):
        lines.append(str(status["clock"]))
    if lines:
        return lines
    certificate = status.get("certificate") or {}
    if not certificate:
        return ["no certificate was asked for: ssh did not come so far"]
    names = ", ".join(certificate["principals"])
    until = _time(certificate["valid_before"])
    held = f"the session has a certificate for {names}, serial {certificate['serial']}, valid until {until}"
    return [f"{held}: does the host trust its authority, and list the principal?"]


def closing_lines(status: Mapping[str, Any]) -> list[str]:
    """What the session did; nothing where nobody needed it."""
    if "gone" in status:
        return [f"SSH session: {status['gone']}"]
    if not status["requests"] and not status["refusals"]:
        return []
    counted = _counted(status["certificates"], "certificate")
    lines = [
        f"SSH session: {counted} of {status['authority']} for {', '.join(status['principals'])}, "
        f"{_counted(status['requests'], 'signing request')}, {_counted(status['signatures'], 'login')}"
        + (f", {_counted(status['refusals'], 'refusal')}" if status["refusals"] else "")
    ]
    if status.get("clock"):
        lines.append(f"SSH session: {status['clock']}")
    found = status.get("hosts_not_certified") or []
    if found and status.get("host_check") == "warn":
        lines.append(
            f"SSH session: {_counted(len(found), 'host key')} without a certificate of our host CA (host_check: warn)"
        )
        lines += [f"  {_error(one)}" for one in found[:5]]
    return lines


def _reasons(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What this session has against signing, for whatever host."""
    refused = status.get("hosts_not_certified") or [] if status.get("host_check") == "enforce" else []
    return [*([status["error"]] if status.get("error") else []), *refused[-3:]]


def _error(error: Mapping[str, Any]) -> str:
    return f"{error['code']} {error['message']}" + (f" ({error['advice']})" if error.get("advice") else "")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%H:%M:%S} UTC"
