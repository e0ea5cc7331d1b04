# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The report of an SSH session: who we are, and which hosts trust whom, as data and for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from ..trust import visit as seen
from ..trust.certificate import FOR_EVER, parse_certificate, parse_key
from ..trust.errors import TrustError
from ..trust.visit import Visit, one_line

_WIDTH = 18
_NONE = "-"
_HEADINGS = ("host", "user", "let in by", "user CA", "host CA")


def report_dict(
    name: str,
    provider: str,
    visits: Mapping[str, Visit],
    *,
    status: Mapping[str, Any] | None = None,
    held: Sequence[str] = (),
    no_agent: str = "",
) -> dict[str, Any]:
    """``status``: what the session's agent tells of itself, None where there is no session of ours; ``held``: OpenSSH
    lines of what the agent holds; ``no_agent``: why there is none. ``visits`` in the order of the table."""
    told = status or {}
    hosts = [{"host": host, **asdict(visit)} for host, visit in visits.items()]
    for host in hosts:
        host["host_ca_known"] = _known(host, told)
    certificate = dict(told.get("certificate") or {})
    if certificate:
        certificate |= {one: _time(certificate[one]) for one in ("valid_after", "valid_before")}
        certificate["serial"] = str(certificate["serial"])
    return {
        "name": name,
        "result": "ok" if all(visit.state == seen.IN for visit in visits.values()) else "refused",
        "provider": provider,
        "session": status is not None,
        "authority": str(told.get("authority") or ""),
        "trial": bool(told.get("trial")),
        "host_check": str(told.get("host_check") or ""),
        "principals": list(told.get("principals") or []),
        "certificate": certificate,
        "signing_requests": int(told.get("requests") or 0),
        "error": told.get("error") or None,
        "clock": str(told.get("clock") or ""),
        "agent": [_held(line) for line in held],
        "no_agent": no_agent,
        "hosts": hosts,
    }


def report_lines(report: Mapping[str, Any]) -> list[str]:
    """One table, hosts that let us in and hosts that do not in the order of the inventory."""
    hosts = report["hosts"]
    good = sum(1 for host in hosts if host["state"] == seen.IN)
    counted = f"{len(hosts)} host{'' if len(hosts) == 1 else 's'}: {good} let us in, {len(hosts) - good} do not"
    head = " ".join(("SESSION", report["name"])).rstrip()
    lines = [f"{head}  provider {report['provider']}  {counted}  result: {report['result']}"]
    lines += [f"  {label:<{_WIDTH}}{text}" for label, text in _about(report) if text]
    lines += [f"  {text}" for text in _agent(report)]
    return lines + _table(report)


def _about(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not report["session"]:
        return [("session", f"none of Slipway's (provider {report['provider']}): ssh finds its keys by itself")]
    found = report["certificate"]
    certificate = (
        f"serial {found['serial']}, key id {one_line(found['key_id'])}, "
        f"valid {_readable(found['valid_before'])}, {_left(found['remaining'])}"
        if found
        else "none"
    )
    trial = " (for lab and trial only)" if report["trial"] else ""
    error = report["error"]
    return [
        ("authority", f"{report['authority']}{trial}"),
        ("principals", ", ".join(found["principals"] if found else report["principals"])),
        ("certificate", certificate),
        ("user CA", ", ".join(_authorities(report))),
        ("signing requests", f"{report['signing_requests']} so far"),
        ("host check", report["host_check"]),
        ("clock", report["clock"]),
        ("error", f"{error['code']} {error['message']}" if error else ""),
    ]


def _agent(report: Mapping[str, Any]) -> list[str]:
    """What the user's own agent offers, where no session stands before it."""
    if report["session"]:
        return []
    if report["no_agent"]:
        return [f"{'agent':<{_WIDTH}}none: {report['no_agent']}"]
    lines = []
    for key in report["agent"]:
        text = f"{key['kind']} {key['fingerprint']}"
        if key["authority"]:
            names = ", ".join(key["principals"]) or "nobody"
            text = (
                f"certificate serial {key['serial']}, key id {key['key_id']}, for {names}, "
                f"valid {_readable(key['valid_before'])}, by {key['authority']}"
            )
        lines.append(f"{'agent':<{_WIDTH}}{text}")
    return lines or [f"{'agent':<{_WIDTH}}is there, and holds nothing"]


def _table(report: Mapping[str, Any]) -> list[str]:
    hosts = report["hosts"]
    if not hosts:
        return []
    rows = {host["host"]: _row(host) for host in hosts if host["state"] == seen.IN}
    width = max(len(_HEADINGS[0]), *(len(host["host"]) for host in hosts))
    widths = [max(len(cell) for cell in column) for column in zip(_HEADINGS[1:], *rows.values(), strict=True)]
    lines = [_joined(" ", _HEADINGS[0], width, _HEADINGS[1:], widths)] if rows else []
    for host in hosts:
        if host["state"] == seen.IN:
            lines.append(_joined("=", host["host"], width, rows[host["host"]], widths))
        else:
            lines.append(f"! {host['host']:<{width}}  {host['state']}: {_reason(host, report)}")
    if any(host["method"] == seen.CERTIFICATE and not host["sworn"] for host in hosts):
        lines.append("* by ssh's word: sshd there does not say what it let us in by (no ExposeAuthInfo)")
    return lines


def _joined(sign: str, host: str, width: int, cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(
        [f"{sign} {host:<{width}}", *(f"{cell:<{size}}" for cell, size in zip(cells, widths, strict=True))]
    ).rstrip()


def _row(host: Mapping[str, Any]) -> tuple[str, ...]:
    login, user = host["login"], host["user"]
    by = {seen.KEY: f"plain key {host['key']}", seen.OTHER: "no key"}.get(host["method"], "")
    if host["method"] == seen.CERTIFICATE:
        by = f"serial {host['serial'] or 'unknown'}{'' if host['sworn'] else '*'}"
    authority = host["host_ca"] or "not certified"
    if host["host_ca_known"] is False and host["host_ca"]:
        authority += " (none of ours)"
    who = f"{login} ({user})" if user and login and user != login else user or login
    return who, by, host["authority"] or _NONE, authority


def _reason(host: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    authority = ", ".join(_authorities(report)) or "our authority"
    if host["state"] == seen.KEY_ONLY:
        return f"it takes {host['key']}, and no certificate of {authority}; slipway.cluster.access changes that"
    if host["state"] == seen.NOT_ACCEPTED and report["session"]:
        names = ", ".join(report["principals"])
        return f"it does not trust {authority}, or does not list {names} for {host['login']}: its sshd's log says which"
    if host["state"] == seen.NOT_CERTIFIED and host["host_key"] and "SLW-" not in host["reason"]:
        by = f"certified by {host['host_ca']}" if host["host_ca"] else "not certified"
        return f"its key {host['host_key']} is {by}; {host['reason']}"
    return str(host["reason"])


def _authorities(report: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(key["authority"] for key in report["agent"] if key["authority"]))


def _known(host: Mapping[str, Any], status: Mapping[str, Any]) -> bool | None:
    """Whether the host's certificate is by a host CA of ours; None where nobody looked."""
    if not host["host_key"] or status.get("host_check") in (None, "off"):
        return None
    objections = [str(one["message"]) for one in status.get("hosts_not_certified") or []]
    return bool(host["host_ca"]) and not any(host["host_ca"] in one for one in objections)


def _held(line: str) -> dict[str, Any]:
    """A key or certificate in an agent; other people's agents may hold what nobody here can read."""
    empty = {"serial": "", "key_id": "", "principals": [], "authority": "", "valid_before": ""}
    try:
        key = parse_key(line)
        if not key.is_certificate:
            return {"kind": key.kind, "fingerprint": key.fingerprint, **empty}
        found = parse_certificate(line)
    except TrustError:
        return {"kind": "unknown", "fingerprint": "", **empty}
    return {
        "kind": key.kind,
        "fingerprint": found.key,
        "serial": str(found.serial),
        "key_id": one_line(found.key_id),
        "principals": [one_line(name) for name in found.principals],
        "authority": found.authority,
        "valid_before": "for ever" if found.valid_before == FOR_EVER else _time(found.valid_before),
    }


def _time(seconds: float) -> str:
    """RFC 3339; a number that no calendar has stays one."""
    try:
        return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def _readable(time: str) -> str:
    return f"until {time.removesuffix('Z').replace('T', ' ')} UTC" if time.endswith("Z") else time


def _left(seconds: float) -> str:
    if seconds <= 0:
        return "ended"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s left" if minutes else f"{rest} s left"
